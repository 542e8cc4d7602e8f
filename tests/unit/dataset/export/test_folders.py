"""Folders as tfds.ImageFolder documents them; read back by those rules, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import farm.dataset
from farm.dataset.export.folders import folder_names
from farm.dataset.split import split_dataset
from tests.datasets import write_dataset
from tests.unit.dataset.export.pictures import half_covered, opened, run


def image_folder(root: Path) -> dict[tuple[str, str], list[Path]]:
    """Split and label of each picture: `root/split/label/picture`."""
    return {
        (split.name, label.name): sorted(
            path for path in label.iterdir() if path.suffix in (".jpg", ".jpeg", ".png")
        )
        for split in root.iterdir()
        for label in split.iterdir()
    }


@pytest.mark.parametrize("image_format", ["png", "jpg"])
def test_pictures_and_masks_have_the_same_splits_labels_and_names(tmp_path: Path, image_format):
    write_dataset(tmp_path / "d", views=8, models=4, bit_depth=16, passes=("rgb", "mask"))
    shares = {"train": 0.5, "val": 0.25, "test": 0.25}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="model", seed=0)
    views = {view.name: view for view in farm.dataset.open(tmp_path / "d")}

    summary = run(tmp_path / "d", tmp_path / "out", "folders", image_format=image_format)

    pictures = image_folder(tmp_path / "out/images")
    masks = image_folder(tmp_path / "out/masks")
    assert {split for split, _label in pictures} == set(summary.splits)
    assert sum(map(len, pictures.values())) == 8
    assert pictures.keys() == masks.keys()
    for (split, label), paths in pictures.items():
        assert [path.stem for path in paths] == [path.stem for path in masks[split, label]]
        for path in paths:
            view = views[path.stem]
            assert label == view.record.objects[0].category
            assert path.suffix == f".{image_format}"
            far = 0.51 if image_format == "png" else 40  # JPEG
            np.testing.assert_allclose(opened(path.read_bytes()), view["rgb"] / 257, atol=far)
    dataset = farm.dataset.open(tmp_path / "d")
    mask = next(tmp_path.glob(f"out/masks/*/*/{dataset[0].name}.png"))
    np.testing.assert_allclose(opened(mask.read_bytes()) >= 128, half_covered(dataset, 0))


def test_classes_that_are_no_folder_names_get_one():
    assert folder_names(("a/b", "a-b", "..", "ok")) == {
        "a/b": "a-b",
        "a-b": "a-b-2",
        "..": "object",
        "ok": "ok",
    }
