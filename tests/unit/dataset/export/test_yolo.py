"""What is exported to YOLO is what its trainer reads: polygons, normalised, one per object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import farm.dataset
from tests.support.datasets import write_dataset
from tests.unit.dataset.export.pictures import (
    HEIGHT,
    WIDTH,
    half_covered,
    iou,
    odd_masks,
    replace_mask,
    run,
)

FINE = 16


def rasterised(row: str, width: int, height: int) -> tuple[int, NDArray[np.bool_]]:
    """Class and mask of a row: a pixel is set where the polygon covers its centre."""
    number, *sides = row.split()
    points = np.array(sides, dtype=float).reshape(-1, 2) * (width * FINE, height * FINE)
    canvas = Image.new("1", (width * FINE, height * FINE))
    ImageDraw.Draw(canvas).polygon([tuple(point) for point in points.tolist()], fill=1)
    centres = slice(FINE // 2, None, FINE)
    return int(number), np.asarray(canvas)[centres, centres]


def test_polygons_are_the_masks_of_the_dataset(tmp_path: Path):
    write_dataset(tmp_path / "d", views=4, models=3, passes=("rgb", "mask"))
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "yolo")

    data = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    assert data["names"] == {0: "chair", 1: "lamp", 2: "vase"}
    assert data["train"] == data["val"] == "images/train"
    pictures = sorted((tmp_path / "out" / data["train"]).iterdir())
    assert len(pictures) == 4
    for at, view in enumerate(dataset):
        labels = tmp_path / f"out/labels/train/{view.name}.txt"
        (row,) = labels.read_text().splitlines()
        number, mask = rasterised(row, WIDTH, HEIGHT)
        assert data["names"][number] == view.record.objects[0].category
        assert iou(mask, half_covered(dataset, at)) >= 0.99


def test_an_object_is_one_row_also_with_holes_and_parts(tmp_path: Path):
    masks = {name: mask for name, mask in odd_masks().items() if name != "noise"}
    write_dataset(tmp_path / "d", views=len(masks), passes=("rgb", "mask"))
    for at, mask in enumerate(masks.values()):
        replace_mask(tmp_path / "d", at, mask)

    run(tmp_path / "d", tmp_path / "out", "yolo")

    dataset = farm.dataset.open(tmp_path / "d")
    for view, (name, mask) in zip(dataset, masks.items(), strict=True):
        rows = (tmp_path / f"out/labels/train/{view.name}.txt").read_text().splitlines()
        assert len(rows) == int(mask.any()), name
        for row in rows:
            assert iou(rasterised(row, WIDTH, HEIGHT)[1], mask) >= 0.97, name
