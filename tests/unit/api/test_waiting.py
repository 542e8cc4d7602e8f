"""What `farm status`, `farm watch` and `farm workers` print of a job that waits or fails."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from farm.api.jobs import job_info
from farm.api.workers import list_workers
from farm.cli.remote.tables import job_facts, job_line, workers_table
from farm.job_store import JobStore
from farm.ledger import Ledger
from farm.ledger.policy import CAUSES, SUSPICIOUS
from farm.ledger.stores.memory_store import MemoryStore
from farm.ledger.waiting import Steps, held_back, waits_for
from farm.storage import FolderStorage

JOB = "job"


class Clock:
    now_s = 1_000_000.0  # 13:46:40 UTC

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock) -> Ledger:
    ledger = Ledger(MemoryStore(clock=clock))
    ledger.add_job(JOB, tasks=8, views=16)
    return ledger


@pytest.fixture
def status(ledger, tmp_path):
    """What `farm status` prints, and the line of `farm watch`."""
    book = JobStore(FolderStorage(tmp_path))

    def printed(job_id: str = JOB) -> str:
        info = job_info(ledger, book, ledger.job(job_id))
        line = job_line(info)
        console = Console(file=io.StringIO(), width=200)
        console.print(job_facts(info))
        text = console.file.getvalue()
        assert (info.waits_for or "") in line
        return " ".join(text.split())

    return printed


def alive(ledger: Ledger, *workers: str) -> None:
    for worker in workers:
        ledger.heartbeat(worker, {"name": worker.partition("@")[0], "host": "h"}, ttl_s=1e6)


def fail(ledger: Ledger, worker: str, cause: str, sentence: str = "it did not work") -> None:
    (ticket,) = ledger.take(JOB, 1)
    assert ledger.claim(ticket, worker)
    ledger.fail(ticket, cause, sentence)


def shut_out(ledger: Ledger, clock: Clock, worker: str) -> None:
    for _ in range(SUSPICIOUS):
        tickets = ledger.take(JOB, 8)
        assert ledger.claim(tickets[_], worker)
        ledger.fail(tickets[_], "render", "it did not work")
        for ticket in tickets:
            ledger.release(ticket)
    assert ledger.nodes.judge()


def test_a_job_waits_where_all_workers_are_drained(ledger, status):
    alive(ledger, "gpu0@h#1", "gpu1@h#1")
    ledger.drains.drain("gpu0@h", by="ann")
    assert "waits for" not in status()
    ledger.drains.drain("gpu1@h", by="ann")

    since = "drained by ann since "
    assert "waits for 2 workers take no tasks: gpu0: " + since in status()
    assert "gpu1: " + since in status()


def test_a_job_whose_last_task_a_drained_worker_finishes_waits_for_nothing(ledger, status):
    alive(ledger, "gpu0@h#1")
    ledger.add_job("last", tasks=1, views=1)
    (ticket,) = ledger.take("last", 1)
    assert ledger.claim(ticket, "gpu0@h#1")
    ledger.drains.drain("gpu0@h", by="ann")

    assert held_back(ledger, ledger.job("last")) is None
    assert "waits for" in status()


def test_a_job_that_goes_on_waits_for_nothing(ledger, status):
    alive(ledger, "w@h#1")

    assert "waits for" not in status()


def test_no_worker_is_there(status):
    assert "waits for no worker is alive: start one with `farm worker`" in status()


def test_it_is_paused(ledger, status):
    alive(ledger, "w@h#1")
    ledger.pause(JOB)

    assert "waits for it is paused: farm resume job" in status()


@pytest.mark.parametrize("cause", [cause for cause, policy in CAUSES.items() if policy.hold_s])
def test_a_shortage_holds_it_back_until_a_moment(ledger, clock, status, cause):
    alive(ledger, "w@h#1")
    fail(ledger, "w@h#1", cause, "a disk is full; make room (/data/x.png)")
    ledger.resume(JOB)

    assert (
        "waits for held back: a disk is full; make room (/data/x.png); resumes at 13:46:50 UTC"
        in status()
    )
    clock.now_s += 11
    assert "waits for" not in status()


def test_a_shortage_is_told_although_something_else_failed_since(ledger, clock, status):
    alive(ledger, "w@h#1")
    first, second = ledger.take(JOB, 2)
    for ticket in (first, second):
        ledger.claim(ticket, "w@h#1")
    ledger.fail(first, "disk", "a disk is full")
    clock.now_s += 1
    ledger.fail(second, "render", "Cycles refused")

    assert "held back: a disk is full; resumes" in status()


def test_all_workers_are_in_quarantine(ledger, clock, status):
    alive(ledger, "a@h#1")
    shut_out(ledger, clock, "a@h#1")

    assert (
        "waits for 1 worker is in quarantine: a: 3 tasks in a row failed on it (render); "
        "the fault may be its own or theirs, warming up" in status()
    )
    ledger.nodes.failed("a@h#1", "its test card is off by 0.9")
    alive(ledger, "b@h#1")
    assert "waits for" not in status(), "one is left"
    shut = '{"quarantine":{"sentence":"bad","since_s":1,"try_from_s":1}}'
    ledger.store.swap_conduct("b@h", "", shut)
    assert (
        "2 workers are in quarantine: a: it does not render correctly: its test card is off "
        "by 0.9, warms up at 13:47:10 UTC; b: bad, warming up" in status()
    )


def test_other_jobs_go_first(ledger, status):
    alive(ledger, "w@h#1")
    ledger.add_job("urgent", tasks=5, views=5, priority=1)

    assert "waits for other jobs go first: 5 tasks of theirs wait for a worker" in status()
    assert "waits for" not in status("urgent")


def test_what_failed_on_one_worker_is_kept_for_another(ledger, status):
    ledger.add_job("one", tasks=1, views=1, priority=1)
    alive(ledger, "a@h#1", "b@h#1")
    (ticket,) = ledger.take("one", 1)
    ledger.claim(ticket, "a@h#1")
    ledger.fail(ticket, "timeout", "not done after 10 s")
    (again,) = ledger.take("one", 1)
    assert not ledger.claim(again, "a@h#1")

    printed = status("one")
    assert "waits for task 0 failed on a and is kept for another worker for a while" in printed
    assert "task 0: not done after 10 s" in printed


def test_a_job_whose_last_task_is_taken_while_somebody_asks_waits_for_nothing(ledger):
    alive(ledger, "w@h#1")
    ledger.add_job("one", tasks=1, views=1, priority=1)
    read_before = ledger.job("one")
    ledger.take("one", 1)

    assert waits_for(ledger, read_before) is None


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_what_failed_is_told_for_every_cause(ledger, status, cause):
    alive(ledger, "w@h#1")
    fail(ledger, "w@h#1", cause, f"a sentence about {cause}")

    assert f"task 0: a sentence about {cause}" in status()


def test_what_a_bad_worker_failed_at_is_told_as_not_charged(ledger, clock, status):
    alive(ledger, "a@h#1")
    shut_out(ledger, clock, "a@h#1")
    ledger.nodes.failed("a@h#1", "black")

    assert "it did not work (not counted: its worker was faulty)" in status()


def test_views_of_failed_tasks_count(ledger, status):
    alive(ledger, "w@h#1")
    (ticket,) = ledger.take(JOB, 1)
    ledger.claim(ticket, "w@h#1")
    ledger.progress(ticket, 1)
    ledger.fail(ticket, "out_of_frame", "view_001 shows nothing")

    assert "views 1 of 16 (6 %)" in status()


def test_the_list_of_workers_tells_who_is_in_quarantine(ledger, clock):
    alive(ledger, "a@h#1")
    shut_out(ledger, clock, "a@h#1")
    (worker,) = list_workers(ledger)
    console = Console(file=io.StringIO(), width=200)
    console.print(workers_table([worker]))

    assert "quarantine" in console.file.getvalue()
    assert worker.quarantine.endswith("the fault may be its own or theirs, warming up")


def test_what_others_must_make_first_is_named(ledger):
    alive(ledger, "w")
    two = Steps(lambda index: index % 2 if index > 1 else None, "drop {}".format)
    first, second = ledger.take(JOB, 99, waits_for=two.waits_for)
    assert waits_for(ledger, ledger.job(JOB), two) == (
        "3 tasks wait for task 0 (drop 0); 3 tasks wait for task 1 (drop 1)"
    )

    assert ledger.claim(second, "w")
    ledger.complete(second)
    assert waits_for(ledger, ledger.job(JOB), two) is None, "some can be rendered"
    ledger.take(JOB, 99, waits_for=two.waits_for)
    ledger.claim(first, "w")
    assert waits_for(ledger, ledger.job(JOB), two) == "3 tasks wait for task 0 (drop 0)"
