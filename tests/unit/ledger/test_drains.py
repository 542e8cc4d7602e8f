"""A drained node ends what it holds and takes no more; a worker that was lost is remembered."""

from __future__ import annotations

import pytest

from farm.ledger import Gauges, Ledger, TaskState, Work
from farm.ledger.drains import FORGOTTEN_S
from farm.ledger.model import SAMPLED_LATELY_S, WorkerStatus
from farm.ledger.policy import TURNED_AWAY_S
from farm.ledger.stores.memory_store import MemoryStore
from farm.ledger.stores.store import VANISHED_S
from tests.support.waiting import wait_for

GPU, CPU = "gpu@host#1", "cpu@host#1"


@pytest.fixture
def farm(ledger) -> Ledger:
    ledger.add_job("job", tasks=4, views=4)
    for worker in (GPU, CPU):
        ledger.heartbeat(worker, {}, ttl_s=1000, up_s=5.0)
    return ledger


class Turned(Ledger):
    """A ledger in memory under a clock that a test turns."""

    def __init__(self) -> None:
        self.now = [1e9]
        super().__init__(MemoryStore(clock=lambda: self.now[0]))


@pytest.fixture
def turned() -> Turned:
    return Turned()


def test_what_a_drained_node_holds_it_ends_and_it_gets_no_more(farm):
    held, late = farm.take("job", 2)
    assert farm.claim(held, GPU)
    farm.drains.drain("gpu@host", by="ann")

    assert not farm.claim(late, GPU)
    assert farm.claim(held, GPU), "its first claim may be asked again"
    assert farm.complete(held)
    assert farm.job("job").counts[TaskState.PENDING] == 3
    assert farm.job("job").counts[TaskState.DONE] == 1


def test_what_a_drained_node_is_refused_others_render_at_no_charge(farm):
    farm.drains.drain("gpu@host", by="ann")
    (ticket,) = farm.take("job", 1)
    assert not farm.claim(ticket, GPU)

    real = farm.store.now_s
    farm.store.now_s = lambda: real() + 2 * TURNED_AWAY_S
    again = next(each for each in farm.take("job", 4) if each.index == ticket.index)
    assert farm.claim(again, CPU)
    assert farm.failures("job") == []


def test_a_node_is_drained_until_somebody_says_so_whatever_worker_it_is(farm):
    farm.drains.drain("gpu@host", by="ann")
    farm.drains.drain("gpu@host", by="bob")
    farm.farewell(GPU)
    farm.heartbeat("gpu@host#2", {}, ttl_s=1000)

    (drained,) = [worker for worker in farm.workers() if not worker.takes_tasks]
    assert (drained.worker, drained.drain.by) == ("gpu@host#2", "ann")
    assert farm.drains.undrain("gpu@host")
    assert not farm.drains.undrain("gpu@host")
    assert all(worker.takes_tasks for worker in farm.workers())
    assert farm.claim(farm.take("job", 1)[0], "gpu@host#2")


def test_a_task_does_not_wait_for_a_drained_node_to_try_it(farm):
    """Else what failed on the only other node would wait for minutes."""
    (ticket, *others) = farm.take("job", 4)
    farm.claim(ticket, GPU)
    farm.fail(ticket, "render", "it did not work")
    for other in others:
        farm.release(other)
    (again,) = farm.take_these("job", [ticket.index])
    farm.drains.drain("cpu@host", by="ann")

    assert farm.claim(again, GPU)


def test_a_note_that_nobody_can_read_still_keeps_tasks_away(farm):
    farm.store.set_drained("gpu@host", "{")

    assert not farm.claim(farm.take("job", 1)[0], GPU)
    assert [worker.drain.by for worker in farm.workers() if worker.drain] == [""]


def test_drains_of_nodes_that_never_came_back_are_forgotten(turned):
    turned.heartbeat("lives@h#1", {}, ttl_s=1e9)
    turned.drains.drain("lives@h", by="ann")
    turned.drains.drain("gone@h", by="ann")
    turned.now[0] += FORGOTTEN_S - 1
    turned.drains.drain("new@h", by="ann")
    assert turned.drains.all().keys() == {"lives@h", "gone@h", "new@h"}
    turned.now[0] += 2

    turned.drains.drain("newer@h", by="ann")
    assert turned.drains.all().keys() == {"lives@h", "new@h", "newer@h"}


def test_a_lost_worker_is_remembered_with_what_it_held(farm):
    farm.heartbeat("old@host#1", {"name": "old"}, ttl_s=0.05)
    farm.tell_work("old@host#1", Work(task="job/3", title="vase · studio"))

    wait_for(lambda: farm.lost_workers(), "its heartbeat ended")
    (lost,) = farm.lost_workers()
    assert (lost.worker, lost.info, lost.task) == ("old@host#1", {"name": "old"}, "job/3")
    assert lost.title == "vase · studio"
    assert lost.seen_s == pytest.approx(farm.now_s(), abs=60)
    farm.heartbeat("old@host#1", {"name": "old"}, ttl_s=1000)
    assert farm.lost_workers() == []


def test_a_worker_that_signed_off_was_not_lost(farm):
    farm.farewell(GPU)

    assert [worker.worker for worker in farm.workers()] == [CPU]
    assert farm.lost_workers() == []


def test_a_lost_worker_is_forgotten_after_a_day(turned):
    turned.heartbeat("old@h#1", {}, ttl_s=10)
    turned.now[0] += VANISHED_S + 9
    assert len(turned.lost_workers()) == 1
    turned.now[0] += 2

    assert turned.lost_workers() == []


def test_what_a_worker_says_of_itself_is_read_back(farm):
    measured = Gauges(temperature_c=61, power_w=231.5, memory_used_bytes=1, memory_total_bytes=2)
    farm.heartbeat(GPU, {"name": "gpu"}, ttl_s=1000, up_s=7.5, gauges=measured)

    cpu, gpu = farm.workers()
    assert (gpu.gauges, gpu.up_s) == (measured, 7.5)
    assert (cpu.gauges, cpu.up_s) == (Gauges(), 5.0)


def test_a_worker_of_an_earlier_release_is_read(farm):
    farm.store.beat("old@host#1", '{"info": {"name": "old"}, "seen_s": 1.0}', 1000)

    (old,) = [worker for worker in farm.workers() if worker.info.get("name") == "old"]
    assert (old.up_s, old.gauges, old.sampling_share) == (None, Gauges(), None)


@pytest.mark.parametrize(
    ("task", "rested_s", "share"),
    [
        pytest.param("job/1", 1000.0, 0.8, id="a view takes long"),
        pytest.param(None, 0.0, 0.8, id="just now"),
        pytest.param(None, SAMPLED_LATELY_S / 4, 0.6, id="a while ago"),
        pytest.param(None, 2 * SAMPLED_LATELY_S, 0.0, id="long ago"),
    ],
)
def test_time_without_a_task_is_time_without_sampling(task, rested_s, share):
    worker = WorkerStatus(worker="w", info={}, task=task, sampling_share=0.8, told_s=100.0)

    assert worker.sampled_lately(100.0 + rested_s) == pytest.approx(share)
