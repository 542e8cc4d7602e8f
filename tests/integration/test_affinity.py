"""Tasks of one scene go to the worker that has it loaded: real workers, a stand-in renders."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from farm.ledger import JobState, TaskState
from farm.queue import inbox_of
from tests.support.farms import warm_scenes
from tests.support.farms.warm_scenes import SCENES
from tests.support.farms.whole_farm import Farm, kill
from tests.support.waiting import wait_for

TASKS = 8 * SCENES


@pytest.fixture
def farm(redis_url, tmp_path) -> Iterator[Farm]:
    ways = {"task_of": warm_scenes.task_of, "affinity_of": lambda job_id: warm_scenes.affinity}
    with Farm(redis_url, tmp_path, **ways) as farm:
        renderer = "tests.support.farms.warm_scenes:open_warm_scenes"
        farm.start_worker = partial(farm.start_worker, FARM_RENDERER=renderer)
        yield farm


def loads(farm: Farm) -> list[str]:
    return (farm.storage / "loads").read_text().splitlines()


def start_workers(farm: Farm, count: int = 2) -> None:
    for _ in range(count):
        farm.start_worker()
    wait_for(lambda: len(farm.ledger.workers()) == count, "all workers", story=farm.words)


def in_hand(farm: Farm) -> list[int]:
    """Return the tasks that are held by a hold still, those first that were begun first."""
    running = sorted(farm.ledger.running("job"), key=lambda task: task.since_s)
    indices = [task.ticket.index for task in running]
    return [index for index in indices if (farm.storage / f"hold-{index}").exists()]


def test_two_workers_load_three_scenes_hardly_oftener_than_once(farm):
    """The tasks come by turns: without a preference some 16 of the 24 would load one.

    Each waits until both workers have one: a worker that is much slower would be helped out.
    """
    start_workers(farm)
    farm.tell(*(f"hold-{index}" for index in range(TASKS)))
    farm.add_job(tasks=TASKS)
    for done in range(TASKS):
        at_once = min(2, TASKS - done)
        wait_for(lambda many=at_once: len(in_hand(farm)) == many, "all have one", story=farm.words)
        farm.free(f"hold-{in_hand(farm)[0]}")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}
    assert set(loads(farm)) == {f"scene {n}" for n in range(SCENES)}
    assert len(loads(farm)) <= SCENES + 2
    assert farm.ledger.failures("job") == []
    assert farm.ledger.job("job").dropped == 0


def test_what_lies_before_a_worker_that_is_killed_is_done_by_another(farm):
    start_workers(farm)
    farm.tell("hold-0")
    farm.add_job(tasks=TASKS)
    farm.wait_started(0)
    others = TASKS // SCENES * (SCENES - 1)
    wait_for(lambda: farm.ledger.job("job").counts[TaskState.DONE] >= others, "the other scenes")
    (holder,) = [task.worker for task in farm.ledger.running("job") if task.ticket.index == 0]
    victim = next(each for each in farm.workers if each.pid == pid_of(farm, holder))
    kill(victim.pid)
    farm.free("hold-0")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}


def pid_of(farm: Farm, worker: str) -> int:
    return next(int(each.info["pid"]) for each in farm.ledger.workers() if each.worker == worker)


def test_a_worker_that_is_told_to_stop_leaves_its_inbox_to_others(farm):
    start_workers(farm, 1)
    farm.tell("hold-0")
    farm.add_job(tasks=TASKS)
    farm.wait_started(0)
    inbox = inbox_of(farm.ledger.workers()[0].worker)
    wait_for(lambda: farm.queue.length(inbox) > 0, "its next task lies before it")
    farm.start_worker()
    farm.workers[0].terminate()
    farm.free("hold-0")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}
    assert farm.ledger.failures("job") == []


def test_an_inbox_that_somebody_has_broken_is_moved_aside(farm):
    start_workers(farm, 1)
    farm.add_job(tasks=SCENES)
    farm.wait_state(JobState.COMPLETED)
    inbox = inbox_of(farm.ledger.workers()[0].worker)
    farm.ledger.store.client.set(f"farm:{inbox}", "not a list")
    farm.add_job(tasks=SCENES, job_id="other")

    assert farm.wait_state(JobState.COMPLETED, "other") == {TaskState.DONE: SCENES}
    assert any("inbox" in name for name in farm.ledger.aside().names)
