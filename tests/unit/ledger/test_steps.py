"""Tasks that wait for other tasks."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.policy import SUSPICIOUS
from farm.ledger.steps import LOOK_AHEAD, fail_waiting
from farm.ledger.stores.memory_store import MemoryStore
from tests.fuzz.effort import fuzz

JOB = "job"
MAKERS = 2


def frames_wait(index: int) -> int | None:
    """Two makers; even frames wait for the first one, odd frames for the second one."""
    return None if index < MAKERS else index % MAKERS


def a_job(ledger: Ledger, *, tasks: int = 8, **facts) -> None:
    ledger.add_job(JOB, tasks=tasks, views=tasks, **facts)


def take(ledger: Ledger, limit: int = 99, waits_for=frames_wait):
    return ledger.take(JOB, limit, waits_for=waits_for)


def indices(tickets) -> list[int]:
    return [ticket.index for ticket in tickets]


def start(ledger: Ledger, ticket, worker: str = "w"):
    assert ledger.claim(ticket, worker)
    return ticket


def counts(ledger: Ledger) -> dict[str, int]:
    return {state.value: count for state, count in ledger.job(JOB).counts.items() if count}


def test_a_task_is_given_out_once_what_it_waits_for_is_done(ledger):
    """T: pending > queued"""
    a_job(ledger)
    first, second = take(ledger)
    assert indices([first, second]) == [0, 1]
    assert take(ledger) == []

    ledger.complete(start(ledger, second))
    assert indices(take(ledger)) == [3, 5, 7]
    ledger.complete(start(ledger, first))
    assert indices(take(ledger)) == [2, 4, 6]
    assert take(ledger) == []


def test_no_task_is_forgotten_behind_the_cursor(ledger):
    a_job(ledger)
    first, second = take(ledger)
    ledger.complete(start(ledger, second))
    assert indices(take(ledger, 1)) == [3]
    assert indices(take(ledger, 1)) == [5]
    ledger.complete(start(ledger, first))

    assert indices(take(ledger)) == [2, 4, 6, 7]


def test_a_job_that_goes_on_knows_what_is_made(ledger):
    a_job(ledger, done=(1, 3), views_done=2)

    assert indices(take(ledger)) == [0, 5, 7]


def test_tasks_given_back_wait_again_when_what_they_need_is_made_anew(ledger):
    a_job(ledger, done=(0, 1))
    first, *rest = take(ledger)
    assert first.index == 2
    assert ledger.reopen(JOB, 0, views=0)
    ledger.release(first)

    assert indices(take(ledger)) == [0]
    assert indices(rest) == [3, 4, 5, 6, 7]


def test_what_waits_for_a_failed_task_fails_with_its_words(ledger):
    """T: pending > failed"""
    a_job(ledger)
    first, second = take(ledger)
    ledger.fail(start(ledger, first), "asset", "box.blend: holds no rigid body")
    ledger.complete(start(ledger, second))

    assert indices(take(ledger)) == [3, 5, 7]
    assert counts(ledger) == {"failed": 4, "done": 1, "queued": 3}
    told = {story.index: story.attempts[-1] for story in ledger.failures(JOB)}
    assert told[4].cause == "needs"
    assert told[4].sentence == (
        "task 0, which it waits for, failed: box.blend: holds no rigid body"
    )


@pytest.mark.parametrize("cause", ["asset", "killed"])
def test_a_job_whose_maker_ends_without_success_ends(ledger, cause):
    a_job(ledger, tasks=5)
    while tickets := take(ledger, waits_for=lambda index: 0 if index else None):
        ledger.fail(start(ledger, tickets[0]), cause, "why")
    ended = {"asset": "failed", "killed": "was set aside"}[cause]
    assert ledger.settle(JOB)

    assert ledger.job(JOB).over
    assert ended in ledger.failures(JOB)[-1].attempts[-1].sentence


def test_a_chain_of_makers_fails_to_its_end(ledger):
    a_job(ledger, tasks=4)
    chain = lambda index: index - 1 if index else None  # noqa: E731 - a rule in one line
    [first] = take(ledger, waits_for=chain)
    ledger.fail(start(ledger, first), "asset", "why")
    for _ in range(3):
        assert take(ledger, waits_for=chain) == []

    assert ledger.settle(JOB) is JobState.FAILED


def test_a_retry_puts_both_back(ledger):
    a_job(ledger)
    first, second = take(ledger)
    ledger.fail(start(ledger, first), "asset", "why")
    ledger.fail(start(ledger, second), "asset", "why")
    assert take(ledger) == []
    ledger.settle(JOB)

    assert ledger.retry(JOB) == 8
    assert [(t.index, t.attempt) for t in take(ledger)] == [(0, 2), (1, 2)]
    assert counts(ledger) == {"pending": 6, "queued": 2}


def test_a_task_does_not_fail_for_one_that_was_put_back_meanwhile(ledger):
    a_job(ledger)
    first, _ = take(ledger)
    ledger.fail(start(ledger, first), "asset", "why")
    shift = ledger.store.shift

    def retry_first(job_id, order):
        ledger.store.shift = shift
        ledger.retry(job_id)
        return shift(job_id, order)

    ledger.store.shift = retry_first
    fail_waiting(ledger.store, JOB, 0, [2, 4, 6])

    assert counts(ledger)["pending"] == 7


def test_what_failed_for_a_bad_node_goes_on_with_what_needs_it(ledger):
    """The maker's failure is given back; so are those that followed from it."""
    tasks = SUSPICIOUS + 3
    waits = lambda index: 0 if index == tasks - 1 else None  # noqa: E731 - a rule in one line
    a_job(ledger, tasks=tasks)
    for worker in ("bad@x#1", "good@y#1"):
        ledger.heartbeat(worker, {}, ttl_s=60)
    first, *others, well = take(ledger, waits_for=waits)
    ledger.complete(start(ledger, well, "good@y#1"))
    for ticket in others:
        ledger.fail(start(ledger, ticket, "bad@x#1"), "render", "Cycles refused")
    ledger.fail(start(ledger, first, "bad@x#1"), "device", "lost")
    ticket = first
    while ledger.store.states(JOB, 0, 1) not in ("f", "s"):
        later_s = ledger.now_s() + 1000
        ledger.store.now_s = lambda later_s=later_s: later_s
        [ticket] = [t for t in take(ledger, waits_for=waits) if t.index == 0]
        ledger.fail(start(ledger, ticket, "bad@x#1"), "device", "lost")
    take(ledger, waits_for=waits)
    assert ledger.store.states(JOB, tasks - 1, 1) == "f"

    assert ledger.nodes.judge()
    assert ledger.store.states(JOB, 0, 1) == "p"
    assert ledger.store.states(JOB, tasks - 1, 1) == "p"


@pytest.mark.parametrize("stop", [Ledger.pause, Ledger.cancel])
def test_nothing_fails_while_a_job_stands_still(ledger, stop):
    a_job(ledger)
    first, _ = take(ledger)
    ledger.fail(start(ledger, first), "asset", "why")
    stop(ledger, JOB)

    assert take(ledger) == []
    assert len(ledger.failures(JOB)) == 1


def test_a_crowd_that_waits_hides_nothing_that_is_ready(ledger):
    crowd = 3 * LOOK_AHEAD
    waits = lambda index: None if index < 2 else int(index >= crowd)  # noqa: E731 - one line
    a_job(ledger, tasks=crowd + 50)
    _, second = take(ledger, waits_for=waits)
    ledger.complete(start(ledger, second))

    given = [each for _ in range(6) for each in take(ledger, 10, waits)]
    assert indices(given) == list(range(crowd, crowd + 50))
    assert [take(ledger, 10, waits) for _ in range(6)] == [[]] * 6


class Counting(MemoryStore):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def __getattribute__(self, name: str):
        if name in ("states", "records", "returned", "shift", "meta", "set_meta"):
            self.asked[name] += 1
        return super().__getattribute__(name)


def test_a_million_tasks_behind_one_cost_a_few_questions():
    store, asked = Counting(), []
    ledger = Ledger(store)
    a_job(ledger, tasks=1_000_000)

    def waits_for(index):
        asked.append(index)
        return 0 if index else None

    assert indices(take(ledger, 100, waits_for)) == [0]
    for _ in range(20):
        store.asked.clear()
        asked.clear()
        assert take(ledger, 100, waits_for) == []
        assert sum(store.asked.values()) <= 12
        assert len(asked) <= 2 * LOOK_AHEAD


@fuzz(2)
@given(st.data())
def test_every_job_of_steps_ends_whatever_its_order(data):
    """In any order, well or not: each task is tried or fails with its need, and none too early."""
    tasks = 8
    waits = [
        None if at == 0 else data.draw(st.none() | st.integers(0, at - 1)) for at in range(tasks)
    ]
    ledger = Ledger(MemoryStore())
    a_job(ledger, tasks=tasks)
    held, state = [], lambda at: ledger.store.states(JOB, at, 1)
    for _ in range(200):
        for ticket in ledger.take(JOB, data.draw(st.integers(1, 4)), waits_for=waits.__getitem__):
            assert waits[ticket.index] is None or state(waits[ticket.index]) == "d"
            held.append(start(ledger, ticket))
        if held:
            ticket = held.pop(data.draw(st.integers(0, len(held) - 1)))
            if data.draw(st.booleans()):
                ledger.complete(ticket)
            else:
                ledger.fail(ticket, data.draw(st.sampled_from(["asset", "render"])), "why")
        elif ledger.settle(JOB):
            break

    assert ledger.job(JOB).over
    for at, waited in enumerate(waits):
        assert (state(at) == "d") <= (waited is None or state(waited) == "d")
        assert state(at) in ("d", "f")
    assert TaskState.PENDING not in counts(ledger)
