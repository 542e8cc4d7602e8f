"""Views in shards: the same files as by themselves, written when a task ends or a shard is full."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest

from farm.dataset.records.read import newest, read_records
from farm.errors import Interrupted
from farm.spec.task import RenderTask, records_key, view_id
from farm.storage import FolderStorage
from tests.blender.test_render_task import Lease
from tests.support.blender.shots import some_view, task_of
from worker.render import packed
from worker.render.task import render_task


class Hurried(Lease):
    """A lease that is not to continue here after some views."""

    def confirm(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Interrupted("the worker stops")


@pytest.fixture
def task(statue, sky) -> RenderTask:
    views = [some_view(index=index, yaw=30.0 * index, seed=index) for index in range(3)]
    task = task_of(statue, sky, *views, samples=1)
    return task.model_copy(update={"passes": ("rgb", "mask", "depth")})


@pytest.fixture
def packed_task(task) -> RenderTask:
    return task.model_copy(update={"render": task.render.model_copy(update={"pack": "webdataset"})})


@pytest.fixture
def render(blender):
    def run(task, storage, lease=None, attempt=1):
        lease = lease or Lease()
        render_task(
            task, session=blender, storage=storage, attempt=attempt, worker="here", lease=lease
        )
        return lease

    return run


def of_views(storage, task):
    found = newest(read_records(storage, task.dataset, print))
    return [
        found[view_id(task, view)].record for view in task.views if view_id(task, view) in found
    ]


def test_files_in_a_shard_are_those_that_would_lie_by_themselves(
    render, task, packed_task, tmp_path
):
    alone, together = FolderStorage(tmp_path / "alone"), FolderStorage(tmp_path / "together")
    render(task, alone)
    lease = render(packed_task, together)

    assert lease.done == 3
    shard = f"vases/shards/{task.task_id}-1-0.tar"
    assert list(together.keys("vases")) == [records_key(task), shard]
    for one, other in zip(of_views(alone, task), of_views(together, packed_task), strict=True):
        assert one.view_id == other.view_id
        assert other.shard.path == shard.removeprefix("vases/")
        assert other.shard.size_bytes == together.size(shard)
        for name in ("rgb", "mask", "depth"):
            assert one.files[name].sha256 == other.files[name].sha256
            data = together.get(f"vases/{other.files[name].path}")
            assert data == alone.get(f"vases/{one.files[name].path}")
        assert together.get(f"vases/{other.previews['depth'].path}").startswith(b"\x89PNG")


# webdataset leaves files open.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_shard_is_read_as_webdataset_reads_it(render, packed_task, tmp_path):
    import webdataset

    storage = FolderStorage(tmp_path)
    render(packed_task, storage)

    [path] = tmp_path.glob("vases/shards/*.tar")
    samples = list(webdataset.WebDataset(str(path), shardshuffle=False).decode("rgb8"))
    assert [sample["__key__"] for sample in samples] == [view.name for view in packed_task.views]
    for sample, record in zip(samples, of_views(storage, packed_task), strict=True):
        assert sample["json"]["view_id"] == record.view_id
        assert sample["rgb.png"].shape == (*record.resolution_px[::-1], 3)
        assert sample["rgb.png"].dtype == np.uint8
        assert {"mask.png", "depth.exr", "depth.preview.png"} <= set(sample)


def test_what_is_finished_is_kept_when_the_worker_stops(render, packed_task, tmp_path):
    storage = FolderStorage(tmp_path)
    with pytest.raises(Interrupted):
        render(packed_task, storage, Hurried(views=2))
    assert len(of_views(storage, packed_task)) == 2

    lease = render(packed_task, storage)  # as a first attempt of another run

    assert lease.done == 3
    assert all(
        storage.size(f"vases/{file.path}") == file.size_bytes
        for record in of_views(storage, packed_task)
        for file in record.files.values()
    )
    shards = [key.rpartition("/")[2] for key in storage.keys("vases/shards")]
    assert shards == [f"{packed_task.task_id}-1-{number}.tar" for number in range(2)]


def test_a_large_shard_is_written_before_the_task_ends(render, packed_task, tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "SHARD_BYTES", 1)
    storage = FolderStorage(tmp_path)
    render(packed_task, storage)

    assert len(list(storage.keys("vases/shards"))) == 3
    for record in of_views(storage, packed_task):
        with tarfile.open(fileobj=io.BytesIO(storage.get(f"vases/{record.shard.path}"))) as tar:
            assert {name.partition(".")[0] for name in tar.getnames()} == {record.view.name}
