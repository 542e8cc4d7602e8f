"""Tasks that wait for tasks, on a whole farm: makers and frames on several workers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import psutil
import pytest

from farm import products
from farm.dataset.records.resume import find_finished
from farm.expand import recipe
from farm.ledger import JobState, TaskState
from farm.local.job.run import render_job
from farm.spec.recipes.sod import SodGrid
from farm.storage import FolderStorage
from tests.builders import a_job
from tests.support.baking import BakingExpansion
from tests.support.farms import two_steps
from tests.support.farms.two_steps import MAKERS, TASKS, VIEWS, product_of
from tests.support.farms.whole_farm import Farm, kill
from tests.support.waiting import wait_for

RENDERER = "tests.support.farms.two_steps:open_two_steps"


@pytest.fixture
def farm(redis_url, tmp_path) -> Iterator[Farm]:
    steps = {"task_of": two_steps.task_of, "steps_of": lambda job_id: two_steps.waits_for}
    with Farm(redis_url, tmp_path, **steps) as farm:
        farm.start_worker = partial(farm.start_worker, FARM_RENDERER=RENDERER)
        yield farm


def add_job(farm: Farm, job_id: str = "job") -> None:
    farm.ledger.add_job(job_id, tasks=TASKS, views=(TASKS - MAKERS) * VIEWS)


def times_made(farm: Farm, maker: int) -> int:
    return len((farm.storage / "made" / str(maker)).read_text().splitlines())


def shown(farm: Farm, job_id: str = "job") -> dict[str, str]:
    return {path.name: path.read_text() for path in (farm.storage / job_id).glob("*.txt")}


def all_are_shown(farm: Farm, job_id: str = "job") -> bool:
    wanted = {
        f"{view.name}.txt": f"words of {index % MAKERS}"
        for index in range(MAKERS, TASKS)
        for view in two_steps.task_of(job_id, index).views
    }
    return shown(farm, job_id) == wanted


def test_frames_show_what_was_made_once(farm):
    for _ in range(2):
        farm.start_worker()
    add_job(farm)

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}
    assert all_are_shown(farm)
    assert [times_made(farm, maker) for maker in range(MAKERS)] == [1, 1]
    assert farm.ledger.failures("job") == []
    assert farm.ledger.job("job").views_done == (TASKS - MAKERS) * VIEWS


def test_frames_of_others_go_on_while_one_is_made(farm):
    farm.tell("hold-make-0")
    for _ in range(2):
        farm.start_worker()
    add_job(farm)
    frames = len(range(MAKERS + 1, TASKS, MAKERS))
    wait_for(lambda: len(shown(farm)) == frames * VIEWS, "the frames of the other maker")
    assert farm.ledger.job("job").counts[TaskState.PENDING] == TASKS - MAKERS - frames
    farm.free("hold-make-0")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}


@pytest.mark.parametrize("victim", ["worker", "renderer"])
def test_a_maker_that_is_killed_midway_leaves_nothing_half_made(farm, victim):
    farm.tell("hold-make-0")
    first = farm.start_worker()
    add_job(farm)
    child = farm.wait_started(0)
    wait_for(lambda: (farm.storage / "made" / "0").exists(), "it is halfway")
    kill(first.pid if victim == "worker" else child)
    farm.start_worker()
    farm.wait_started(0, attempt=2)
    assert not products.is_whole(FolderStorage(farm.storage), product_of(0))
    farm.free("hold-make-0")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}
    assert all_are_shown(farm)
    assert times_made(farm, 0) == 2


def test_a_maker_that_fails_for_good_ends_those_that_wait_and_a_retry_brings_all_back(farm):
    farm.tell("fail-1")
    farm.start_worker()
    add_job(farm)

    waiting = len(range(MAKERS + 1, TASKS, MAKERS))
    assert farm.wait_state(JobState.COMPLETED) == {
        TaskState.DONE: TASKS - 1 - waiting,
        TaskState.FAILED: 1 + waiting,
    }
    told = {story.index: story.attempts[-1].sentence for story in farm.ledger.failures("job")}
    assert told[3] == ("task 1, which it waits for, failed: vase.blend: there is nothing to render")
    farm.free("fail-1")
    farm.ledger.retry("job")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}
    assert all_are_shown(farm)


@pytest.mark.parametrize("harm", ["gone", "damaged", "cut"])
def test_a_product_that_is_not_as_it_was_made_is_made_again(farm, harm):
    farm.tell("hold-2")
    farm.start_worker()
    add_job(farm)
    farm.wait_started(2)
    storage = FolderStorage(farm.storage)
    manifest = products.read_manifest(storage, product_of(0))
    blob = f"{product_of(0)}/{manifest.files[0].sha256}"
    if harm == "gone":
        products.remove(storage, product_of(0))
    else:
        data = storage.get(blob)
        storage.put(blob, data[:-1] if harm == "cut" else bytes(reversed(data)))
    farm.free("hold-2")

    assert farm.wait_state(JobState.COMPLETED) == {TaskState.DONE: TASKS}
    assert all_are_shown(farm)
    assert times_made(farm, 0) == 2
    assert times_made(farm, 1) == 1


def test_another_job_takes_what_is_made(farm):
    farm.start_worker()
    add_job(farm)
    farm.wait_state(JobState.COMPLETED)
    add_job(farm, "other")

    farm.wait_state(JobState.COMPLETED, "other")
    assert all_are_shown(farm, "other")
    assert [times_made(farm, maker) for maker in range(MAKERS)] == [1, 1]


def test_a_frozen_maker_that_wakes_late_does_no_harm(farm):
    farm.tell("hold-make-0")
    frozen = farm.start_worker()
    add_job(farm)
    child = farm.wait_started(0)
    wait_for(lambda: (farm.storage / "made" / "0").exists(), "it is halfway")
    family = [psutil.Process(frozen.pid), psutil.Process(child)]
    for process in family:
        process.suspend()
    farm.start_worker()
    farm.wait_started(0, attempt=2)
    farm.free("hold-make-0")
    farm.wait_state(JobState.COMPLETED)
    manifest = products.read_manifest(FolderStorage(farm.storage), product_of(0))
    for process in family:
        process.resume()
    wait_for(lambda: "task given up job=job index=0 attempt=1" in farm.words(), "it noticed")

    assert products.read_manifest(FolderStorage(farm.storage), product_of(0)) == manifest
    assert products.is_sound(FolderStorage(farm.storage), product_of(0))
    assert all_are_shown(farm)


def test_a_run_on_one_machine_makes_what_is_needed_and_leaves_the_pictures(tmp_path, monkeypatch):
    expansion = BakingExpansion()
    monkeypatch.setattr(recipe, "expansion_of", lambda name: expansion)
    monkeypatch.setenv("FARM_RENDERER", RENDERER)
    job = a_job(models=2, recipe=SodGrid(yaw=3, pitch=1), views_per_task=2)
    storage, told = FolderStorage(tmp_path / "output"), []

    def run():
        return render_job(
            job,
            storage=storage,
            finished=find_finished(job, storage, told.append),
            devices=["cpu"],
            report=lambda status: None,
            note=told.append,
            stop=threading.Event(),
        )

    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "fail-1").touch()
    first = run()
    assert (first.views, first.views_there) == (6, 3)
    assert {failure.tasks for failure in first.failures} == {1, 2}
    assert any("task 1, which it waits for, failed" in each.sentence for each in first.failures)
    assert list(storage.keys(products.FOLDER)), "the next run may need it"

    (tmp_path / "output" / "fail-1").unlink()
    second = run()
    assert (second.views_there, second.rendered, second.failures) == (6, 3, [])
    assert not (tmp_path / "output" / products.FOLDER).exists()
    assert [(tmp_path / "output" / "made" / name).read_text().count("\n") for name in "01"] == [
        1,
        1,
    ]

    assert run().rendered == 0
    assert find_finished(job, storage, told.append).tasks == list(range(6))
