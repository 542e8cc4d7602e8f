"""webdataset reads the shards that are exported for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import webdataset

import farm.dataset
from tests.support.datasets import write_dataset
from tests.unit.dataset.export.pictures import files_of, run

# webdataset leaves files open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def read(*shards: Path) -> list[dict]:
    found = webdataset.WebDataset([str(shard) for shard in shards], shardshuffle=False)
    return list(found.decode("pil"))


def test_samples_hold_what_the_views_hold(tmp_path: Path):
    write_dataset(tmp_path / "d", views=5, bit_depth=16, picture_format="jxl",
                  passes=("rgb", "mask", "depth", "normal", "index"))  # fmt: skip
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "webdataset", shard_views=2)

    shards = sorted((tmp_path / "out").glob("*.tar"))
    assert [shard.name for shard in shards] == [f"train-{at:06d}.tar" for at in range(3)]
    samples = read(*shards)
    for view, sample in zip(dataset, samples, strict=True):
        assert sample["__key__"] == view.name
        np.testing.assert_array_equal(sample["depth.npy"], view["depth"])
        np.testing.assert_array_equal(sample["normal.npy"], view["normal"])
        np.testing.assert_array_equal(sample["index.npy"], view["index"])
        assert sample["json"] == json.loads(view.record.model_dump_json())
        assert sample["rgb.png"].mode == "RGB"
        np.testing.assert_allclose(np.asarray(sample["rgb.png"]), view["rgb"] / 257, atol=0.51)
        mask = np.asarray(sample["mask.png"])[..., 0]  # this decoder makes all pictures RGB
        np.testing.assert_allclose(mask, view["mask"] / 257, atol=0.51)


def test_names_with_dots_and_of_many_datasets_stay_apart(tmp_path: Path):
    for folder in ("Stühle.v1/a", "Stühle.v1/b", "Stühle.v1-a"):
        write_dataset(tmp_path / "d" / folder, views=2, passes=("rgb", "mask"))

    run(tmp_path / "d", tmp_path / "out", "webdataset")

    samples = read(tmp_path / "out/train-000000.tar")
    keys = [sample["__key__"] for sample in samples]
    assert len(set(keys)) == 6
    assert all(set(sample) >= {"rgb.png", "mask.png", "json"} for sample in samples)
    assert keys[0].startswith("Stühle%2Ev1-a")


@pytest.mark.parametrize("image_format", ["png", "original"])
def test_a_shard_is_no_larger_than_was_asked_for(tmp_path: Path, image_format):
    """Arrays take far more than the files that they are read from."""
    passes = ("rgb", "mask", "depth", "normal", "index", "uv")
    write_dataset(tmp_path / "d", views=12, size=(256, 192), passes=passes)

    run(tmp_path / "d", tmp_path / "out", "webdataset", shard_mb=4, image_format=image_format)

    shards = list((tmp_path / "out").glob("*.tar"))
    assert all(shard.stat().st_size < 4.2e6 for shard in shards)
    assert len(shards) == -(-sum(shard.stat().st_size for shard in shards) // 4_200_000)


def test_shards_end_by_size_and_are_the_same_each_time(tmp_path: Path):
    write_dataset(tmp_path / "d", views=4, size=(640, 480), passes=("rgb", "normal"))

    run(tmp_path / "d", tmp_path / "one", "webdataset", shard_mb=1, image_format="original")
    run(tmp_path / "d", tmp_path / "two", "webdataset", shard_mb=1, image_format="original")

    one, two = files_of(tmp_path / "one"), files_of(tmp_path / "two")
    assert sum(name.endswith(".tar") for name in one) > 1
    assert {name: data for name, data in one.items() if name.endswith(".tar")} == {
        name: data for name, data in two.items() if name.endswith(".tar")
    }
    sample = next(
        iter(webdataset.WebDataset(str(tmp_path / "one/train-000000.tar"), shardshuffle=False))
    )
    assert sample["normal.exr"] == farm.dataset.open(tmp_path / "d")[0].data("normal")
