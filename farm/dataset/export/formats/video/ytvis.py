"""YouTube-VIS and OVIS: frames in folders, and one JSON file of tracks of masks per split."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import IO, Any

import numpy as np
from pycocotools import mask as rle

from farm.dataset.export.base import ExportJob, Lines, NumberedView, ViewFiles
from farm.dataset.export.instances import Instance, box_of, find_instances
from farm.dataset.export.passes.pictures import picture
from farm.dataset.export.sequences import (
    FrameExporter,
    Line,
    by_sequence,
    moment_of,
)

DIGITS = 5


class YtvisExporter(FrameExporter):
    """`<split>/JPEGImages/<sequence>/00000.jpg`, `<split>/instances.json`."""

    reader = "YouTube-VIS"
    takes = frozenset({"classes", "link"})
    needs = (("rgb",), ("mask", "index"))

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._categories = {name: at for at, name in enumerate(self.survey.classes, start=1)}

    def take(self, view: NumberedView) -> ViewFiles:
        said = "image_format" in self.options.model_fields_set
        file = picture(view, "rgb", self.options.image_format if said else "jpg")
        name = f"{view.sequence}/{moment_of(view).place:0{DIGITS}d}.{file.suffix}"
        path = f"{view.split}/JPEGImages/{name}"
        files = [file.put(self.outbox, path, link=self.options.link)]
        width, height = view.record.resolution_px
        seen = {
            key_of(instance): self._seen(instance)
            for instance in find_instances(view, self.options.classes)
            if instance.mask.any()
        }
        line: Line = {"file": name, "width": width, "height": height, "objects": seen}
        return ViewFiles([*files, *self.put_extras(view, "rgb")], line)

    def close(self, lines: Lines) -> list[str]:
        files = []
        first, tracks = 1, itertools.count(1)  # unlike in all splits: people put them together
        for split in self.survey.splits:
            files.append(f"{split}/instances.json")
            with self.outbox.open(files[-1]) as file:
                self._write_head(file, split)
                file.write(b',\n "videos": [')
                sequences = enumerate(by_sequence(lines, split), start=first)
                write_list(file, (video_entry(at, frames) for at, (_, frames) in sequences))
                file.write(b'],\n "annotations": [')
                sequences = enumerate(by_sequence(lines, split), start=first)
                found = (
                    each for at, (_, frames) in sequences for each in track_entries(at, frames)
                )
                write_list(file, ({"id": next(tracks)} | each for each in found))
                file.write(b"]\n}\n")
            first += sum(reel.split == split for reel in self.reels.values())
        return files

    def _seen(self, instance: Instance) -> Line:
        found = rle.encode(np.asfortranarray(instance.mask, dtype=np.uint8))
        counts = found["counts"]
        text = counts if isinstance(counts, str) else counts.decode("ascii")
        return {
            "category_id": self._categories[instance.class_name],
            "segmentation": {"size": list(found["size"]), "counts": text},
            "bbox": list(box_of(instance.mask) or ()),
            "area": int(np.count_nonzero(instance.mask)),
        }

    def _write_head(self, file: IO[bytes], split: str) -> None:
        head = {
            "info": {"description": split, "version": version("viewfarm"), "contributor": ""},
            "licenses": [],
            "categories": [
                {"id": at, "name": name, "supercategory": "object"}
                for name, at in self._categories.items()
            ],
        }
        file.write(json.dumps(head, indent=1)[:-2].encode())


def key_of(instance: Instance) -> str:
    """Return what tells an object from the others of its sequence."""
    label = instance.label
    return "" if label is None else f"{label.asset or 0}/{label.name}"


def video_entry(number: int, frames: list[Line]) -> Line:
    """Return what is told of a sequence."""
    return {
        "id": number,
        "width": frames[0]["width"],
        "height": frames[0]["height"],
        "length": len(frames),
        "file_names": [frame["file"] for frame in frames],
        "license": 0,
        "flickr_url": "",
        "coco_url": "",
        "date_captured": "",
    }


def track_entries(number: int, frames: list[Line]) -> Iterator[Line]:
    """Yield an annotation for each object of a sequence; None where it is not seen."""
    names = dict.fromkeys(name for frame in frames for name in frame["objects"])
    for name in names:
        seen = [frame["objects"].get(name) for frame in frames]
        there = [each for each in seen if each]
        yield {
            "video_id": number,
            "category_id": there[0]["category_id"],
            "iscrowd": 0,
            "width": frames[0]["width"],
            "height": frames[0]["height"],
            "length": len(frames),
            "name": name.partition("/")[2],
            "segmentations": [each and each["segmentation"] for each in seen],
            "bboxes": [each and each["bbox"] for each in seen],
            "areas": [each and each["area"] for each in seen],
            "avg_area": sum(each["area"] for each in there) / len(there),
        }


def write_list(file: IO[bytes], entries: Iterator[Any]) -> None:
    """Write the inside of a JSON list, one entry at a time."""
    for number, entry in enumerate(entries):
        text = json.dumps(entry, separators=(",", ":"))
        file.write(f"{',' if number else ''}\n  {text}".encode())
