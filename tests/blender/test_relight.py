"""The same views under several lights: pictures as alone, labels once."""

from __future__ import annotations

import numpy as np
import pytest

from farm import expand
from farm.dataset.additions import plan_additions
from farm.dataset.finish import finish_dataset
from farm.dataset.reader import open_in
from farm.dataset.records.collect import FinishedRun, RunFacts
from farm.dataset.records.read import read_file, seed_records
from farm.library.found_again import Finder
from farm.spec.job import JobSpec, make_job
from farm.spec.task import records_key
from farm.storage import FolderStorage
from tests.blender.test_render_task import Lease
from tests.support.blender.scenes import write_sky
from worker.render.task import render_task

PASSES = ("rgb", "mask", "depth", "normal", "cryptomatte", "foreground")
LABELS = {"mask", "depth", "normal", "cryptomatte"}


@pytest.fixture(scope="module")
def dusk(tmp_path_factory):
    pixels = np.full((32, 64, 3), 0.02, dtype=np.float32)
    pixels[12:20, 20:30] = (0.5, 4.0, 0.5)
    return write_sky(tmp_path_factory.mktemp("dusk") / "dusk.exr", pixels)


@pytest.fixture(params=[False, True], ids=["still", "turned"])
def turned(request):
    return request.param


@pytest.fixture
def task(statue, sky, dusk, turned):
    spec = JobSpec.model_validate(
        {
            "models": ["a.blend"],
            "hdrs": ["a.exr"],
            "passes": PASSES,
            "render": {"resolution": 64, "samples": 4},
            "recipe": {"relight": True, "yaw": 2, "pitch": 1, "relight_turns": 2 if turned else 1},
        }
    )
    return expand.render_task(make_job(spec, (statue, sky, dusk)), 0)


@pytest.fixture
def render(blender):
    def run(task, folder):
        storage, lease = FolderStorage(folder), Lease()
        render_task(task, session=blender, storage=storage, attempt=1, worker="h", lease=lease)
        found = read_file(storage, records_key(task), print)
        return {entry.record.view.name: entry.record for entry in found}, lease

    return run


def test_each_light_s_picture_is_as_it_would_be_alone_and_labels_are_one_file(
    render, task, statue, turned, tmp_path
):
    """Only that labels are those of the first light: where another one is turned, they would be
    rounded in other places."""
    folder = tmp_path / "all"

    records, lease = render(task, folder)

    assert lease.done == len(records) == (8 if turned else 4)
    first = {view.pose: view.light for view in reversed(task.views)}
    for view in task.views:
        record, dataset = records[view.name], folder / task.dataset
        assert [asset.id for asset in record.assets] == [statue.id, view.relit.hdr]
        assert record.title == " · ".join(asset.title for asset in record.assets)
        for sibling in record.siblings:
            for name in PASSES:
                paths = [dataset / each.files[name].path for each in (record, records[sibling])]
                assert paths[0].samefile(paths[1]) == (name in LABELS)
        alone = task.model_copy(
            update={"assets": record.assets, "views": (view,), "dataset": "alone"}
        )
        [single] = render(alone, tmp_path / view.name)[0].values()
        same = PASSES if view.light == first[view.pose] else ("rgb", "mask", "foreground")
        for name in same:
            assert single.files[name].sha256 == record.files[name].sha256, name
        assert single.view_id == record.view_id
        assert single.objects == record.objects or view.light != first[view.pose]


def test_views_that_share_labels_get_more_of_them_later(render, blender, task, tmp_path):
    render(task, tmp_path)
    storage = FolderStorage(tmp_path)
    facts = RunFacts(name="ds", spec={}, tasks=1, seconds=1.0)
    finish_dataset(storage, task.dataset, FinishedRun(facts, lambda _task: True, print))

    plan = plan_additions(open_in(storage), ("index",), finder=Finder())
    for more, records in zip(plan.tasks, plan.records, strict=True):
        seed_records(storage, more, [each.model_dump_json().encode() for each in records])
        added, _ = render(more, tmp_path)
        assert all("index" in record.files for record in added.values())

    assert {each.adds.proof for each in plan.tasks} == {("mask",)}
    assert plan.missing == len(task.views)


def test_what_is_missing_is_made_from_what_a_sibling_has(render, task, tmp_path):
    records, _ = render(task, tmp_path)
    first, other = task.views[0].name, records[task.views[0].name].siblings[0]
    (tmp_path / task.dataset / records[first].files["rgb"].path).unlink()
    (tmp_path / task.dataset / records[first].files["depth"].path).unlink()

    again, lease = render(task, tmp_path)

    assert lease.done == len(task.views)
    assert again[first].files == records[first].files
    depths = [tmp_path / task.dataset / again[name].files["depth"].path for name in (first, other)]
    assert depths[0].samefile(depths[1])
