"""How high things reach, by what is seen of them and by what might be hidden."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from farm.dataset.proof.boxes import Box
from farm.dataset.proof.measured import SURFACE, Measured, MeasuredView

Numbers = NDArray[np.float64]


def reach_up(view: MeasuredView, thing: Measured) -> tuple[float, float]:
    """Return between which heights the highest point of a thing is.

    A camera that is higher sees that point, unless it is out of the picture or something else is
    before it: then it may be anywhere in the thing's box, along the rays that are blocked.
    """
    if thing.points is None or view.depth is None:
        return thing.box.lowest[1], thing.box.top
    seen = float(thing.points[:, 2].max())
    if view.world_from_camera[2, 3] <= thing.box.top:
        return seen, thing.box.top
    corners = view.pixels_of(thing.box.corners)
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    height, width = thing.pixels.shape
    if not np.isfinite(corners).all() or (low < 0).any() or (high > (width, height)).any():
        return seen, thing.box.top
    window = np.s_[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])]
    return seen, max(seen, hidden_top(view, thing, window))


def foot(view: MeasuredView, thing: Measured) -> tuple[float, float]:
    """Return between which heights the lowest point of a thing is: on the table, at its top."""
    objects = view.record.objects
    below = (objects[place] for place in thing.label.on if 0 <= place < len(objects))
    if any(each.category == SURFACE for each in below):
        return 0.0, 0.0
    return thing.box.lowest


def hidden_top(view: MeasuredView, thing: Measured, window: tuple[slice, slice]) -> float:
    """Return how high what is hidden of a thing may reach, at the pixels of a window."""
    assert view.depth is not None
    eye = view.world_from_camera[:3, 3]
    ways = view.rays[window][~thing.pixels[window]]
    depth = view.depth[window][~thing.pixels[window]]
    start, end = through(thing.box, eye, ways)
    start = np.maximum(start, depth)
    blocked = start < end
    rises = ways[blocked, 2]
    ends = np.stack([start[blocked], end[blocked]])
    return float(eye[2] + (ends * rises).max()) if blocked.any() else -np.inf


def through(box: Box, eye: Numbers, ways: Numbers) -> tuple[Numbers, Numbers]:
    """Return from where to where rays (N, 3) are in a box; the end is before the start outside."""
    own_eye, own_ways = box.own(eye[None]), ways @ box.axes.T
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.stack([(side * box.sides / 2 - own_eye) / own_ways for side in (-1.0, 1.0)])
    return ends.min(axis=0).max(axis=1), ends.max(axis=0).min(axis=1)
