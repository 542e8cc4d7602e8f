"""Of many views an even part is counted; what is asked for, by all tasks or by some."""

from __future__ import annotations

import logging
import threading

import pytest

from farm import expand
from farm.api.datasets import asked, coverage
from farm.api.datasets.asked import asked_of
from farm.api.datasets.coverage import Coverages, spread_records
from farm.ledger import JobStatus
from farm.spec.recipes.sod import SodAugmented, SodGrid
from farm.storage import FolderStorage
from tests.builders import a_job, a_record, a_view


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


def lines(indices):
    return "".join(a_record(a_view(index)).model_dump_json() + "\n" for index in indices).encode()


def indices(records):
    return [record.view.index for record in records]


def test_few_views_are_all_counted(storage):
    storage.put("cups/views.jsonl", lines(range(20)))

    assert indices(spread_records(storage, "cups", 20)) == list(range(20))


def test_of_many_views_some_of_every_part_are_counted(storage, monkeypatch, caplog):
    monkeypatch.setattr(coverage, "SPOTS", 5)
    storage.put("cups/views.jsonl", lines(range(400)))

    with caplog.at_level(logging.WARNING):
        found = indices(spread_records(storage, "cups", 20))

    assert len(found) == len(set(found)) == 20
    assert {index // 80 for index in found} == {0, 1, 2, 3, 4}
    assert caplog.records == [], "half a line is no damage"


def test_of_many_running_tasks_some_are_counted(storage, monkeypatch):
    monkeypatch.setattr(coverage, "SPOTS", 5)
    for task in range(50):
        storage.put(f"cups/.records/cup-{task:04d}.jsonl", lines(range(2 * task, 2 * task + 2)))

    found = indices(spread_records(storage, "cups", 20))
    assert min(found) == 0
    assert max(found) > 75


def test_few_views_are_all_counted_however_slow_the_farm_is(storage, monkeypatch):
    job = a_job(recipe=SodGrid(yaw=4, pitch=5))
    [dataset] = expand.datasets(job)
    storage.put(f"{dataset}/views.jsonl", lines(range(20)))

    def counted():
        coverages = Coverages(clock=iter(range(0, 10**6, 100)).__next__)
        return coverages.of(storage, job, a_status(views_done=20)).looked_at

    assert counted() == 20
    monkeypatch.setattr(coverage, "FEW", 5)
    assert counted() == 5


def test_a_page_gets_the_last_count_while_another_one_is_under_way(storage):
    job = a_job(recipe=SodGrid(yaw=2, pitch=1))
    coverages = Coverages(clock=iter(range(0, 10**6, 100)).__next__)
    first = coverages.of(storage, job, a_status(views_done=0))

    coverages._lock.acquire()  # somebody counts
    told = []
    asking = threading.Thread(
        target=lambda: told.append(coverages.of(storage, job, a_status(views_done=1)))
    )
    asking.start()
    asking.join(timeout=120)
    coverages._lock.release()
    assert told == [first]


def a_status(*, views_done):
    return JobStatus.model_construct(views_done=views_done)


def test_all_that_a_small_job_asks_for_is_counted():
    job = a_job(models=2, hdrs=3, recipe=SodGrid(yaw=4, pitch=2))
    told = asked_of(job)

    assert (told.views, told.exact, told.categories) == (48, True, {"object": 48})
    assert {(each.role, each.views) for each in told.assets} == {("models", 24), ("hdrs", 16)}
    filled = {(row, at) for row, cells in enumerate(told.dome) for at, n in enumerate(cells) if n}
    sides = {
        (camera.pitch_deg, camera.yaw_deg)
        for task in expand.expand(job)
        for camera in (view.camera for view in task.views)
    }
    assert filled == {(int(pitch // 10), int(yaw // 10)) for pitch, yaw in sides}


def test_a_model_that_is_turned_is_asked_for_from_its_own_sides():
    job = a_job(recipe=SodGrid(yaw=1, pitch=1, front="-y"))

    assert asked_of(job).dome[0][18] == 1, "the camera at yaw 0 sees its -y side"


def test_of_a_large_job_a_part_of_the_tasks_is_scaled(monkeypatch):
    monkeypatch.setattr(asked, "LOOKED_AT", 40)
    job = a_job(models=10, hdrs=10, recipe=SodAugmented(pitch=10, yaw_per_pitch=4))
    told = asked_of(job)

    assert (told.views, told.exact) == (4000, False)
    assert sum(map(sum, told.dome)) == pytest.approx(4000, rel=0.2)
    assert sum(each.views for each in told.assets if each.role == "models") == pytest.approx(
        4000, rel=0.02
    )
