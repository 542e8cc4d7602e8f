"""Views in shards: the same files as by themselves, written when a task ends or a shard is full."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm.dataset.records.read import newest, read_records
from farm.errors import Interrupted, RenderError
from farm.spec.task import RenderTask, records_key, view_id
from farm.storage import FolderStorage
from tests.blender.test_render_task import Lease
from tests.support.blender.shots import some_view, task_of
from tests.support.shards import SUFFIXES
from worker.render.task import render_task
from worker.render.writers import packed


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


def packed_as(task: RenderTask, pack: str) -> RenderTask:
    return task.model_copy(update={"render": task.render.model_copy(update={"pack": pack})})


@pytest.fixture(params=SUFFIXES)
def packed_task(task, request) -> RenderTask:
    return packed_as(task, request.param)


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
    shard = f"vases/shards/{task.task_id}-1-0.{SUFFIXES[packed_task.render.pack]}"
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
def test_a_shard_is_read_as_webdataset_reads_it(render, task, tmp_path):
    import webdataset

    storage, packed_task = FolderStorage(tmp_path), packed_as(task, "webdataset")
    render(packed_task, storage)

    [path] = tmp_path.glob("vases/shards/*.tar")
    samples = list(webdataset.WebDataset(str(path), shardshuffle=False).decode("rgb8"))
    assert [sample["__key__"] for sample in samples] == [view.name for view in packed_task.views]
    for sample, record in zip(samples, of_views(storage, packed_task), strict=True):
        assert sample["json"]["view_id"] == record.view_id
        assert sample["rgb.png"].shape == (*record.resolution_px[::-1], 3)
        assert sample["rgb.png"].dtype == np.uint8
        assert {"mask.png", "depth.exr", "depth.preview.png"} <= set(sample)


@pytest.mark.parametrize("picture", ["png", "jxl"])
def test_a_shard_is_read_as_hugging_face_reads_it(render, task, tmp_path, picture):
    """As it is, by its own word on what its columns are; without decoding, every byte is there."""
    from datasets import Image, load_dataset

    storage, packed_task = FolderStorage(tmp_path / "ds"), packed_as(task, "parquet")
    settings = {"format": picture, "previews": picture == "png"}
    packed_task = packed_task.model_copy(
        update={"render": packed_task.render.model_copy(update=settings)}
    )
    render(packed_task, storage)

    [path] = tmp_path.glob("ds/vases/shards/*.parquet")
    read = load_dataset(
        "parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    is_picture = picture == "png"
    assert isinstance(read.features["rgb"], Image) == is_picture
    assert [row["view"] for row in read] == [view.name for view in packed_task.views]
    for row, record in zip(read, of_views(storage, packed_task), strict=True):
        assert json.loads(row["record"]) == json.loads(
            record.model_copy(update={"shard": None}).model_dump_json()
        )
        assert row["depth"] == storage.get(f"vases/{record.files['depth'].path}")
        assert (row["view_id"], row["title"]) == (record.view_id, record.title)
        assert (row["model"], row["hdr"]) == tuple(asset.name for asset in record.assets)
        assert np.array_equal(row["world_from_camera"], record.camera.world_from_camera)
        assert row["intrinsics"][2:] == [record.camera.cx_px, record.camera.cy_px]
        if is_picture:
            assert row["rgb"].size == row["mask"].size == record.resolution_px
            assert row["depth_preview"].mode in ("L", "RGB")
        else:
            assert row["rgb"] == storage.get(f"vases/{record.files['rgb'].path}")
            assert "depth_preview" not in row


def test_places_in_a_parquet_file_are_not_told_unless_the_bytes_are_there(
    render, task, tmp_path, monkeypatch
):
    """As by a version of its library that compresses whatever it is asked."""
    from worker.render.writers import parquet_pack

    write = pq.write_table

    def compress(table: pa.Table, where: Path, **how) -> None:
        write(table, where, **how | {"compression": "ZSTD"})

    monkeypatch.setattr(parquet_pack.pq, "write_table", compress)
    storage = FolderStorage(tmp_path)
    with pytest.raises(RenderError, match=r"pyarrow .* does not keep files in one piece; install"):
        render(packed_as(task, "parquet"), storage)

    assert list(storage.keys("vases")) == []


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
    suffix = SUFFIXES[packed_task.render.pack]
    assert shards == [f"{packed_task.task_id}-1-{number}.{suffix}" for number in range(2)]


def test_a_large_shard_is_written_before_the_task_ends(render, packed_task, tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "SHARD_BYTES", 1)
    storage = FolderStorage(tmp_path)
    render(packed_task, storage)

    assert len(list(storage.keys("vases/shards"))) == 3
    for record in of_views(storage, packed_task):
        shard = io.BytesIO(storage.get(f"vases/{record.shard.path}"))
        if record.shard.path.endswith(".tar"):
            with tarfile.open(fileobj=shard) as tar:
                names = {name.partition(".")[0] for name in tar.getnames()}
        else:
            names = set(pq.read_table(shard, columns=["view"])["view"].to_pylist())
        assert names == {record.view.name}
