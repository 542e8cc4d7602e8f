from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from farm.dispatcher import POLL_S, WINDOW, Dispatcher
from farm.errors import SpecError, StorageError, UnreachableError
from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.shortage import shortage
from farm.ledger.stores.memory_store import MemoryStore
from farm.spec.task import RenderMessage, Ticket
from tests.builders import a_task


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class ListQueue:
    """A queue that a test can read, empty, and take away."""

    messages: list[RenderMessage] = field(default_factory=list)
    away: bool = False

    def put(self, message: RenderMessage, *, priority: int, inbox: str | None = None) -> None:
        if self.away:
            raise UnreachableError("the queue is away")
        self.messages.append(message)

    def keys(self, inboxes: Iterable[str] = ()) -> dict[str, str]:
        return {}

    def length(self, inbox: str | None = None) -> int:
        return len(self.messages)

    def fetch(self) -> list[Ticket]:
        tickets = [message.ticket for message in self.messages]
        self.messages.clear()
        return tickets


class Farm:
    """A dispatcher with its ledger and queue, under a clock that a test turns."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ledger = Ledger(MemoryStore(clock=self.clock))
        self.queue = ListQueue()
        self.dispatcher = self.start()

    def start(self) -> Dispatcher:
        return Dispatcher(self.ledger, self.queue, self.task, lease_ttl_s=10, clock=self.clock)

    def task(self, job_id: str, index: int):
        return a_task(index, job_id=job_id)

    def add(self, job_id: str, tasks: int, **facts) -> None:
        self.clock.now_s += 0.001
        self.ledger.add_job(job_id, tasks=tasks, views=tasks, **facts)

    def step(self, seconds: float = 0.0) -> list[Ticket]:
        """Let time pass in small steps; return what came into the queue."""
        end_s = self.clock.now_s + seconds
        while True:
            assert self.dispatcher.step()
            if self.clock.now_s >= end_s:
                return self.queue.fetch()
            self.clock.now_s = min(self.clock.now_s + 1, end_s)


@pytest.fixture
def farm() -> Farm:
    return Farm()


def test_a_message_is_self_contained(farm):
    farm.add("job", tasks=1)
    farm.dispatcher.step()

    (message,) = farm.queue.messages
    assert message.task == a_task(0, job_id="job")
    assert message.ticket == Ticket(job_id="job", index=0, attempt=1)


def test_the_queue_stays_short_however_long_the_job(farm):
    farm.add("job", tasks=1_000_000)
    for worker in ("a", "b", "c"):
        farm.ledger.heartbeat(worker, {}, ttl_s=60)

    assert len(farm.step()) == 3 * WINDOW
    assert farm.step() == []


def test_the_queue_is_topped_up_as_tasks_start(farm):
    farm.add("job", tasks=100)
    first, *_ = farm.step()
    farm.ledger.claim(first, "w")

    assert [ticket.index for ticket in farm.step()] == [WINDOW]


def test_pauses_are_as_short_as_tasks_are(farm):
    """A worker that goes through its window during one pause would wait for the next step."""
    farm.add("job", tasks=1000)
    pauses = []
    for taken in (*[WINDOW] * 8, *[WINDOW // 2] * 3, *[0] * 20):
        for ticket in farm.step()[:taken]:
            farm.ledger.claim(ticket, "w")
        pauses.append(farm.dispatcher.pause_s)

    quick, steady, idle = pauses[7], pauses[10], pauses[-1]
    assert quick < POLL_S / 4
    assert steady == pauses[9]
    assert idle == POLL_S


def test_an_urgent_job_does_not_wait_for_the_window_of_others(farm):
    farm.add("slow", tasks=100)
    farm.step()
    farm.add("urgent", tasks=100, priority=1)

    assert [ticket.job_id for ticket in farm.step()] == ["urgent"] * WINDOW


def test_jobs_of_one_priority_are_served_by_age(farm):
    farm.add("old", tasks=2)
    farm.add("young", tasks=100)

    assert [ticket.job_id for ticket in farm.step()] == ["old"] * 2 + ["young"] * (WINDOW - 2)


@pytest.mark.parametrize("stop", [Ledger.pause, Ledger.cancel])
def test_paused_and_cancelled_jobs_are_not_fed(farm, stop):
    farm.add("job", tasks=100)
    stop(farm.ledger, "job")

    assert farm.step() == []


def test_a_job_held_back_by_its_storage_is_fed_again_later(farm):
    farm.add("job", tasks=1)
    (ticket,) = farm.step()
    farm.ledger.claim(ticket, "w")
    farm.ledger.fail(ticket, "storage", "disk full")

    assert farm.step() == []
    assert [again.attempt for again in farm.step(seconds=11)] == [2]


def test_a_job_whose_tasks_cannot_be_made_waits_and_says_for_what(farm):
    farm.add("job", tasks=5)
    farm.add("other", tasks=1)
    away = {"job"}

    def task(job_id, index):
        if job_id in away:
            raise StorageError("the disk is away")
        return a_task(index, job_id=job_id)

    farm.dispatcher.task_of = task
    assert [ticket.job_id for ticket in farm.step(seconds=2)] == ["other"]
    assert shortage(farm.ledger, farm.ledger.job("job")) == "the disk is away"

    away.clear()
    assert [ticket.job_id for ticket in farm.step(seconds=10)].count("job") == WINDOW


def test_who_asked_is_told_that_a_job_is_over(farm):
    told = []
    farm.dispatcher.on_over = told.append
    farm.add("job", tasks=1)
    (ticket,) = farm.step()
    farm.ledger.claim(ticket, "w")
    farm.ledger.complete(ticket)
    farm.step(seconds=3)

    assert told == ["job"]


def test_tasks_are_sent_once_what_they_wait_for_is_done(farm):
    farm.dispatcher.steps_of = lambda job_id: {"job": lambda at: 0 if at else None}.get(job_id)
    farm.add("job", tasks=3)
    farm.add("other", tasks=2)
    (first, *others) = farm.step()
    assert [(t.job_id, t.index) for t in (first, *others)] == [
        ("job", 0), ("other", 0), ("other", 1)
    ]  # fmt: skip

    farm.ledger.claim(first, "w")
    assert farm.step(seconds=2) == []
    farm.ledger.complete(first)
    assert [ticket.index for ticket in farm.step()] == [1, 2]


def test_a_job_whose_order_is_not_known_now_is_held_like_any_without_its_spec(farm):
    def away(*_):
        raise StorageError("the disk is away")

    farm.add("job", tasks=3)
    farm.dispatcher.steps_of = farm.dispatcher.task_of = away

    assert farm.step(seconds=2) == []
    assert shortage(farm.ledger, farm.ledger.job("job")) == "the disk is away"
    assert farm.ledger.job("job").counts[TaskState.PENDING] == 3


def test_what_a_silent_worker_held_is_sent_again(farm):
    farm.add("job", tasks=1)
    farm.ledger.heartbeat("w", {}, ttl_s=15)
    (ticket,) = farm.step()
    farm.ledger.claim(ticket, "w")

    assert farm.step(seconds=14) == [], "it has its lease"
    assert [(t.index, t.attempt) for t in farm.step(seconds=8)] == [(0, 2)]


def test_a_drained_worker_gets_no_messages(farm):
    """The window is that of the workers that take tasks."""
    farm.ledger.heartbeat("a@h#1", {}, ttl_s=600)
    farm.ledger.heartbeat("b@h#1", {}, ttl_s=600)
    farm.ledger.drains.drain("b@h", by="ann")
    farm.add("job", tasks=40)

    assert len(farm.step()) == WINDOW
    farm.ledger.drains.undrain("b@h")
    assert len(farm.step()) == WINDOW


def test_a_new_dispatcher_gives_workers_time_to_be_heard(farm):
    """A farm that was down must not take everything for lost when it comes back."""
    farm.add("job", tasks=1)
    (ticket,) = farm.step()
    farm.ledger.claim(ticket, "w")
    farm.clock.now_s += 1000
    farm.dispatcher = farm.start()

    assert farm.step(seconds=19) == []
    assert len(farm.step(seconds=2)) == 1


def test_a_dispatcher_that_slept_gives_workers_time_too(farm):
    farm.add("job", tasks=1)
    (ticket,) = farm.step()
    farm.ledger.claim(ticket, "w")
    farm.step(seconds=3)
    farm.clock.now_s += 1000

    assert farm.step(seconds=19) == []
    assert len(farm.step(seconds=2)) == 1


def test_a_lost_message_is_sent_again_and_nothing_is_charged(farm):
    farm.add("job", tasks=1)
    (lost,) = farm.step()

    assert farm.step(seconds=4) == []
    assert set(farm.step(seconds=3)) == {lost}


def test_messages_that_wait_in_the_queue_are_not_doubled(farm):
    farm.add("job", tasks=1)
    farm.dispatcher.step()

    assert len(farm.step(seconds=30)) == 1


def test_a_queue_that_is_away_loses_nothing(farm):
    farm.add("job", tasks=1)
    farm.queue.away = True
    assert not farm.dispatcher.step()
    farm.queue.away = False

    assert [ticket.index for ticket in farm.step(seconds=6)] == [0]


def test_a_job_is_finished_when_its_last_task_is(farm):
    farm.add("job", tasks=1)
    (ticket,) = farm.step()
    farm.ledger.claim(ticket, "w")
    farm.ledger.complete(ticket)
    farm.step()

    assert farm.ledger.job("job").state is JobState.COMPLETED


def test_the_loop_ends_when_it_is_told_to(farm):
    stop = threading.Event()
    stop.set()

    farm.dispatcher.run(stop)
    farm.dispatcher.run(threading.Event(), until=lambda: True)


def test_a_task_that_cannot_be_made_fails_with_the_reason_and_the_others_go_on(farm):
    """A recipe's package is broken, or gone, since the job was accepted."""

    def task(job_id, index):
        if job_id == "job":
            raise SpecError("recipe 'bench': ZeroDivisionError: division by zero")
        return a_task(index, job_id=job_id)

    farm.dispatcher.task_of = task
    farm.add("job", tasks=1)
    farm.add("other", tasks=1)

    assert [ticket.job_id for ticket in farm.step(seconds=300)][:1] == ["other"]
    (story,) = farm.ledger.failures("job")
    assert story.attempts[-1].sentence == "recipe 'bench': ZeroDivisionError: division by zero"
    assert farm.ledger.job("job").counts[TaskState.FAILED] == 1


def test_what_looks_at_all_workers_leaves_time_to_feed_them(farm, monkeypatch):
    judged = []

    def judge():
        judged.append(farm.clock())
        farm.clock.now_s += 0.1  # as long as it takes with a thousand workers
        return []

    monkeypatch.setattr(farm.ledger.nodes, "judge", judge)
    for _ in range(20):
        farm.dispatcher.step()
        farm.clock.now_s += 0.1

    gaps = [after - before for before, after in pairwise(judged)]
    assert all(gap == pytest.approx(1.0, abs=0.11) for gap in gaps), gaps
    assert len(judged) > 1
