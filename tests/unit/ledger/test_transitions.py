"""Every arrow of the state machines of tasks and jobs, and the arrows that are not there."""

from __future__ import annotations

import pytest

from farm.ledger import JobState, Ledger, TaskState, Work
from farm.ledger.stores.memory_store import MemoryStore
from farm.spec.task import Ticket

JOB = "job"


def a_job(ledger: Ledger, *, tasks: int = 1, **facts: object) -> None:
    assert ledger.add_job(JOB, **{"tasks": tasks, "views": tasks * 4, **facts})  # type: ignore[arg-type]


def a_queued_task(ledger: Ledger) -> Ticket:
    (ticket,) = ledger.take(JOB, 1)
    return ticket


def a_running_task(ledger: Ledger, worker: str = "w") -> Ticket:
    ticket = a_queued_task(ledger)
    assert ledger.claim(ticket, worker)
    return ticket


def counts(ledger: Ledger) -> dict[str, int]:
    job = ledger.job(JOB)
    assert job is not None
    return {state.value: count for state, count in job.counts.items() if count}


def state(ledger: Ledger) -> JobState:
    job = ledger.job(JOB)
    assert job is not None
    return job.state


# T: pending > queued


def test_taking_gives_the_lowest_tasks_first(ledger):
    """T: pending > queued"""
    a_job(ledger, tasks=5)

    assert [ticket.index for ticket in ledger.take(JOB, 2)] == [0, 1]
    assert [ticket.index for ticket in ledger.take(JOB, 9)] == [2, 3, 4]
    assert ledger.take(JOB, 9) == []
    assert counts(ledger) == {"queued": 5}


def test_tasks_given_back_are_taken_before_new_ones(ledger):
    """T: queued > pending > queued"""
    a_job(ledger, tasks=5)
    first, second, _ = ledger.take(JOB, 3)
    ledger.release(second)
    ledger.release(first)

    assert [(t.index, t.attempt) for t in ledger.take(JOB, 3)] == [(0, 2), (1, 2), (3, 1)]


def test_tasks_that_are_done_already_are_not_given_out(ledger):
    a_job(ledger, tasks=5, done=(0, 2, 3), views_done=12)

    assert [ticket.index for ticket in ledger.take(JOB, 9)] == [1, 4]
    assert ledger.job(JOB).views_done == 12


def test_a_long_run_of_done_tasks_is_walked_over(ledger):
    a_job(ledger, tasks=40_000, done=range(39_999))

    assert [ticket.index for ticket in ledger.take(JOB, 5)] == [39_999]


def test_a_job_is_added_once(ledger):
    a_job(ledger, tasks=3)

    assert not ledger.add_job(JOB, tasks=9, views=9)
    assert ledger.job(JOB).tasks == 3


# T: queued > running


def test_claiming_starts_the_task_and_the_job(ledger):
    """T: queued > running --> J: queued > running"""
    a_job(ledger)
    assert state(ledger) is JobState.QUEUED
    ticket = a_queued_task(ledger)

    assert ledger.claim(ticket, "w")
    assert counts(ledger) == {"running": 1}
    assert state(ledger) is JobState.RUNNING
    assert ledger.running(JOB)[0].worker == "w"


def test_a_message_that_comes_twice_is_claimed_once(ledger):
    a_job(ledger)
    ticket = a_running_task(ledger, "first")

    assert not ledger.claim(ticket, "second")
    assert ledger.running(JOB)[0].worker == "first"


def test_a_worker_may_ask_twice_for_its_own_claim(ledger):
    """The first answer may have been lost on the way."""
    a_job(ledger)
    ticket = a_running_task(ledger, "w")

    assert ledger.claim(ticket, "w")


def test_an_old_ticket_is_not_claimed(ledger):
    a_job(ledger)
    old = a_queued_task(ledger)
    ledger.release(old)
    new = a_queued_task(ledger)

    assert not ledger.claim(old, "w")
    assert ledger.claim(new, "w")


# T: running > done


def test_completing_ends_the_task(ledger):
    """T: running > done"""
    a_job(ledger)
    ticket = a_running_task(ledger)

    assert ledger.complete(ticket)
    assert counts(ledger) == {"done": 1}
    assert ledger.running(JOB) == []


def test_a_result_that_comes_too_late_is_dropped_and_counted(ledger):
    a_job(ledger)
    old = a_running_task(ledger, "slow")
    ledger.release(old)
    new = a_running_task(ledger, "quick")

    assert not ledger.complete(old)
    assert ledger.job(JOB).dropped == 1
    assert not ledger.confirm(old)
    assert ledger.confirm(new)
    assert ledger.complete(new)
    assert ledger.job(JOB).dropped == 1


# T: running > pending | failed | set aside


@pytest.mark.parametrize(
    ("cause", "tries", "end"),
    [
        pytest.param("asset", 1, "failed", id="T: running > failed at the first bad asset"),
        pytest.param("render", 3, "failed", id="T: running > failed at the third bad render"),
        pytest.param("unknown", 3, "failed", id="T: running > failed at the third bug"),
        pytest.param("anything", 3, "failed", id="a cause nobody knows counts as unknown"),
        pytest.param("killed", 3, "set aside", id="T: running > set aside, kills workers"),
        pytest.param("lost", 3, "set aside", id="T: running > set aside, loses workers"),
        pytest.param("timeout", 3, "set aside", id="T: running > set aside, never ends"),
    ],
)
def test_attempts_are_counted_by_cause(ledger, cause, tries, end):
    a_job(ledger)
    for _ in range(tries - 1):
        assert ledger.fail(a_running_task(ledger), cause, "it broke") is TaskState.PENDING

    assert ledger.fail(a_running_task(ledger), cause, "it broke") == end
    assert counts(ledger) == {end: 1}
    (story,) = ledger.failures(JOB)
    assert [(a.attempt, a.cause, a.sentence, a.worker) for a in story.attempts] == [
        (n, cause, "it broke", "w") for n in range(1, tries + 1)
    ]


def test_causes_of_one_kind_share_a_count_and_others_do_not(ledger):
    a_job(ledger)
    for cause in ("render", "killed", "unknown", "lost"):
        assert ledger.fail(a_running_task(ledger), cause, "") is TaskState.PENDING

    assert ledger.fail(a_running_task(ledger), "killed", "") is TaskState.SET_ASIDE


def test_storage_costs_no_attempt_and_holds_the_job_back(ledger):
    a_job(ledger)
    for _ in range(12):
        assert ledger.fail(a_running_task(ledger), "storage", "disk full") is TaskState.PENDING

    assert ledger.job(JOB).held_until_s > ledger.now_s()
    assert len(ledger.failures(JOB)[0].attempts) == 10, "the story is kept short"


def test_a_failure_told_twice_counts_once(ledger):
    a_job(ledger)
    ticket = a_running_task(ledger)
    ledger.fail(ticket, "killed", "")

    assert ledger.fail(ticket, "killed", "") is None
    assert len(ledger.failures(JOB)[0].attempts) == 1


def test_a_task_handed_back_is_not_charged(ledger):
    """T: running > pending"""
    a_job(ledger)
    for _ in range(9):
        assert ledger.release(a_running_task(ledger))

    assert counts(ledger) == {"pending": 1}
    assert ledger.failures(JOB) == []
    assert not ledger.release(Ticket(job_id=JOB, index=0, attempt=9)), "once is enough"


# T: failed | set aside > pending


@pytest.mark.parametrize(
    ("cause", "tries"),
    [
        pytest.param("asset", 1, id="T: failed > pending"),
        pytest.param("lost", 3, id="T: set aside > pending"),
    ],
)
def test_retry_gives_a_clean_slate_and_wakes_the_job(ledger, cause, tries):
    """--> J: failed | completed > running"""
    a_job(ledger)
    for _ in range(tries):
        ledger.fail(a_running_task(ledger), cause, "")
    assert ledger.settle(JOB) is not None

    assert ledger.retry(JOB) == 1
    assert counts(ledger) == {"pending": 1}
    assert state(ledger) is JobState.RUNNING
    assert a_queued_task(ledger).attempt == tries + 1
    assert ledger.retry(JOB) == 0


# views


def test_views_are_counted_once_however_often_a_task_is_tried(ledger):
    a_job(ledger, tasks=2)
    first = a_running_task(ledger)
    assert ledger.progress(first, 2)
    assert ledger.progress(first, 2), "said twice"
    assert ledger.job(JOB).views_done == 2
    ledger.release(first)
    assert ledger.job(JOB).views_done == 2, "they are on storage"
    assert not ledger.progress(first, 3)

    again = a_running_task(ledger)
    assert ledger.job(JOB).views_done == 2
    ledger.progress(again, 4)
    ledger.complete(again)

    assert ledger.job(JOB).views_done == 4


def test_the_views_that_a_failed_task_has_kept_count(ledger):
    a_job(ledger, tasks=2, kept={1: 3})
    assert ledger.job(JOB).views_done == 3, "those that were there before"
    ticket = a_running_task(ledger)
    ledger.progress(ticket, 2)
    ledger.fail(ticket, "out_of_frame", "one shows nothing")

    assert ledger.job(JOB).views_done == 5
    ledger.retry(JOB)
    assert ledger.job(JOB).views_done == 5
    again = a_running_task(ledger)
    assert again.index == 0
    ledger.progress(again, 1)
    assert ledger.job(JOB).views_done == 4, "what an attempt finds is the truth"


# jobs


def test_a_job_with_all_tasks_done_is_completed(ledger):
    """J: running > completed"""
    a_job(ledger, tasks=2)
    ledger.complete(a_running_task(ledger))
    assert ledger.settle(JOB) is None, "one is left"
    ledger.complete(a_running_task(ledger))

    assert ledger.settle(JOB) is JobState.COMPLETED
    assert ledger.settle(JOB) is None


def test_a_job_may_complete_with_failed_tasks(ledger):
    """J: running > completed"""
    a_job(ledger, tasks=2)
    ledger.complete(a_running_task(ledger))
    ledger.fail(a_running_task(ledger), "asset", "")

    assert ledger.settle(JOB) is JobState.COMPLETED
    assert counts(ledger) == {"done": 1, "failed": 1}


def test_a_job_of_which_nothing_is_done_has_failed(ledger):
    """J: running > failed"""
    a_job(ledger, tasks=2)
    ledger.fail(a_running_task(ledger), "asset", "")
    ledger.fail(a_running_task(ledger), "asset", "")

    assert ledger.settle(JOB) is JobState.FAILED


def test_a_job_that_was_done_before_it_began_is_completed(ledger):
    """J: queued > completed"""
    a_job(ledger, tasks=2, done=(0, 1))

    assert ledger.settle(JOB) is JobState.COMPLETED


def test_a_paused_job_is_not_fed_but_its_running_tasks_end(ledger):
    """J: running > paused > running"""
    a_job(ledger, tasks=3)
    running, queued = a_running_task(ledger), a_queued_task(ledger)

    assert ledger.pause(JOB)
    assert ledger.take(JOB, 1) == []
    assert not ledger.claim(queued, "w")
    assert ledger.confirm(running)
    assert ledger.complete(running)
    assert counts(ledger) == {"done": 1, "pending": 2}, "the message that came is back in line"
    assert ledger.resume(JOB)
    assert [t.index for t in ledger.take(JOB, 9)] == [1, 2]


def test_cancelling_is_one_write_and_ends_when_nothing_runs(ledger):
    """J: running > cancelling > cancelled; T: pending, queued > cancelled"""
    a_job(ledger, tasks=9)
    running, queued = a_running_task(ledger), a_queued_task(ledger)

    assert ledger.cancel(JOB)
    assert ledger.settle(JOB) is None, "one still runs"
    assert not ledger.confirm(running), "it is told at its next view"
    assert not ledger.claim(queued, "w")
    assert ledger.take(JOB, 1) == []
    assert ledger.release(running)
    assert ledger.settle(JOB) is JobState.CANCELLED
    assert counts(ledger) == {"cancelled": 9}
    assert ledger.retry(JOB) == 0


def test_a_job_that_is_over_is_neither_paused_nor_cancelled(ledger):
    a_job(ledger, tasks=0)
    ledger.settle(JOB)

    assert not ledger.pause(JOB)
    assert not ledger.resume(JOB)
    assert not ledger.cancel(JOB)


def test_jobs_are_served_by_priority_and_then_by_age(ledger):
    for name in ("old", "young", "urgent"):
        ledger.add_job(name, tasks=1, views=1)
    assert ledger.set_priority("urgent", 5)
    assert not ledger.set_priority("unknown", 5)

    assert [job.job_id for job in ledger.jobs()] == ["urgent", "old", "young"]


def test_what_is_said_of_an_unknown_job_changes_nothing(ledger):
    ticket = Ticket(job_id="unknown", index=0, attempt=1)

    assert ledger.job("unknown") is None
    assert ledger.take("unknown", 1) == []
    assert not ledger.claim(ticket, "w")
    assert not ledger.confirm(ticket)
    assert not ledger.complete(ticket)
    assert not ledger.progress(ticket, 1)
    assert ledger.fail(ticket, "render", "") is None
    assert not ledger.release(ticket)
    assert ledger.jobs() == []


# workers


def test_what_a_dead_worker_held_comes_back(ledger):
    """T: running > pending"""
    a_job(ledger, tasks=2)
    ledger.heartbeat("alive", {}, ttl_s=60)
    dead, alive = a_running_task(ledger, "dead"), a_running_task(ledger, "alive")

    assert ledger.reap() == [dead]
    assert ledger.reap() == []
    assert ledger.confirm(alive)
    assert ledger.failures(JOB)[0].attempts[0].cause == "lost"


def test_a_worker_that_leaves_hands_back_what_it_held(ledger):
    a_job(ledger)
    ledger.heartbeat("w", {"device": "cpu"}, ttl_s=60)
    a_running_task(ledger)
    assert ledger.workers()[0].info == {"device": "cpu"}

    ledger.farewell("w")

    assert counts(ledger) == {"pending": 1}
    assert ledger.failures(JOB) == []
    assert ledger.workers() == []


def test_a_worker_says_what_it_does(ledger):
    ledger.heartbeat("w", {}, ttl_s=60)
    ledger.heartbeat("x", {}, ttl_s=60)

    ledger.tell_work("w", Work(task="job/3", views_per_s=1.5))
    ledger.tell_work("gone", Work(task="job/4"))

    assert [(status.worker, status.task, status.views_per_s) for status in ledger.workers()] == [
        ("w", "job/3", 1.5),
        ("x", None, None),
    ]


def test_what_a_worker_said_of_its_work_ends_with_it(ledger):
    ledger.heartbeat("w", {}, ttl_s=60)
    ledger.tell_work("w", Work(task="job/3"))

    ledger.farewell("w")
    ledger.heartbeat("w", {}, ttl_s=60)

    assert ledger.workers()[0].task is None


def test_a_lease_is_held_by_one_until_it_gives_it_back(ledger):
    assert ledger.lease("device:x", "a", 60) == "a"
    assert ledger.lease("device:x", "b", 60) == "a"
    assert ledger.lease("device:x", "a", 60) == "a"
    assert ledger.lease("device:y", "b", 60) == "b"

    ledger.unlease("device:x", "b")
    assert ledger.lease("device:x", "b", 60) == "a"

    ledger.unlease("device:x", "a")
    assert ledger.lease("device:x", "b", 60) == "b"


# A Redis that was started anew may have forgotten its last second


class Forgetful(MemoryStore):
    born = "first"

    def epoch(self) -> str:
        return self.born


def test_a_ticket_of_before_a_restart_is_claimed_by_nobody():
    """Its claim may have been forgotten: somebody may be at work with it."""
    store = Forgetful()
    ledger = Ledger(store)
    a_job(ledger)
    ticket = a_queued_task(ledger)

    store.born = "second"

    assert not ledger.claim(ticket, "w")
    assert counts(ledger) == {"queued": 1}


def test_after_a_restart_tickets_are_withdrawn_once_and_numbered_anew():
    store = Forgetful()
    ledger = Ledger(store)
    a_job(ledger, tasks=2)
    running, waiting = ledger.take(JOB, 2)
    ledger.claim(running, "w")

    store.born = "second"

    assert (ledger.renumber(), ledger.renumber()) == (1, 0)
    assert counts(ledger) == {"pending": 1, "running": 1}
    assert a_queued_task(ledger).attempt > waiting.attempt + 1
    assert ledger.confirm(running)
    assert ledger.complete(running)


# T: done > pending


def test_a_task_that_is_not_done_after_all_is_taken_back_with_its_job(ledger):
    a_job(ledger)
    ticket = a_running_task(ledger)
    ledger.progress(ticket, 4)
    ledger.complete(ticket)
    ledger.settle(JOB)

    assert ledger.reopen(JOB, 0, views=4)
    assert not ledger.reopen(JOB, 0, views=4), "once"

    assert (counts(ledger), state(ledger)) == ({"pending": 1}, JobState.RUNNING)
    assert ledger.job(JOB).views_done == 0
    again = a_queued_task(ledger)
    assert again.attempt > ticket.attempt
    ledger.claim(again, "w")
    ledger.progress(again, 4)
    assert ledger.complete(again)
    assert (ledger.settle(JOB), ledger.job(JOB).views_done) == (JobState.COMPLETED, 4)


def test_only_a_task_that_is_done_is_taken_back(ledger):
    a_job(ledger)
    a_running_task(ledger)

    assert not ledger.reopen(JOB, 0, views=4)
    assert not ledger.reopen("another", 0, views=4)
    assert counts(ledger) == {"running": 1}


# T: > left out


@pytest.mark.parametrize("how", ["pending", "queued", "running", "failed", "set aside"])
def test_a_task_is_left_out_from_every_state_but_done(ledger, how):
    """T: pending, queued, running, failed, set aside > left out"""
    a_job(ledger, tasks=2)
    if how == "queued":
        ledger.take_these(JOB, [1])
    elif how != "pending":
        [ticket] = ledger.take_these(JOB, [1])
        ledger.claim(ticket, "w")
        ledger.progress(ticket, 3)
    if how == "failed":
        ledger.fail(ticket, "asset", "broken")
    while how == "set aside" and ledger.fail(ticket, "killed", "died") is TaskState.PENDING:
        [ticket] = ledger.take_these(JOB, [1])
        ledger.claim(ticket, "w")

    assert ledger.leave_out(JOB, [0, 1]) == [0, 1]

    assert counts(ledger) == {"left out": 2}
    ledger.check(JOB)
    assert ledger.leave_out(JOB, [0, 1]) == []
    kept = 0 if how in ("pending", "queued") else 3
    assert ledger.job(JOB).views_done == kept, "what is rendered is kept"
    assert ledger.settle(JOB) is JobState.COMPLETED


def test_what_is_done_is_not_left_out(ledger):
    a_job(ledger, tasks=2, done=(0,), views_done=4)

    assert ledger.leave_out(JOB, [0, 1, 7]) == [1]
    assert counts(ledger) == {"done": 1, "left out": 1}


def test_whoever_renders_a_task_that_is_left_out_stops_and_counts_for_nothing(ledger):
    a_job(ledger)
    ticket = a_running_task(ledger)

    ledger.leave_out(JOB, [0])

    assert not ledger.confirm(ticket)
    assert not ledger.complete(ticket)
    assert ledger.fail(ticket, "render", "late") is None
    assert counts(ledger) == {"left out": 1}


def test_a_job_ends_well_without_what_failed_once_that_is_left_out(ledger):
    """J: completed > running > completed, so that its dataset is written again."""
    a_job(ledger, tasks=2)
    ledger.complete(a_running_task(ledger))
    ledger.fail(a_running_task(ledger), "asset", "broken")
    assert ledger.settle(JOB) is JobState.COMPLETED

    assert ledger.leave_out(JOB, [1]) == [1]

    assert state(ledger) is JobState.RUNNING
    assert ledger.settle(JOB) is JobState.COMPLETED
    assert counts(ledger) == {"done": 1, "left out": 1}


def test_a_retry_of_the_task_itself_takes_it_back_in_and_one_of_the_job_does_not(ledger):
    """T: left out > pending"""
    a_job(ledger, tasks=2)
    ledger.fail(a_running_task(ledger), "asset", "broken")
    ledger.leave_out(JOB, [0, 1])

    assert ledger.retry(JOB) == 0
    assert ledger.retry_these(JOB, [0]) == [0]

    assert counts(ledger) == {"pending": 1, "left out": 1}
    assert a_queued_task(ledger).index == 0
    assert ledger.failures(JOB)[0].attempts[0].charge == "free"


def test_nothing_of_a_cancelled_job_is_picked(ledger):
    a_job(ledger, tasks=2)
    ledger.fail(a_running_task(ledger), "asset", "broken")
    ledger.cancel(JOB)

    assert ledger.leave_out(JOB, [0, 1]) == []
    assert ledger.retry_these(JOB, [0, 1]) == []


def test_what_waits_for_a_task_that_is_left_out_is_left_out_and_comes_back_with_it(ledger):
    a_job(ledger, tasks=3)

    def waits_for(index):
        return None if index == 0 else 0

    [maker] = ledger.take(JOB, 3, waits_for=waits_for)
    ledger.claim(maker, "w")
    ledger.fail(maker, "asset", "broken")
    ledger.take(JOB, 3, waits_for=waits_for)
    assert counts(ledger) == {"failed": 3}

    ledger.leave_out(JOB, [0], steps=True)
    assert ledger.take(JOB, 3, waits_for=waits_for) == []
    assert counts(ledger) == {"left out": 3}
    told = ledger.failures(JOB)[1].attempts[-1].sentence
    assert told == "task 0, which it waits for, was left out: broken"

    ledger.retry_these(JOB, [0], steps=True)
    assert counts(ledger) == {"pending": 3}


# A retry at another worker


def a_task_that_failed_on(ledger: Ledger, worker: str) -> None:
    a_job(ledger)
    ledger.fail(a_running_task(ledger, worker), "asset", "it cannot be read here")


def test_a_task_retried_elsewhere_is_refused_to_the_worker_on_which_it_failed(ledger):
    for worker in ("a@one#1", "b@two#2"):
        ledger.heartbeat(worker, {}, ttl_s=60)
    a_task_that_failed_on(ledger, "a@one#1")

    assert ledger.retry_these(JOB, [0], elsewhere=True) == [0]

    assert not ledger.claim(a_queued_task(ledger), "a@one#9"), "started again, it is the same"
    [ticket] = ledger.take_these(JOB, [0])
    assert ledger.claim(ticket, "b@two#2")


def test_a_task_retried_elsewhere_is_rendered_where_it_can_be_if_nobody_else_is_left(ledger):
    ledger.heartbeat("a@one#1", {}, ttl_s=60)
    a_task_that_failed_on(ledger, "a@one#1")

    ledger.retry_these(JOB, [0], elsewhere=True)

    assert ledger.claim(a_queued_task(ledger), "a@one#1")


def test_a_plain_retry_is_for_every_worker_again(ledger):
    for worker in ("a@one#1", "b@two#2"):
        ledger.heartbeat(worker, {}, ttl_s=60)
    a_task_that_failed_on(ledger, "a@one#1")
    ledger.retry_these(JOB, [0], elsewhere=True)
    ledger.leave_out(JOB, [0])

    ledger.retry_these(JOB, [0])

    assert ledger.claim(a_queued_task(ledger), "a@one#1")


def test_inboxes_leave_it_to_others_too(ledger):
    a_task_that_failed_on(ledger, "a@one#1")

    ledger.retry_these(JOB, [0], elsewhere=True)

    assert ledger.ready(JOB) == {0: {"a@one"}}


# Counts of failures


def test_failures_are_counted_by_cause_though_the_task_is_done_in_the_end(ledger):
    a_job(ledger)
    ledger.fail(a_running_task(ledger), "render", "once")
    ledger.fail(a_running_task(ledger, "v"), "storage", "away")
    stale = a_queued_task(ledger)
    assert ledger.fail(stale, "render", "nobody holds it") is None
    ledger.claim(stale, "u")
    assert ledger.complete(stale)

    assert ledger.job(JOB).causes == {"render": 1, "storage": 1}
