"""The objects of a view with their masks, each a set of whole pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.arrays import ArraysError
from farm.dataset.export.base import DamagedFileError, NumberedView
from farm.dataset.export.survey import ClassWord, class_names
from farm.errors import SpecError
from farm.runs import mask_of
from farm.soundness import box_around
from farm.spec.label import ObjectLabel

Mask = NDArray[np.bool_]


class Instance(NamedTuple):
    """One object in a picture."""

    class_name: str
    mask: Mask
    """(H, W): pixels of which it covers at least half."""
    label: ObjectLabel | None
    """What the record says of it, if anything."""

    @property
    def seen_px(self) -> int:
        """Pixels of the mask."""
        return int(np.count_nonzero(self.mask))


class Box(NamedTuple):
    """Pixels: the corner at the top left, and the sides."""

    x: int
    y: int
    width: int
    height: int


def find_instances(view: NumberedView, word: ClassWord) -> list[Instance]:
    """Return the objects of a view in the order of its record, also those of which nothing is seen.

    One alone is what the mask shows, to half a pixel's coverage; of several each has its values in
    the index pass, which is taken at the centres of pixels.

    Raises:
        SpecError: The view has neither pass.
        DamagedFileError: Its file is damaged.
    """
    record = view.record
    labels: tuple[ObjectLabel | None, ...] = record.objects or (None,)
    names = class_names(record, word)
    if len(labels) == 1 and "mask" in record.files:
        return [Instance(names[0], at_least_half(view.pixels("mask")), labels[0])]
    if "index" not in record.files:
        wanted = "mask" if len(labels) == 1 else "index"
        raise SpecError(f"{view.view.key}: has no pass {wanted}, which outlines its objects")
    index = view.pixels("index")
    return [
        Instance(name, np.isin(index, label.indices) if label else index > 0, label)
        for name, label in zip(names, labels, strict=True)
    ]


def find_wholes(view: NumberedView, found: Sequence[Instance]) -> list[Mask | None]:
    """Return the whole silhouettes of the objects of a view; None of those that are not known.

    Raises:
        DamagedFileError: The file of the pass is damaged.
    """
    if "amodal" not in view.record.files:
        return [None] * len(found)
    rows, size_px = view.pixels("amodal"), view.record.resolution_px
    try:
        return [
            mask_of(rows, place, size_px) | each.mask
            if each.label is not None and each.label.amodal_area_px is not None
            else None
            for place, each in enumerate(found)
        ]
    except ArraysError as error:
        raise DamagedFileError(f"{view.view.path('amodal')}: {error}") from error


def at_least_half(mask: NDArray[Any]) -> Mask:
    """Return the pixels of which at least half is covered."""
    return np.asarray(mask > np.iinfo(mask.dtype).max // 2)


def box_of(mask: Mask) -> Box | None:
    """Return the smallest box around a mask; None around nothing."""
    around = box_around(mask)
    if around is None:
        return None
    left, top, right, bottom = map(int, around)
    return Box(left, top, right - left, bottom - top)
