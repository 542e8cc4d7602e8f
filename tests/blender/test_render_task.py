"""One task, from its views to files and records."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from farm.dataset.records.read import newest, read_records
from farm.errors import OutOfFrameError, StaleAttempt, StorageError
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask, records_key, view_id
from farm.storage import FolderStorage
from farm.tallies.model import STAGES, DoneView
from tests.support.blender.shots import shoot, some_view, task_of
from worker.images.view_transform import Developer
from worker.render.task import render_task


class Lease:
    """Ours until `views` were confirmed."""

    def __init__(self, views: int = 1000) -> None:
        self.left = views
        self.done = 0
        self.told: list[DoneView] = []

    def confirm(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise StaleAttempt("somebody else holds the task")

    def view_done(self, done: DoneView) -> None:
        self.done += 1
        self.told.append(done)

    def secure(self) -> None:
        """It is ours."""

    def views_found(self, count: int) -> None:
        self.done += count


class FullStorage(FolderStorage):
    """A folder that takes so many pictures and no more."""

    room = 2

    def put(self, key: str, data: bytes) -> None:
        if key.endswith(".png"):
            self.room -= 1
            if self.room < 0:
                raise StorageError(f"{key}: no space left")
        super().put(key, data)


def records(storage: FolderStorage, task: RenderTask) -> list[ViewRecord]:
    found = newest(read_records(storage, task.dataset, print))
    ids = [view_id(task, view) for view in task.views]
    return [found[each].record for each in ids if each in found]


@pytest.fixture
def task(statue, sky) -> RenderTask:
    views = [
        some_view(index=index, yaw=30.0 * index, rotation=20.0 * index, strength=1.3, seed=index)
        for index in range(3)
    ]
    return task_of(statue, sky, *views, samples=1)


@pytest.fixture
def render(blender):
    """Render a task and return the lease that was used."""

    def run(task, storage, lease=None, attempt=1):
        lease = lease or Lease()
        render_task(
            task, session=blender, storage=storage, attempt=attempt, worker="here", lease=lease
        )
        return lease

    return run


def test_files_and_records_of_all_views_appear(blender, render, task, tmp_path):
    storage = FolderStorage(tmp_path)

    lease = render(task, storage)

    assert lease.done == 3
    written = records(storage, task)
    assert [record.view for record in written] == list(task.views)
    assert [record.view_id for record in written] == [view_id(task, view) for view in task.views]
    for record in written:
        assert set(record.files) == {"rgb", "mask"}
        for file in record.files.values():
            data = storage.get(f"vases/{file.path}")
            assert (hashlib.sha256(data).hexdigest(), len(data)) == (file.sha256, file.size_bytes)
        assert 0.05 < record.coverage < 0.9
        assert record.timings.sample_s <= record.timings.render_s
        assert record.device.startswith("cpu")
        assert record.versions["blender"].startswith("5.")
        assert (record.samples, record.denoiser, record.true_strength) == (1, None, False)
    assert written[0].timings.load_s > 0
    assert written[1].timings.load_s == 0
    assert not list(blender._scratch.folder.glob("*.exr"))
    assert [set(done.stages) for done in lease.told] == [set(STAGES)] * 3
    for record in written:
        spent = record.timings
        in_record = spent.load_s + spent.render_s + spent.read_s + spent.encode_s + spent.write_s
        assert any(sum(done.stages.values()) == pytest.approx(in_record) for done in lease.told)
    assert all(0 < done.stages["develop"] < 60 for done in lease.told)


def test_a_file_holds_the_developed_picture_of_its_view(blender, render, task, tmp_path):
    storage = FolderStorage(tmp_path)
    render(task, storage)
    view = task.views[1]

    passes, shot = shoot(blender, *task.assets, view, samples=1)

    expected = Developer(view_transform="AgX", bit_depth=8)(passes.picture(gain=shot.gain))
    with Image.open(io.BytesIO(storage.get(f"vases/images/{view.name}.png"))) as image:
        assert np.array_equal(np.asarray(image), expected)
    assert shot.gain == 1.3


def test_finished_views_are_not_rendered_again(render, task, tmp_path):
    storage = FolderStorage(tmp_path)
    render(task, storage)
    first = records(storage, task)
    storage.delete("vases/images/view_1.png")

    lease = render(task, storage, attempt=2)

    assert lease.done == 3
    assert [record.attempt for record in records(storage, task)] == [1, 2, 1]
    assert records(storage, task)[0] == first[0]


def test_another_sample_count_renders_all_views_again(render, task, tmp_path):
    storage = FolderStorage(tmp_path)
    render(task, storage)
    better = task.model_copy(update={"render": task.render.model_copy(update={"samples": 2})})

    render(better, storage, attempt=2)

    assert [record.samples for record in records(storage, better)] == [2, 2, 2]


def test_a_task_that_is_lost_stops_and_keeps_what_is_recorded(render, task, tmp_path, blender):
    storage = FolderStorage(tmp_path)

    with pytest.raises(StaleAttempt):
        render(task, storage, lease=Lease(views=2))

    assert len(records(storage, task)) <= 2
    assert not list(blender._scratch.folder.glob("*.exr"))
    render(task, storage, attempt=2)
    assert len(records(storage, task)) == 3


def test_a_failure_beside_the_renderer_surfaces_and_what_is_finished_stays(
    render, task, tmp_path, blender
):
    storage = FullStorage(tmp_path)

    with pytest.raises(StorageError, match="no space left"):
        render(task, storage)

    assert [record.view.index for record in records(storage, task)] == [0]
    assert not list(blender._scratch.folder.glob("*.exr"))


def test_a_damaged_line_of_the_records_is_one_view_to_redo(render, task, tmp_path):
    storage = FolderStorage(tmp_path)
    render(task, storage)
    lines = storage.get(records_key(task)).splitlines()
    storage.put(records_key(task), b"\n".join([lines[0], lines[1][:40], lines[2]]))

    render(task, storage, attempt=2)

    assert [record.attempt for record in records(storage, task)] == [1, 2, 1]


def test_a_recipe_that_a_worker_does_not_know_is_named(render, task, tmp_path):
    from farm.errors import SpecError

    with pytest.raises(SpecError, match="'origami' is unknown"):
        render(task.model_copy(update={"recipe": "origami"}), FolderStorage(tmp_path))


def fill_sheet(scene) -> None:
    """A sheet of paper that lies flat: from its edge there is nothing to see."""
    import bpy

    mesh = bpy.data.meshes.new("sheet")
    mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
    scene.collection.objects.link(bpy.data.objects.new("sheet", mesh))


def test_views_that_show_nothing_fail_by_name_and_the_others_stay(
    render, write_blend, sky, tmp_path
):
    sheet = write_blend(fill_sheet)
    views = [some_view(index=index, pitch=pitch) for index, pitch in enumerate((0.0, 40.0, 0.0))]
    task = task_of(sheet, sky, *views, samples=1)
    storage = FolderStorage(tmp_path)

    with pytest.raises(OutOfFrameError, match=r"model · sky, view_0, view_2: .*1 other view"):
        render(task, storage)

    assert [record.view.name for record in records(storage, task)] == ["view_1"]
    assert {key for key in storage.keys("vases") if key.endswith(".png")} == {
        "vases/images/view_1.png",
        "vases/masks/view_1.png",
    }


def test_views_that_show_nothing_count_where_that_is_allowed(render, write_blend, sky, tmp_path):
    task = task_of(write_blend(fill_sheet), sky, some_view(pitch=0.0), samples=1)
    task = task.model_copy(update={"allow_empty_masks": True})
    storage = FolderStorage(tmp_path)

    assert render(task, storage).done == 1
    assert records(storage, task)[0].coverage == 0.0
