"""RefGrasp's folders, file by file: pictures, masks, depth, sentences, and tables of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import ExportJob, Lines, NumberedView, ViewFiles
from farm.dataset.export.formats.coco import write_list
from farm.dataset.export.formats.language import borders
from farm.dataset.export.formats.language.borders import along_pixels
from farm.dataset.export.formats.language.sentences import (
    Entry,
    Sentence,
    SentenceFileExporter,
    one_line,
    props,
)
from farm.dataset.export.instances import Instance, box_of, find_instances
from farm.dataset.export.passes.pictures import encode
from farm.dataset.images import to_8_bit
from farm.errors import SpecError

BACKGROUND = 255
"""Value in masks of what has no number; things are counted from 0."""
QUALITY = 80
"""Quality of its JPEG files."""
DIGITS = 8


class RefgraspExporter(SentenceFileExporter):
    """Of each split `rgb/`, `mask/`, `depth/`, `expressions/`, `expressions.json`, `<split>.tsv`
    (polygons) and `<split>_rec.tsv` (boxes).
    """

    reader = "RefGrasp"
    takes = frozenset({"text"})
    needs = (("rgb",), ("index",), ("depth",))
    several = nothing = False

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        if self.image_format != "jpg":
            raise SpecError(
                "--image-format png: RefGrasp's pictures are JPEG files of quality 80: leave it out"
            )
        self._first = dict[str, int]()
        """Of each split, the number of its first view."""
        first = 0
        for split in self.survey.splits:
            self._first[split] = first
            first += self.survey.counts[split]

    def take(self, view: NumberedView) -> ViewFiles:
        number = view.number - self._first[view.split]
        found = find_instances(view, self.options.classes)
        ids = scene_ids(view)
        chosen = self.choose(view.record, lambda place: bool(found[place].mask.any()))
        told = {"img_idxs": [number], "expressions": self._told(view, ids, chosen.sentences)}
        files = {
            f"rgb/{name_of('rgb', number)}.jpg": encode(
                to_8_bit(view.pixels("rgb")), "jpg", quality=QUALITY
            ),
            f"mask/{name_of('mask', number)}.png": encode(mask_of(found, ids), "png"),
            f"depth/{name_of('depth', number)}.png": encode(half_metres(view), "png"),
            f"expressions/{name_of('expressions', number)}.json": json.dumps(told).encode(),
        }
        paths = [self.outbox.put(f"{view.split}/{name}", data) for name, data in files.items()]
        targets = {each.target for each in chosen.sentences}
        line: Entry = {
            "told": told,
            "cells": {str(ids[at]): cells_of(found[at]) for at in sorted(targets)},
            "left_out": chosen.left_out,
        }
        return ViewFiles([*paths, *self.put_extras(view, "depth")], line)

    def finish(self, lines: Lines) -> list[str]:
        files = []
        for split in self.survey.splits:
            files.append(f"{split}/expressions.json")
            with self.outbox.open(files[-1]) as file:
                file.write(b"[")
                write_list(file, (line["told"] for line in lines(split)))
                file.write(b"]\n")
            for name, row in ((split, segmentation_row), (f"{split}_rec", box_row)):
                files.append(f"{split}/{name}.tsv")
                with self.outbox.open(files[-1]) as file:
                    for index, (path, text, cells) in enumerate(rows_of(lines(split))):
                        file.write("\t".join(row(index, path, text, cells)).encode() + b"\n")
        return files

    def _told(
        self, view: NumberedView, ids: dict[int, int], sentences: list[Sentence]
    ) -> list[Entry]:
        """Return the sentences of a picture as RefGrasp has them."""
        record = view.record
        return [
            {
                "obj": {
                    "id": PurePath(record.asset_of(record.objects[each.target]).name).stem,
                    "scene_id": ids[each.target],
                },
                "expression": one_line(each.said.text),
            }
            for each in sentences
        ]


def name_of(kind: str, number: int) -> str:
    """Return the name of a file."""
    return f"{kind}_{number:0{DIGITS}d}"


def scene_ids(view: NumberedView) -> dict[int, int]:
    """Return the value of each thing in masks, by its place in the record.

    Raises:
        SpecError: There are too many.
    """
    places = props(view.record)
    if len(places) > BACKGROUND:
        raise SpecError(
            f"{view.view.key}: shows {len(places):,} objects, and RefGrasp's masks have numbers "
            f"for {BACKGROUND}: export it to coco"
        )
    return {place: at for at, place in enumerate(places)}


def mask_of(found: list[Instance], ids: dict[int, int]) -> NDArray[np.uint8]:
    """Return a mask with the number of each thing that sentences may mean; all else is
    background.
    """
    mask = np.full(found[0].mask.shape, BACKGROUND, np.uint8)
    for place, number in ids.items():
        mask[found[place].mask] = number
    return mask


def half_metres(view: NumberedView) -> NDArray[np.uint16]:
    """Return the bits of depth in metres as 16-bit floats; 0 where there is nothing."""
    metres = view.pixels("depth").astype(np.float64) * view.record.metres_per_unit
    known = np.isfinite(metres) & (metres > 0) & (metres <= np.finfo(np.float16).max)
    return np.where(known, metres, 0).astype(np.float16).view(np.uint16)


def cells_of(instance: Instance) -> dict[str, str]:
    """Return the cells of a target: its box, both ends inclusive, and polygons."""
    box = box_of(instance.mask)
    assert box is not None, "it is seen"
    ends = (box.x, box.y, box.x + box.width - 1, box.y + box.height - 1)
    return borders.cells_of(along_pixels(instance.mask), ends)


def rows_of(lines: Iterator[Entry]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield picture, sentence and cells of the target of each row."""
    for line in lines:
        (number,) = line["told"]["img_idxs"]
        for said in line["told"]["expressions"]:
            cells = line["cells"][str(said["obj"]["scene_id"])]
            yield f"rgb/{name_of('rgb', number)}.jpg", said["expression"], cells


def segmentation_row(index: int, path: str, text: str, cells: dict[str, str]) -> list[str]:
    """Return a row of referring segmentation."""
    return [str(index), path, cells["box"], text, cells["polygons"], cells["walked"]]


def box_row(index: int, path: str, text: str, cells: dict[str, str]) -> list[str]:
    """Return a row of referring comprehension."""
    return [str(index), text, cells["box"], path]
