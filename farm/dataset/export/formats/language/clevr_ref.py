"""CLEVR-Ref+: scenes with masks, sentences with programs, and pictures of its size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from farm.dataset.export.base import Lines, NumberedView, ViewFiles
from farm.dataset.export.formats.coco import write_list
from farm.dataset.export.formats.language.sentences import (
    Entry,
    Sentence,
    SentenceFileExporter,
    one_line,
    props,
)
from farm.dataset.export.geometry.polygons import outlines
from farm.dataset.export.instances import Mask, box_of, find_instances
from farm.dataset.export.passes.pictures import encode
from farm.dataset.images import to_8_bit
from farm.spec.expression import Step
from farm.spec.label import ObjectLabel

WIDTH, HEIGHT = 480, 320
"""Size of its pictures: its readers know no other."""
UNKNOWN = "unknown"
"""An attribute that was not measured."""
FUNCTIONS = {
    "noun": "filter_shape",
    "colour": "filter_color",
    "not_colour": "filter_not_color",
    "material": "filter_material",
    "pose": "filter_pose",
    "hidden": "filter_visible",
    "ordinal": "filter_ordinal",
    "both": "intersect",
}
"""CLEVR-Ref+'s names of operations, where they are others; `filter_not_color` and `filter_pose` are
made after them."""
SAME = {"colour": "same_color", "material": "same_material", "noun": "same_shape"}


class Frame(NamedTuple):
    """Where a picture lies within one of CLEVR-Ref+'s size: as large as fits, in the middle."""

    width: int
    height: int
    left: int
    top: int

    @property
    def inside(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return (
            slice(self.top, self.top + self.height),
            slice(self.left, self.left + self.width),
        )


class ClevrRefExporter(SentenceFileExporter):
    """`images/<split>/`, `scenes/clevr_ref+_<split>_scenes.json`,
    `refexps/clevr_ref+_<split>_refexps.json`.
    """

    reader = "CLEVR-Ref+'s tools"
    takes = frozenset({"classes", "text"})
    nothing = False
    usual_format = "png"

    def take(self, view: NumberedView) -> ViewFiles:
        record = view.record
        frame = frame_of(record.resolution_px)
        found = find_instances(view, self.options.classes)
        places = {place: at for at, place in enumerate(props(record))}
        masks = {place: placed_mask(found[place].mask, frame) for place in places}
        chosen = self.choose(record, lambda place: bool(masks[place].any()))
        name = f"{view.stem}.{self.image_format}"
        pixels = placed_picture(to_8_bit(view.pixels("rgb")), frame)
        path = f"images/{view.split}/{name}"
        start = {"image_filename": name, "split": view.split}
        objects = [
            object_of(at, record.objects[place], found[place].class_name, masks[place])
            for place, at in places.items()
        ]
        line: Entry = {
            "scene": {
                **start,
                "objects": objects,
                "obj_mask": {str(places[at] + 1): runs_of(mask) for at, mask in masks.items()},
                "obj_bbox": {str(each["idx"]): each["bbox"] for each in objects},
            },
            "refexps": [
                {**start, "image": view.stem, **refexp_of(each, places)}
                for each in chosen.sentences
            ],
            "left_out": chosen.left_out,
        }
        files = [self.outbox.put(path, encode(pixels, self.image_format)), *self.put_extras(view)]
        return ViewFiles(files, line)

    def finish(self, lines: Lines) -> list[str]:
        files = []
        for split in self.survey.splits:
            scenes = ({"image_index": at, **line["scene"]} for at, line in enumerate(lines(split)))
            files.append(self._put("scenes", split, scenes))
            files.append(self._put("refexps", split, numbered(lines(split))))
        return files

    def _put(self, kind: str, split: str, entries: Iterator[Entry]) -> str:
        path = f"{kind}/clevr_ref+_{split}_{kind}.json"
        info = {"split": split, "version": "1.0", "license": "see ATTRIBUTION.md"}
        with self.outbox.open(path) as file:
            file.write(f'{{"info": {json.dumps(info)},\n"{kind}": ['.encode())
            write_list(file, entries)
            file.write(b"]}\n")
        return path


def frame_of(resolution_px: tuple[int, int]) -> Frame:
    """Return where a picture of a size lies."""
    width, height = resolution_px
    scale = min(WIDTH / width, HEIGHT / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    return Frame(*inner, (WIDTH - inner[0]) // 2, (HEIGHT - inner[1]) // 2)


def placed_picture(pixels: NDArray[np.uint8], frame: Frame) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) in its frame, with black around."""
    whole = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    inner = Image.fromarray(pixels).resize((frame.width, frame.height), Image.Resampling.LANCZOS)
    whole[frame.inside] = np.asarray(inner)
    return whole


def placed_mask(mask: Mask, frame: Frame) -> Mask:
    """Return a mask in its frame: what the middle of each pixel shows."""
    height, width = mask.shape
    rows = ((np.arange(frame.height) + 0.5) * height / frame.height).astype(int)
    columns = ((np.arange(frame.width) + 0.5) * width / frame.width).astype(int)
    whole = np.zeros((HEIGHT, WIDTH), dtype=bool)
    whole[frame.inside] = mask[np.ix_(rows, columns)]
    return whole


def runs_of(mask: Mask) -> str:
    """Return the lengths of runs row by row, the first of what is not in the mask."""
    flat = mask.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return ",".join(map(str, [0, *lengths] if flat[0] else lengths))


def object_of(place: int, label: ObjectLabel, class_name: str, mask: Mask) -> Entry:
    """Return what a scene says of an object."""
    told = label.attributes
    box = box_of(mask)
    middle = [box.x + box.width / 2, box.y + box.height / 2] if box else [0.0, 0.0]
    return {
        "idx": place + 1,
        "shape": label.words.noun if label.words and label.words.confirmed else class_name,
        "color": (told and told.colour) or UNKNOWN,
        "material": told.materials[0] if told and told.materials else UNKNOWN,
        "size": UNKNOWN,
        "size_m": list(label.size),
        "pixel_coords": [*middle, -label.camera_from_object[2][3]],
        "bbox": list(box or (0, 0, 0, 0)),
        "segmentation": [[side for point in part for side in point] for part in outlines(mask)],
    }


def refexp_of(sentence: Sentence, places: dict[int, int]) -> Entry:
    """Return a sentence with its program; its last step says which objects it means."""
    said = sentence.said
    program = [step_of(step) for step in said.program] or [step_of(Step(op="scene"))]
    program[-1]["_output"] = [places[target] for target in said.targets]
    return {"refexp": one_line(said.text), "program": program, "level": said.level}


def step_of(step: Step) -> dict[str, Any]:
    """Return a step of a program as CLEVR has it."""
    kind = SAME.get(step.value or "", "same") if step.op == "same" else FUNCTIONS.get(step.op)
    values = [step.value] if step.value and step.op != "same" else []
    return {"type": kind or step.op, "inputs": list(step.inputs), "value_inputs": values}


def numbered(lines: Iterator[Entry]) -> Iterator[Entry]:
    """Yield all sentences with their numbers and those of their pictures."""
    number = 0
    for at, line in enumerate(lines):
        for each in line["refexps"]:
            yield {"refexp_index": number, "image_index": at, **each}
            number += 1
