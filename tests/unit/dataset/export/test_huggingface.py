"""`datasets` reads the Parquet files that are exported for it, offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import farm.dataset
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from farm.spec.passes import VIEW_PASSES
from tests.support.datasets import write_dataset
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.pictures import half_covered, run


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return lambda *args, **options: datasets.load_dataset(
        *args, cache_dir=str(tmp_path / "cache"), **options
    )


def test_pictures_arrays_and_boxes_come_back(tmp_path: Path, load):
    from datasets import ClassLabel, Image

    passes = ("rgb", "mask", "depth", "normal", "index")
    write_dataset(tmp_path / "d", views=5, models=2, bit_depth=16, picture_format="jxl",
                  passes=passes)  # fmt: skip
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "huggingface", shard_views=2)

    shards = sorted((tmp_path / "out/data").glob("*.parquet"))
    assert len(shards) == 3
    loaded = load("parquet", data_files=[str(shard) for shard in shards], split="train")
    assert isinstance(loaded.features["rgb"], Image)
    assert isinstance(loaded.features["objects"].feature["class"], ClassLabel)
    for at, (view, row) in enumerate(zip(dataset, loaded, strict=True)):
        assert row["view"] == view.name
        assert row["rgb"].mode == "RGB"
        np.testing.assert_allclose(np.asarray(row["rgb"]), view["rgb"] / 257, atol=0.51)
        np.testing.assert_array_equal(np.asarray(row["index"]), view["index"])
        np.testing.assert_array_equal(np.array(row["depth"], dtype=np.float32), view["depth"])
        np.testing.assert_array_equal(np.array(row["normal"], dtype=np.float32), view["normal"])
        camera = view.record.camera
        np.testing.assert_array_equal(row["world_from_camera"], camera.world_from_camera)
        assert row["intrinsics"] == [camera.fx_px, camera.fy_px, camera.cx_px, camera.cy_px]
        assert row["metres_per_unit"] == view.record.metres_per_unit
        (thing,) = row["objects"]
        names = loaded.features["objects"].feature["class"].names
        assert names[thing["class"]] == view.record.objects[0].category
        assert thing["area"] == half_covered(dataset, at).sum()
        assert [asset["licence"] for asset in row["assets"]] == ["cc0", None]


def test_the_folder_alone_says_which_split_is_where(tmp_path: Path, load):
    write_dataset(tmp_path / "d", views=12, models=6, passes=("rgb", "mask"))
    shares = {"train": 0.5, "val": 0.25, "test": 0.25}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="model", seed=0)

    summary = run(tmp_path / "d", tmp_path / "out", "huggingface")

    loaded = load(str(tmp_path / "out"))
    assert {name: len(rows) for name, rows in loaded.items()} == summary.splits
    assert set(loaded) == {"train", "val", "test"}
    assert "license: other" in (tmp_path / "out/README.md").read_text()  # the HDRI's is not known
    for name, rows in loaded.items():
        wanted = farm.dataset.open(tmp_path / "d", split=name)
        assert [row["view"] for row in rows] == [view.name for view in wanted]


def of_one_view(place: Path) -> None:
    write_dataset(place, views=2, passes=[name for name in VIEW_PASSES if name != "cryptomatte"])


def of_sequences(place: Path) -> None:
    write_sequences(place, sequences=1, frames=2, size=(64, 48))


@pytest.mark.parametrize("write", [of_one_view, of_sequences])
def test_the_card_explains_each_column(tmp_path: Path, load, write):
    write(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "huggingface")

    card = (tmp_path / "out/README.md").read_text()
    rows = [line.split(" | ") for line in card.splitlines() if line.startswith("| `")]
    explained = {row[0].strip("| `"): row for row in rows}
    loaded = load(str(tmp_path / "out"), split="train")
    assert set(explained) == set(loaded.features)
    assert all(len(row) == 3 and row[1] and len(row[2]) > 5 for row in rows)
    assert explained["depth"][1] == "48 x 64 float32"
    assert "| train | 2 |" in card


def test_a_split_that_readers_cannot_name_is_refused(tmp_path: Path):
    write_dataset(tmp_path / "d", views=2, passes=("rgb", "mask"))
    shares = {"train": 0.5, "train-2": 0.5}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="view", seed=0)

    with pytest.raises(SpecError, match="'train-2': huggingface allows only letters"):
        run(tmp_path / "d", tmp_path / "out", "huggingface")


def test_arrays_of_several_sizes_are_refused_in_a_sentence(tmp_path: Path):
    write_dataset(tmp_path / "d/one", views=1, passes=("rgb", "mask", "depth"))
    write_dataset(tmp_path / "d/two", views=1, passes=("rgb", "mask", "depth"), size=(32, 32))

    with pytest.raises(SpecError, match="views differ: choose pictures with --passes rgb,mask"):
        run(tmp_path / "d", tmp_path / "out", "huggingface")
    run(tmp_path / "d", tmp_path / "out", "huggingface", passes=("rgb", "mask"))
