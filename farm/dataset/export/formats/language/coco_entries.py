"""Entries of COCO's files, as several formats of sentences have them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version
from typing import IO

import numpy as np

from farm.dataset.export.base import NumberedView
from farm.dataset.export.formats.coco import described, write_list
from farm.dataset.export.formats.language.sentences import Entry, number_in, number_of
from farm.dataset.export.geometry.polygons import outlines
from farm.dataset.export.instances import Instance, box_of
from farm.dataset.export.survey import ClassWord, Survey, class_names, licences_of


def coco_name(number: int, suffix: str, *, place: int | None = None) -> str:
    """Return the name of a picture as MS COCO has it: some readers make it from the number.

    Args:
        number: The picture's.
        suffix: Of the file.
        place: Of an object; names of objects have it behind.
    """
    behind = "" if place is None else f"_{place}"
    return f"COCO_train2014_{number:012d}{behind}.{suffix}"


def image_entry(view: NumberedView, file_name: str, survey: Survey) -> Entry:
    """Return what COCO tells of a picture."""
    width, height = view.record.resolution_px
    licences = survey.licence_sets.index(licences_of(view.record)) + 1
    return {
        "id": number_of(view),
        "file_name": file_name,
        "width": width,
        "height": height,
        "license": licences,
        "view": view.view.key,
        "title": view.record.title,
    }


def object_entry(view: NumberedView, place: int, instance: Instance, category: int) -> Entry:
    """Return what COCO tells of an object of which something is seen.

    No two of its polygons share a pixel: some readers sum up what they enclose.
    """
    polygons = outlines(instance.mask)
    return {
        "id": number_in(view, place),
        "image_id": number_of(view),
        "category_id": category,
        "segmentation": [[side for point in part for side in point] for part in polygons],
        "area": int(np.count_nonzero(instance.mask)),
        "bbox": list(box_of(instance.mask) or ()),
        "iscrowd": 0,
    }


def categories(survey: Survey, *, first: int = 1) -> dict[str, int]:
    """Return the number of each class."""
    return {name: at for at, name in enumerate(survey.classes, start=first)}


def write_coco(  # noqa: PLR0913  the parts of the file
    file: IO[bytes],
    survey: Survey,
    description: str,
    numbers: dict[str, int],
    images: Iterable[Entry],
    annotations: Iterable[Entry],
) -> None:
    """Write a file of COCO's form."""
    head = {
        "info": {"description": description, "version": version("viewfarm"), "contributor": ""},
        "licenses": [
            {"id": at, **described(names)} for at, names in enumerate(survey.licence_sets, start=1)
        ],
        "categories": [
            {"id": at, "name": name, "supercategory": "object"} for name, at in numbers.items()
        ],
    }
    file.write(json.dumps(head, indent=1)[:-2].encode())
    file.write(b',\n "images": [')
    write_list(file, iter(images))
    file.write(b'],\n "annotations": [')
    write_list(file, iter(annotations))
    file.write(b"]\n}\n")


def box_entries(view: NumberedView, word: ClassWord, numbers: dict[str, int]) -> list[Entry]:
    """Return what COCO tells of the objects that are seen, by their boxes in the record alone."""
    names = class_names(view.record, word)
    return [
        {
            "id": number_in(view, at),
            "image_id": number_of(view),
            "category_id": numbers[name],
            "area": label.area_px,
            "bbox": sides(label.box_px),
            "iscrowd": 0,
        }
        for at, (label, name) in enumerate(zip(view.record.objects, names, strict=False))
        if label.box_px
    ]


def sides(box_px: tuple[float, float, float, float]) -> list[float]:
    """Return left, top, width and height of a box that has corners."""
    left, top, right, bottom = box_px
    return [left, top, right - left, bottom - top]
