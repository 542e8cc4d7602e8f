"""Masks as polygons along the edges of pixels: exact, with holes and parts joined by bridges.

A bridge is a line that is walked there and back, so it encloses nothing. Points are (x, y) in
pixels from the outer corner of the top-left pixel.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Point = tuple[int, int]
Polygon = list[Point]
"""The last point is joined to the first."""
MOST_DISTANCES = 1 << 22
"""Pairs of points among which the shortest bridge is looked for at a time."""


class Corners(NamedTuple):
    """Where boundaries turn, by row and column; where two touch, a corner stands twice."""

    x: NDArray[np.intp]
    y: NDArray[np.intp]
    below: NDArray[np.intp]
    """For each corner the one at the other end of its vertical edge. Horizontally corners are
    joined in pairs: 0 and 1, 2 and 3, ..."""
    opens: NDArray[np.bool_]
    """The pixel to its lower right is set."""


def outlines(mask: NDArray[np.bool_]) -> list[Polygon]:
    """Return a polygon for each part of a mask, clockwise as people see it, holes cut out.

    Pixels that only touch at a corner are parts of their own.
    """
    corners = find_corners(mask)
    loops, owner = trace(corners)
    starts = [loop[0] for loop in loops]
    parts: dict[int, Polygon] = {}
    roots: dict[int, int] = {}
    edges = vertical_edges(corners, owner)
    for number, loop in enumerate(loops):
        points = [(int(corners.x[at]), int(corners.y[at])) for at in loop]
        if corners.opens[starts[number]]:
            parts[number], roots[number] = points, number
            continue
        x, parent = edges.left_of(points[0])
        roots[number] = roots[parent]
        cut_hole(parts[roots[parent]], points, x)
    return list(parts.values())


def joined(parts: list[Polygon]) -> Polygon:
    """Return one polygon that encloses what `parts` do, joined by short bridges."""
    if not parts:
        return []
    whole, *others = sorted(parts, key=len, reverse=True)
    for part in others:
        here, there = nearest(whole, part)
        whole = [*whole[: here + 1], *part[there:], *part[: there + 1], *whole[here:]]
    return whole


def find_corners(mask: NDArray[np.bool_]) -> Corners:
    """Return where the boundaries of a mask turn."""
    padded = np.pad(mask, 1).astype(np.int8)
    nw, ne, sw, se = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    touching = (nw == se) & (ne == sw) & (nw != ne)
    turns = ((nw + ne + sw + se) % 2 == 1) | touching
    y, x = np.nonzero(turns)
    copies = np.where(touching[y, x], 2, 1)
    first = np.repeat(np.cumsum(copies) - copies, copies)
    y, x = np.repeat(y, copies), np.repeat(x, copies)
    copy = np.arange(len(x)) - first  # 0 takes the edge to the left, 1 the edge to the right
    # Set pixels that touch at a corner are kept apart: which copy takes the edge upwards
    # depends on where they are.
    upward = np.where(touching[y, x] & (ne[y, x] == 1), 1 - copy, copy)
    order = np.lexsort((upward, y, x))
    below = np.empty(len(x), dtype=np.intp)
    below[order[0::2]], below[order[1::2]] = order[1::2], order[0::2]
    return Corners(x, y, below, se[y, x] == 1)


def trace(corners: Corners) -> tuple[list[list[int]], NDArray[np.intp]]:
    """Return each boundary as the corners along it, and the boundary of each corner.

    Each starts at its topmost corner, the leftmost of those, and goes right first.
    """
    below = corners.below.tolist()
    owner = [-1] * len(below)
    loops: list[list[int]] = []
    for start in range(0, len(below), 2):
        if owner[start] >= 0:
            continue
        loop: list[int] = []
        at, number = start, len(loops)
        while owner[at] < 0:
            beside = at ^ 1
            owner[at] = owner[beside] = number
            loop += (at, beside)
            at = below[beside]
        loops.append(loop)
    return loops, np.array(owner, dtype=np.intp)


class VerticalEdges(NamedTuple):
    """The vertical edges of all boundaries."""

    x: NDArray[np.intp]
    top: NDArray[np.intp]
    bottom: NDArray[np.intp]
    owner: NDArray[np.intp]

    def left_of(self, start: Point) -> tuple[int, int]:
        """Return the column and the boundary of the edge that is met first to the left of the
        pixel over a hole's first corner.
        """
        x, y = start
        met = np.flatnonzero((self.top < y) & (self.bottom >= y) & (self.x <= x))
        nearest_edge = met[np.argmax(self.x[met])]
        return int(self.x[nearest_edge]), int(self.owner[nearest_edge])


def vertical_edges(corners: Corners, owner: NDArray[np.intp]) -> VerticalEdges:
    """Return the vertical edges of all boundaries, each once."""
    upper = np.flatnonzero(corners.y < corners.y[corners.below])
    lower = corners.below[upper]
    return VerticalEdges(corners.x[upper], corners.y[upper], corners.y[lower], owner[upper])


def cut_hole(polygon: Polygon, hole: Polygon, x: int) -> None:
    """Cut a hole out, by a bridge along the upper edge of a row from column `x` to its start."""
    y = hole[0][1]
    for at, here in enumerate(polygon):
        there = polygon[(at + 1) % len(polygon)]
        spans = min(here[1], there[1]) < y <= max(here[1], there[1])
        if here[0] == there[0] == x and spans:
            polygon[at + 1 : at + 1] = [(x, y), hole[0], *hole[:0:-1], hole[0], (x, y)]
            return
    raise AssertionError(f"no edge in column {x} at {y}")


def nearest(one: Polygon, other: Polygon) -> tuple[int, int]:
    """Return which points of two polygons are close; the closest, unless there are too many."""
    here, there = np.array(one), np.array(other)
    step = -(-len(one) * len(other) // MOST_DISTANCES)
    far = ((here[::step, None] - there[None]) ** 2).sum(axis=2)
    at, to = np.unravel_index(far.argmin(), far.shape)
    return int(at) * step, int(to)
