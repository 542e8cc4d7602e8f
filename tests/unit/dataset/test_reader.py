"""`farm.dataset.open` gives the views of a dataset, and their passes as they were rendered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from imagecodecs import png_encode

import farm.dataset
from farm.dataset.images import DecodeError
from farm.dataset.reader import DatasetError
from farm.spec.passes import pass_path
from tests.builders import a_record, a_view
from tests.support.datasets import write_dataset


def write(folder: Path, *names: str) -> np.ndarray:
    """Write a dataset of views with a mask and a depth each; return the depth."""
    depth = np.linspace(1, 2, 48, dtype=np.float32).reshape(6, 8)
    depth[0, 0] = np.inf
    mask = png_encode(np.full((6, 8), 255, dtype=np.uint8))
    exr = folder / "depth.exr"
    folder.mkdir(parents=True)
    OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION}, {"Y": depth}).write(str(exr))
    data = exr.read_bytes()
    lines = []
    for number, name in enumerate(names):
        record = a_record(a_view(number, name=name), files={"mask": mask, "depth": data})
        paths = {of: pass_path(of, name, picture_format="png") for of in record.files}
        files = {of: f.model_copy(update={"path": paths[of]}) for of, f in record.files.items()}
        lines.append(record.model_copy(update={"files": files}).model_dump_json())
        for of, path in paths.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(mask if of == "mask" else data)
    (folder / "views.jsonl").write_text("\n".join(lines) + "\n")
    return depth


def test_views_come_in_order_with_their_passes(tmp_path: Path):
    depth = write(tmp_path / "d", "a", "b", "c")

    data = farm.dataset.open(tmp_path / "d")

    assert [view.name for view in data] == ["a", "b", "c"]
    assert [data[at].name for at in (0, 2, -2)] == ["a", "c", "b"]
    assert [view.name for view in data[1:]] == ["b", "c"]
    assert data[1].passes == ("mask", "depth")
    assert data[1]["mask"].dtype == np.uint8
    np.testing.assert_array_equal(data[1]["depth"], depth)
    with pytest.raises(IndexError):
        data[3]
    with pytest.raises(KeyError, match="no pass 'uv'; it has mask, depth"):
        data[0]["uv"]


def test_a_folder_of_datasets_reads_as_one(tmp_path: Path):
    write(tmp_path / "one", "a", "b")
    write(tmp_path / "two", "a")

    data = farm.dataset.open(tmp_path)

    assert len(data) == 3
    assert [view.key for view in data] == ["one/a", "one/b", "two/a"]
    assert data[2].key == "two/a"
    assert data[2]["mask"].shape == (6, 8)


def test_what_is_not_there_or_broken_is_named(tmp_path: Path):
    write(tmp_path / "d", "a", "b")
    (tmp_path / "d/depth/a.exr").write_bytes(b"not an exr")
    (tmp_path / "d/depth/b.exr").unlink()

    data = farm.dataset.open(tmp_path / "d")

    with pytest.raises(DecodeError, match=r"a\.exr: cannot be decoded"):
        data[0]["depth"]
    with pytest.raises(DatasetError, match=r"b\.exr: the file is gone"):
        data[1]["depth"]
    with pytest.raises(DatasetError, match="is not a dataset"):
        farm.dataset.open(tmp_path / "elsewhere")


def test_a_bit_tells_where_a_pass_of_the_material_has_a_meaning(tmp_path: Path):
    write_dataset(tmp_path / "d", views=1)
    view = farm.dataset.open(tmp_path / "d")[0]

    assert np.array_equal(view.meaningful("roughness"), view["index"] > 0)
    with pytest.raises(KeyError):
        view.meaningful("depth")
