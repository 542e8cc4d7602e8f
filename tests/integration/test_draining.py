"""Workers that are drained while they work: nothing is lost, nothing is begun; only the renderer is
a stand-in."""

from __future__ import annotations

import signal
from pathlib import Path

from farm.ledger import Gauges, JobState, TaskState
from tests.support.farms.whole_farm import Farm
from tests.support.waiting import wait_for

DRIVER = {"PYTHONPATH": str(Path(__file__).parents[1] / "fake_driver"), "FARM_DEVICE": "auto"}


def node(farm: Farm, name: str) -> str:
    nodes = [worker.worker.partition("#")[0] for worker in farm.ledger.workers()]
    return next(each for each in nodes if each.startswith(f"{name}@"))


def wait_alive(farm: Farm, count: int) -> None:
    wait_for(lambda: len(farm.ledger.workers()) == count, f"{count} workers", story=farm.words)


def begun(farm: Farm) -> set[str]:
    return {path.name for path in (farm.storage / "started").glob("*")}


def test_a_drained_worker_finishes_its_task_and_begins_no_other(farm):
    farm.tell("hold-0")
    farm.start_worker()
    wait_alive(farm, 1)
    farm.add_job(tasks=6)
    farm.wait_started(0)
    farm.ledger.drains.drain(node(farm, "w0"), by="ann")
    wait_for(lambda: "drained: takes no more tasks" in farm.words(), "it heard")
    farm.free("hold-0")

    wait_for(
        lambda: farm.ledger.job("job").counts[TaskState.DONE] == 1, "it finished", story=farm.words
    )
    assert begun(farm) == {"0.1"}
    farm.start_worker()
    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 6}
    assert farm.ledger.failures("job") == []
    assert len(begun(farm)) == 6, "nothing was rendered twice"


def test_a_worker_that_is_drained_before_it_hears_of_it_begins_nothing(farm):
    """It may fetch a message in the moment of draining: the ledger refuses it, others render it."""
    farm.start_worker(FARM_LEASE_TTL_S="4000")  # it looks when it starts, then after 1,000 s
    farm.add_job(tasks=1, job_id="before")
    farm.wait_state(JobState.COMPLETED, "before")
    wait_for(lambda: farm.ledger.workers()[0].up_s > 0.5, "it has looked", story=farm.words)
    drained = node(farm, "w0")
    farm.ledger.drains.drain(drained, by="ann")
    before = begun(farm)
    farm.add_job(tasks=4)
    wait_for(lambda: "message refused" in farm.words(), "it fetched one", story=farm.words)

    assert begun(farm) == before
    farm.start_worker()
    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 4}
    assert farm.ledger.failures("job") == []


def test_a_drain_outlives_the_worker_and_ends_when_somebody_says_so(farm):
    first = farm.start_worker()
    farm.add_job(tasks=1, job_id="before")
    farm.wait_state(JobState.COMPLETED, "before")
    drained = node(farm, "w0")
    farm.ledger.drains.drain(drained, by="ann")
    before = begun(farm)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=120) == 0, "an idle worker stops at once"
    farm.workers.clear()
    farm.log.write_text("")
    farm.start_worker()
    farm.add_job(tasks=2)
    wait_for(lambda: "drained: takes no more tasks" in farm.words(), "it knows", story=farm.words)
    assert begun(farm) == before

    farm.ledger.drains.undrain(drained)
    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: 2}
    wait_for(lambda: "takes tasks again" in farm.words(), "it says so", story=farm.words)


def test_a_worker_tells_what_its_gpu_measures_and_how_long_it_runs(farm):
    farm.start_worker(**DRIVER, FAKE_GPUS="L40S")

    def told() -> Gauges:
        (worker,) = farm.ledger.workers() or [None]
        return worker.gauges if worker else Gauges()

    wait_for(lambda: told().power_w, "it measures", story=farm.words)
    assert told() == Gauges(
        temperature_c=61, power_w=231.5, memory_used_bytes=6 << 30, memory_total_bytes=48 << 30
    )
    (worker,) = farm.ledger.workers()
    assert worker.up_s > 0
    assert worker.info["hardware"] == "L40S"
