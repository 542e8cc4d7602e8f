"""COCO instances: pictures in folders, and one JSON file per split."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import IO, Any

import numpy as np
from pycocotools import mask as rle

from farm.dataset.export.base import ExportJob, FileExporter, Lines, NumberedView, ViewFiles
from farm.dataset.export.geometry.polygons import outlines
from farm.dataset.export.instances import Instance, box_of, find_instances
from farm.dataset.export.passes.pictures import picture, put_extras
from farm.dataset.export.survey import licences_of
from farm.dataset.records.attribution import licence
from farm.spec.label import Keypoint

Entry = dict[str, Any]
NOT_THERE, HIDDEN, SEEN = 0, 1, 2
"""What COCO says of a keypoint."""


class CocoExporter(FileExporter):
    """`images/<split>/`, `annotations/instances_<split>.json`."""

    takes = frozenset({"classes", "link", "segmentation"})
    needs = (("rgb",), ("mask", "index"))
    originals = True

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._categories = {name: at for at, name in enumerate(self.survey.classes, start=1)}
        self._licences = {name: at for at, name in enumerate(self.survey.licence_sets, start=1)}

    def take(self, view: NumberedView) -> ViewFiles:
        file = picture(view, "rgb", self.options.image_format)
        name = f"{view.stem}.{file.suffix}"
        link = self.options.link
        paths = [file.put(self.outbox, f"images/{view.split}/{name}", link=link)]
        extras = tuple(name for name in self.options.passes if name != "rgb")
        paths += put_extras(view, self.outbox, extras, link=link)
        record = view.record
        width, height = record.resolution_px
        image = {
            "id": view.number + 1,
            "file_name": name,
            "width": width,
            "height": height,
            "license": self._licences[licences_of(record)],
            "view": view.view.key,
            "title": record.title,
            "assets": {asset.role: asset.name for asset in record.assets},
        }
        found = find_instances(view, self.options.classes)
        annotations = [self._annotation(each, view) for each in found if each.mask.any()]
        return ViewFiles(paths, {"image": image, "annotations": annotations})

    def close(self, lines: Lines) -> list[str]:
        files = []
        numbers = itertools.count(1)  # unlike in all splits: people put them together
        for split in self.survey.splits:
            files.append(f"annotations/instances_{split}.json")
            with self.outbox.open(files[-1]) as file:
                self._write_json(file, split, lines, numbers)
        return files

    def _annotation(self, instance: Instance, view: NumberedView) -> Entry:
        return {
            "image_id": view.number + 1,
            "category_id": self._categories[instance.class_name],
            "segmentation": self._segmentation(instance),
            "area": int(np.count_nonzero(instance.mask)),
            "bbox": list(box_of(instance.mask) or ()),
            "iscrowd": 0,
            **self._keypoints(instance, view.record.resolution_px),
        }

    def _keypoints(self, instance: Instance, resolution_px: tuple[int, int]) -> Entry:
        """Return x, y and how far it is seen of each point that the class knows."""
        known = self.survey.keypoints.get(instance.class_name, ())
        if not known:
            return {}
        label = instance.label
        there = {point.name: point for point in label.keypoints} if label else {}
        points = [keypoint(there.get(name), resolution_px) for name in known]
        seen = sum(point[2] > NOT_THERE for point in points)
        return {"keypoints": [side for point in points for side in point], "num_keypoints": seen}

    def _segmentation(self, instance: Instance) -> Any:
        if self.options.segmentation == "polygon":
            return [[side for point in part for side in point] for part in outlines(instance.mask)]
        found = rle.encode(np.asfortranarray(instance.mask, dtype=np.uint8))
        counts = found["counts"]
        text = counts if isinstance(counts, str) else counts.decode("ascii")
        return {"size": list(found["size"]), "counts": text}

    def _points_of(self, name: str) -> Entry:
        known = self.survey.keypoints.get(name)
        return {"keypoints": list(known), "skeleton": []} if known else {}

    def _write_json(
        self, file: IO[bytes], split: str, lines: Lines, numbers: Iterator[int]
    ) -> None:
        head = {
            "info": {"description": split, "version": version("viewfarm"), "contributor": ""},
            "licenses": [{"id": at, **described(names)} for names, at in self._licences.items()],
            "categories": [
                {"id": at, "name": name, "supercategory": "object", **self._points_of(name)}
                for name, at in self._categories.items()
            ],
        }
        file.write(json.dumps(head, indent=1)[:-2].encode())
        file.write(b',\n "images": [')
        write_list(file, (entry["image"] for entry in lines(split)))
        file.write(b'],\n "annotations": [')
        found = (each for entry in lines(split) for each in entry["annotations"])
        write_list(file, ({"id": next(numbers)} | each for each in found))
        file.write(b"]\n}\n")


def described(names: Sequence[str]) -> Entry:
    """Return name and page of the licences of one picture."""
    known = [licence(name) for name in names]
    return {
        "name": " + ".join(each.title for each in known),
        "url": next((each.url for each in known if each.url), ""),
    }


def keypoint(point: Keypoint | None, resolution_px: tuple[int, int]) -> tuple[float, float, int]:
    """Return a point as COCO has it: one that is hidden, or not known to be seen, is marked so;
    one outside the picture is not there.
    """
    if point is None or point.px is None:
        return (0.0, 0.0, NOT_THERE)
    if not all(0 <= part <= side for part, side in zip(point.px, resolution_px, strict=True)):
        return (0.0, 0.0, NOT_THERE)
    return (*point.px, SEEN if point.visible else HIDDEN)


def write_list(file: IO[bytes], entries: Iterator[Entry]) -> None:
    """Write the inside of a JSON list, one entry at a time."""
    for number, entry in enumerate(entries):
        text = json.dumps(entry, separators=(",", ":"))
        file.write(f"{',' if number else ''}\n  {text}".encode())
