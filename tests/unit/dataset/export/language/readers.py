"""Readers of the documented formats, written for these tests."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

Entry = dict[str, Any]


class Refer:
    """REFER's API, as far as trainings use it: refs by split, their objects and masks."""

    def __init__(self, root: Path, dataset: str = "refcoco", by: str = "unc") -> None:
        with (root / dataset / f"refs({by}).p").open("rb") as file:
            self.index(root, dataset, pickle.load(file))

    def index(self, root: Path, dataset: str, refs: list[Entry]) -> None:
        instances = json.loads((root / dataset / "instances.json").read_bytes())
        self.refs = {ref["ref_id"]: ref for ref in refs}
        self.annotations = {each["id"]: each for each in instances["annotations"]}
        self.images = {each["id"]: each for each in instances["images"]}
        self.categories = {each["id"]: each["name"] for each in instances["categories"]}
        assert len(self.refs) == len(refs), "numbers of refs are unlike"
        assert len(self.annotations) == len(instances["annotations"])
        assert len(self.images) == len(instances["images"])
        sentences = [each["sent_id"] for ref in refs for each in ref["sentences"]]
        assert len(set(sentences)) == len(sentences)

    def of_split(self, split: str) -> list[Entry]:
        """The refs of a split: `test` is all that have it in their name, `testA` all with an A."""
        if split in ("testA", "testB"):
            return [ref for ref in self.refs.values() if split[-1] in ref["split"]]
        if split == "test":
            return [ref for ref in self.refs.values() if "test" in ref["split"]]
        return [ref for ref in self.refs.values() if ref["split"] == split]

    def mask(self, annotation: int) -> NDArray[np.uint8]:
        """All polygons of an object summed up: more than 1 where they overlap."""
        found = self.annotations[annotation]
        image = self.images[found["image_id"]]
        parts = rle.frPyObjects(found["segmentation"], image["height"], image["width"])
        return np.asarray(rle.decode(parts).sum(axis=2))


class GRefer(Refer):
    """gRefCOCO's API: in JSON, with lists of objects, or -1."""

    def __init__(self, root: Path) -> None:
        self.index(root, "grefcoco", json.loads((root / "grefcoco/grefs(unc).json").read_bytes()))

    def masks(self, ref: Entry) -> list[NDArray[np.uint8]]:
        return [] if ref["ann_id"] == [-1] else [self.mask(each) for each in ref["ann_id"]]


def polygons_in(cell: str) -> list[NDArray[np.float64]]:
    """PolyFormer's cells of polygons: a blank behind each, the rest is dropped."""
    return [
        np.array([float(side) for side in part.split(",")]).reshape(-1, 2)
        for part in cell.split(" ")[:-1]
    ]


def is_clockwise(polygon: NDArray[np.float64]) -> bool:
    """Whether people see it run clockwise, y down."""
    x, y = polygon.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) > 0


def filled(polygons: list[NDArray[np.float64]], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose middle is in one of the polygons, whose points are on edges of pixels."""
    width, height = size
    flat = [polygon.reshape(-1).tolist() for polygon in polygons if len(polygon) > 2]
    parts = rle.frPyObjects(flat, height, width)
    return np.asarray(rle.decode(parts).max(axis=2) > 0)


def json_lines(path: Path) -> list[Entry]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
