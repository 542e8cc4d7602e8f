"""Masks as runs of pixels, row by row: whole silhouettes, which overlap, in one pass of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from farm.arrays import ArraysError, Rows, row_type
from farm.spec.passes import PASSES

Mask = NDArray[np.bool_]
FILLED = 0.35
"""How strong the colour of a mask is inside of its outline, where it is drawn."""


def runs_of(masks: Iterable[tuple[int, Mask]]) -> Rows:
    """Return the rows of masks (H, W), each of the object at a place of the record's `objects`."""
    parts = [rows_of(place, mask) for place, mask in masks]
    return np.concatenate([np.zeros(0, row_type(PASSES["amodal"].columns)), *parts])


def rows_of(place: int, mask: Mask) -> Rows:
    """Return the runs of one mask (H, W): pixels are counted row by row, from the top left."""
    flat = np.concatenate([[False], mask.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    rows = np.zeros(len(edges) // 2, row_type(PASSES["amodal"].columns))
    rows["object"], rows["start"] = place, edges[::2]
    rows["length"] = edges[1::2] - edges[::2]
    return rows


def mask_of(rows: Rows, place: int, size_px: tuple[int, int]) -> Mask:
    """Return the mask (H, W) of the object at a place of the record's `objects`.

    Args:
        rows: Those of all objects.
        place: The object's.
        size_px: (width, height).

    Raises:
        ArraysError: A run leaves the picture.
    """
    width, height = size_px
    own = rows[rows["object"] == place]
    start, end = own["start"].astype(np.int64), own["start"].astype(np.int64) + own["length"]
    if (end > width * height).any():
        raise ArraysError(f"a run of object {place} leaves the picture of {width} x {height}")
    steps = np.bincount(start, minlength=width * height + 1)
    steps -= np.bincount(end, minlength=width * height + 1)
    return np.asarray(steps.cumsum()[:-1] > 0).reshape(height, width)


def masks_of(rows: Rows, count: int, size_px: tuple[int, int]) -> Mask:
    """Return the masks (N, H, W) of so many objects, in the order of the record's `objects`.

    Raises:
        ArraysError: A run leaves the picture.
    """
    width, height = size_px
    masks = np.zeros((count, height, width), np.bool_)
    for place in range(count):
        masks[place] = mask_of(rows, place, size_px)
    return masks


def drawn(
    rows: Rows,
    size_px: tuple[int, int],
    colour_of: Callable[[int], tuple[int, int, int]],
    *,
    step: int = 1,
) -> NDArray[np.uint8]:
    """Draw masks (h, w, 3) with their outlines, through each other, small ones on top.

    Args:
        rows: Those of all objects.
        size_px: (width, height).
        colour_of: Returns the colour (sRGB) of an object by its place.
        step: Every so many pixels are drawn.
    """
    places, which = np.unique(rows["object"], return_inverse=True)
    areas = np.bincount(which, rows["length"], minlength=len(places))
    width, height = (len(range(step // 2, side, step)) for side in size_px)
    picture = np.zeros((height, width, 3))
    for place in places[np.argsort(-areas, kind="stable")].tolist():
        mask = mask_of(rows, place, size_px)[step // 2 :: step, step // 2 :: step]
        colour = np.array(colour_of(place), np.float64)
        picture[mask] += (colour - picture[mask]) * FILLED
        picture[mask & ~inner(mask)] = colour
    return picture.round().astype(np.uint8)


def inner(mask: Mask) -> Mask:
    """Return the pixels of a mask (H, W) whose four neighbours are in it; beyond the picture all
    are.
    """
    wide = np.pad(mask, 1, constant_values=True)
    sides = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    return np.asarray(mask & sides)


def resized(rows: Rows, size_px: tuple[int, int], new_px: tuple[int, int]) -> Rows:
    """Return the rows of masks at another size: each pixel is the nearest of the old ones.

    Args:
        rows: Those of all objects.
        size_px: (width, height).
        new_px: The same of the new ones.
    """
    down, across = (
        np.minimum((np.arange(new) + 0.5) * old / new, old - 1).astype(np.int64)
        for old, new in ((size_px[1], new_px[1]), (size_px[0], new_px[0]))
    )
    places = np.unique(rows["object"]).tolist()
    return runs_of((place, mask_of(rows, place, size_px)[down][:, across]) for place in places)
