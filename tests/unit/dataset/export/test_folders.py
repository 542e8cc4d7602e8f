"""Folders as tfds.ImageFolder documents them; read back by those rules, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import farm.dataset
from farm.dataset.export.formats.folders import folder_names
from farm.dataset.splits.split import split_dataset
from tests.support.datasets import write_dataset
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
    labels = {split: sorted(label for each, label in pictures if each == split) for split in shares}
    assert labels["train"] == labels["val"] == labels["test"] == ["chair", "lamp", "vase"]
    assert (tmp_path / "out/classes.txt").read_text().split() == labels["train"]
    (note,) = summary.notes
    empty = sum(not paths for paths in pictures.values())
    assert note.startswith(f"empty folders of classes: {empty}, such as images/")
    assert "allow_empty=True" in note
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


def test_folders_of_classes_stay_until_their_class_goes(tmp_path: Path):
    place, out = tmp_path / "d", tmp_path / "out"
    write_dataset(place, views=3, models=3, passes=("rgb", "mask"))
    shares = {"train": 0.7, "val": 0.3}
    split_dataset(farm.dataset.open(place), shares, by="model", seed=0)
    run(place, out, "folders")
    split_dataset(farm.dataset.open(place), shares, by="model", seed=3, fresh=True)
    run(place, out, "folders")  # another class is alone now
    folders = sorted(path.relative_to(out / "images") for path in (out / "images").glob("*/*"))

    lines = (place / "views.jsonl").read_text().splitlines(keepends=True)
    (place / "views.jsonl").write_text("".join(lines[:2]))
    run(place, out, "folders")

    names = ("chair", "lamp", "vase")
    assert folders == [Path(split, name) for split in ("train", "val") for name in names]
    left = {path.name for path in (out / "images").glob("*/*")}
    assert left == set((out / "classes.txt").read_text().split()) == {"vase", "chair"}


def test_classes_that_are_no_folder_names_get_one():
    assert folder_names(("a/b", "a-b", "..", "ok")) == {
        "a/b": "a-b",
        "a-b": "a-b-2",
        "..": "object",
        "ok": "ok",
    }


def test_classes_that_differ_in_capitals_alone_stay_apart():
    """As on the disks of Macs and Windows."""
    assert folder_names(("Vase", "vase", "VASE")) == {
        "Vase": "Vase",
        "vase": "vase-2",
        "VASE": "VASE-3",
    }
