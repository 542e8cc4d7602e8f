"""Borders of masks as few points, for models that learn to say polygons point by point.

Holes are lost: such a model says where a thing ends on the outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.geometry.polygons import find_corners, trace

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]
"""(N, 2): x and y in pixels; the last is joined to the first."""
MOST_NUMBERS = 400
"""Most numbers of the polygons of an object."""
TOLERANCE_PX = 0.75
"""Distance by which simple polygons may miss the border at first: it takes the steps of pixels
from slopes."""
COARSER = 1.5
"""Factor of that distance from one try to the next."""
LEAST_POINTS = 3
"""Points of a polygon that encloses something."""


class Border(NamedTuple):
    """The outer border of an object, part by part."""

    simple: list[Points]
    """At most 400 numbers."""
    walked: list[Points]
    """A point for each step of a pixel at most, once around."""


def along_edges(mask: Mask) -> Border:
    """Return the border along the edges of pixels: it encloses exactly what they cover."""
    return border_of([loop.astype(np.float64) for loop in outer_loops(mask)])


def along_pixels(mask: Mask) -> Border:
    """Return the border by the pixels on it, counted from 0: as OpenCV follows contours."""
    return border_of([pixels_on(loop) for loop in outer_loops(mask)])


def border_of(parts: list[Points]) -> Border:
    """Return parts as readers expect them: each from the point nearest to the origin on."""
    ordered = sorted((from_nearest(part) for part in parts), key=nearness)
    return Border(simplified(ordered), [walked(part) for part in ordered])


def outer_loops(mask: Mask) -> list[NDArray[np.intp]]:
    """Return the corners along the border of each part, (N, 2), clockwise as people see it."""
    corners = find_corners(mask)
    loops, _owner = trace(corners)
    return [
        np.stack([corners.x[loop], corners.y[loop]], axis=1)
        for loop in loops
        if corners.opens[loop[0]]
    ]


def pixels_on(loop: NDArray[np.intp]) -> Points:
    """Return the pixels along the inside of a border, one after the other.

    They are to the right of who walks along it.
    """
    steps = walked(loop.astype(np.float64)).astype(np.intp)
    ahead = np.roll(steps, -1, axis=0) - steps
    right = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    corner = np.minimum(0, ahead) + np.minimum(0, right)
    pixels = steps + corner
    moved = np.any(pixels != np.roll(pixels, 1, axis=0), axis=1)
    found: Points = (pixels[moved] if moved.any() else pixels[:1]).astype(np.float64)
    return found


def from_nearest(part: Points) -> Points:
    """Return a polygon that begins at its point nearest to the origin."""
    return np.roll(part, -int(np.argmin((part**2).sum(axis=1))), axis=0)


def nearness(part: Points) -> tuple[float, float, float]:
    """Return by what readers order polygons: how near to the origin the first point is."""
    x, y = part[0]
    return float(x * x + y * y), float(x), float(y)


def walked(part: Points) -> Points:
    """Return a polygon with points between, none farther than a pixel from the next."""
    following = np.roll(part, -1, axis=0)
    counts = np.maximum(1, np.ceil(np.abs(following - part).max(axis=1))).astype(int)
    return np.concatenate(
        [
            start + (end - start) * (np.arange(count) / count)[:, None]
            for start, end, count in zip(part, following, counts, strict=True)
        ]
    )


def simplified(parts: list[Points]) -> list[Points]:
    """Return polygons with few enough points: coarser step by step; the smallest go at last."""
    tolerance = TOLERANCE_PX
    most = MOST_NUMBERS // (2 * LEAST_POINTS)
    largest = sorted(sorted(range(len(parts)), key=lambda at: -area_of(parts[at]))[:most])
    kept = [parts[at] for at in largest]
    while True:
        found = [simple(part, tolerance) for part in kept]
        if sum(part.size for part in found) <= MOST_NUMBERS:
            return found
        tolerance *= COARSER


def simple(part: Points, tolerance_px: float) -> Points:
    """Return a polygon with the points alone that it misses by more than a tolerance without
    (Douglas and Peucker, 1973); three at least, where it has as many.
    """
    if len(part) <= LEAST_POINTS:
        return part
    far = int(np.argmax(((part - part[0]) ** 2).sum(axis=1)))
    closed = np.concatenate([part, part[:1]])
    keep = np.zeros(len(closed), dtype=bool)
    keep[[0, far]] = True
    spans = [(0, far), (far, len(part))]
    widest, third = -1.0, 0
    while spans:
        start, end = spans.pop()
        if end - start < 2:
            continue
        off = distances(closed[start + 1 : end], closed[start], closed[end])
        at = int(np.argmax(off))
        if off[at] > widest:
            widest, third = float(off[at]), start + 1 + at
        if off[at] > tolerance_px:
            keep[start + 1 + at] = True
            spans += [(start, start + 1 + at), (start + 1 + at, end)]
    if np.count_nonzero(keep) < LEAST_POINTS:
        keep[third] = True
    return part[keep[:-1]]


def distances(points: Points, start: Points, end: Points) -> NDArray[np.float64]:
    """Return how far points are from the line from `start` to `end`, or from `start`, if equal."""
    along = end - start
    length = float(np.hypot(*along))
    away = points - start
    if length == 0:
        return np.asarray(np.hypot(away[:, 0], away[:, 1]))
    return np.asarray(np.abs(along[0] * away[:, 1] - along[1] * away[:, 0]) / length)


def area_of(part: Points) -> float:
    """Return what a polygon encloses, square pixels."""
    x, y = part.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def cells_of(border: Border, box: Sequence[int]) -> dict[str, str]:
    """Return the cells of a target in a table.

    Args:
        border: Of its mask.
        box: Left, top, right, bottom, as the format has them.
    """
    return {
        "box": ",".join(map(str, box)),
        "polygons": text_of(border.simple),
        "walked": text_of(border.walked),
    }


def text_of(parts: list[Points]) -> str:
    """Return polygons as a cell of a table: readers split at blanks and drop what is behind the
    last one.
    """
    return "".join(f"{','.join(number_text(side) for side in part.flat)} " for part in parts)


def number_text(value: float) -> str:
    """Return a number without digits that say nothing."""
    return f"{round(value, 2):g}"
