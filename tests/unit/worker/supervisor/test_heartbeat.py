from __future__ import annotations

import pytest

from farm.errors import UnreachableError
from farm.ledger import Ledger, TaskState
from farm.ledger.stores.memory_store import MemoryStore
from farm.spec.task import Ticket
from tests.support.waiting import wait_for
from worker.supervisor.heartbeat import DEADLY_STARTS, Heartbeat, RendererDeath


class Outage(MemoryStore):
    """A store that can be taken away."""

    away = False

    def beat(self, worker: str, info: str, ttl_s: float) -> None:
        self.check()
        super().beat(worker, info, ttl_s)

    def shift(self, job_id, order):
        self.check()
        return super().shift(job_id, order)

    def check(self) -> None:
        if self.away:
            raise UnreachableError("away")


@pytest.fixture
def store() -> Outage:
    return Outage(clock=lambda: 1e6)  # no heartbeat stops because its machine is busy


@pytest.fixture
def ledger(store) -> Ledger:
    ledger = Ledger(store)
    ledger.add_job("job", tasks=2, views=2)
    return ledger


@pytest.fixture
def given_up() -> list[str]:
    return []


@pytest.fixture
def heartbeat(ledger, given_up):
    heartbeat = Heartbeat(ledger, "w", {"name": "w"}, ttl_s=0.2, on_deadly_start=given_up.append)
    heartbeat.start()
    yield heartbeat
    heartbeat.stop()


def a_running_task(ledger: Ledger) -> Ticket:
    (ticket,) = ledger.take("job", 1)
    assert ledger.claim(ticket, "w")
    return ticket


def test_a_heart_beats_until_it_is_stopped(heartbeat, ledger):
    assert [status.worker for status in ledger.workers()] == ["w"]
    heartbeat.stop()
    assert ledger.workers() == []


def test_a_death_is_told_also_when_the_ledger_is_away_at_first(heartbeat, ledger, store):
    ticket = a_running_task(ledger)
    store.away = True
    heartbeat.report(RendererDeath(ticket, "killed", "signal 9"))
    wait_for(lambda: not heartbeat.reachable, "it noticed the outage")
    store.away = False

    (story,) = wait_for(lambda: ledger.failures("job"), "the death was told")
    assert story.attempts[0].cause == "killed"


def test_a_worker_that_stops_hands_back_what_it_holds(heartbeat, ledger):
    a_running_task(ledger)

    heartbeat.hand_back(timeout_s=120)

    assert ledger.job("job").counts[TaskState.PENDING] == 2, "it was handed back"
    assert ledger.failures("job") == []


def test_a_renderer_that_dies_before_any_task_is_given_up(heartbeat, ledger, given_up):
    for _ in range(DEADLY_STARTS):
        (ticket,) = ledger.take("job", 1)
        heartbeat.report(RendererDeath(ticket, "killed", "signal 11"))
        wait_for(lambda: ledger.job("job").counts[TaskState.QUEUED] == 0, "it was handed back")

    assert wait_for(lambda: given_up, "it gave up") == [
        "the renderer dies while it starts: signal 11"
    ]
    assert ledger.failures("job") == []


def test_what_a_restarted_redis_wrongly_believes_us_to_hold_is_given_back(ledger, store):
    """It forgot the end of a task; the worker lives, so nobody else would ever take it back."""
    forgotten, in_hand = a_running_task(ledger), a_running_task(ledger)
    born = ["first"]
    store.epoch = lambda: born[0]
    heartbeat = Heartbeat(
        ledger, "w", {"name": "w"}, ttl_s=0.2, on_deadly_start=print, in_hand=lambda: [in_hand]
    )
    heartbeat.start()
    try:
        assert len(ledger.held_by("w")) == 2

        born[0] = "second"

        wait_for(lambda: ledger.held_by("w") == [in_hand], f"{forgotten} is given back")
    finally:
        heartbeat.stop()
