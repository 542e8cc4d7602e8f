"""Which pixels of a picture surfaces cover, were nothing before them; numpy only.

Of lenses that leave straight lines straight each row of pixels is met by a triangle in one stretch,
so that work grows with the rows of triangles rather than with their pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from farm.projection import projected, rays
from farm.spec.record import FisheyeRecord
from worker.points.first_hits import Indices, Numbers, spread
from worker.points.followed import Flags, in_camera
from worker.points.surfaces import Eye, Surface, may_meet

AT_ONCE = 2_000_000
"""Rows of triangles that are looked at together."""
EDGE_PX = 1e-7
"""How far beside a triangle a pixel's centre is still in it: none is lost between two."""
NEAREST = 1e-12
"""Of what rays of a bent lens meet; its clipping is along them."""
SIDES = ((0, 1), (1, 2), (2, 0))
"""Of a triangle, by its corners."""


class Clip(NamedTuple):
    """What a camera sees, along its axis; of a fisheye, along the rays."""

    near: float
    far: float


EVERYWHERE = Clip(1e-5, 1e9)


def silhouette(surfaces: Sequence[Surface], eye: Eye, clip: Clip) -> Flags:
    """Return the pixels (H, W) at whose centres something of some surfaces is."""
    if isinstance(eye.camera.lens, FisheyeRecord):
        return bent(surfaces, eye, clip)
    width, height = eye.size
    steps = np.zeros((height, width + 1), np.int64)
    for surface in surfaces:
        local = in_camera(surface.points(), eye.camera)
        if not reaches(local, eye, clip):
            continue
        for triangles in clipped(local, surface.mesh.triangles, clip):
            add_stretches(steps, projected(triangles, eye.camera), eye.size)
    return np.asarray(steps.cumsum(axis=1)[:, :width] > 0)


def reaches(local: Numbers, eye: Eye, clip: Clip) -> bool:
    """Say whether points (V, 3) in a camera's frame may have something in its picture."""
    far = -local[:, 2]
    if not (far.max(initial=0.0) > clip.near and far.min(initial=np.inf) < clip.far):
        return False
    if far.min() < clip.near:
        return True
    px = projected(local, eye.camera)
    return bool((px.max(axis=0) >= 0).all() and (px.min(axis=0) <= eye.size).all())


def clipped(local: Numbers, triangles: Indices, clip: Clip) -> Iterator[Numbers]:
    """Yield the corners (K, 3, 3) of triangles (T, 3) between the planes that end a camera's view.

    Args:
        local: Points (V, 3) in the camera's frame.
        triangles: Which of them each has.
        clip: The planes.
    """
    far = -local[:, 2]
    inside = (far >= clip.near) & (far <= clip.far)
    count = inside[triangles].sum(axis=1)
    yield local[triangles[count == 3]]
    partly = local[triangles[crosses(far[triangles], clip) & (count < 3)]]
    for corners in partly:
        polygon = cut(cut(corners, clip.near, sign=-1.0), clip.far, sign=1.0)
        if len(polygon) > 2:
            fan = [(polygon[0], *polygon[at : at + 2]) for at in range(1, len(polygon) - 1)]
            yield np.array(fan)


def crosses(far: Numbers, clip: Clip) -> Flags:
    """Say which triangles, by how far their corners (T, 3) are, may have a part in view."""
    return np.asarray((far.max(axis=1) >= clip.near) & (far.min(axis=1) <= clip.far))


def cut(polygon: Numbers, at: float, *, sign: float) -> Numbers:
    """Return what of a polygon (K, 3) is on one side of a plane across the camera's axis.

    Args:
        polygon: Its corners.
        at: How far off the plane is.
        sign: 1 keeps what is nearer, -1 what is farther.
    """
    kept: list[Numbers] = []
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        before, after = sign * (at + start[2]), sign * (at + end[2])
        if before >= 0:
            kept.append(start)
        if (before > 0 > after) or (before < 0 < after):
            kept.append(start + (end - start) * (before / (before - after)))
    return np.array(kept).reshape(-1, 3)


def add_stretches(steps: Indices, corners: Numbers, size: tuple[int, int]) -> None:
    """Count where stretches of pixels that triangles cover begin, and, negative, where they end.

    Args:
        steps: (H, W + 1), is added to.
        corners: (T, 3, 2), pixels.
        size: (width, height).
    """
    low, high = corners.min(axis=1), corners.max(axis=1)
    seen = (high >= 0.0).all(axis=1) & (low <= size).all(axis=1)
    first = np.maximum(np.ceil(low[:, 1] - 0.5 - EDGE_PX), 0.0)
    last = np.minimum(np.floor(high[:, 1] - 0.5 + EDGE_PX), size[1] - 1.0)
    there = np.flatnonzero(seen & (first <= last))
    first, last = first[there].astype(np.int64), last[there].astype(np.int64)
    ends = (last - first + 1).cumsum()
    parts = np.searchsorted(ends, np.arange(AT_ONCE, ends[-1] if len(ends) else 0, AT_ONCE))
    for some in np.split(np.arange(len(there)), np.unique(parts)):
        of, row = spread(last[some] - first[some] + 1)
        add_rows(steps, corners[there[some[of]]], row + first[some[of]], size)


def add_rows(steps: Indices, corners: Numbers, rows: Indices, size: tuple[int, int]) -> None:
    """Do the same for triangles (K, 3, 2) of which each meets one row (K,)."""
    width, _ = size
    left, right = ends_in_rows(corners, rows.astype(np.float64) + 0.5)
    start = np.clip(np.ceil(left - 0.5 - EDGE_PX), 0.0, width)
    stop = np.clip(np.floor(right - 0.5 + EDGE_PX) + 1.0, 0.0, width)
    kept = start < stop
    flat = rows[kept] * (width + 1)
    size_all = steps.size
    begun = np.bincount(flat + start[kept].astype(np.int64), minlength=size_all)
    ended = np.bincount(flat + stop[kept].astype(np.int64), minlength=size_all)
    steps += (begun - ended).reshape(steps.shape)


def ends_in_rows(corners: Numbers, at: Numbers) -> tuple[Numbers, Numbers]:
    """Return where triangles (K, 3, 2) begin and end on horizontal lines (K,).

    A line just above or below a triangle counts as that through its highest or lowest corner.
    """
    at = np.clip(at, corners[:, :, 1].min(axis=1), corners[:, :, 1].max(axis=1))
    left, right = np.full(len(at), np.inf), np.full(len(at), -np.inf)
    for one, other in SIDES:
        begin, end = corners[:, one], corners[:, other]
        rise = end[:, 1] - begin[:, 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (at - begin[:, 1]) / rise
            x = begin[:, 0] + share * (end[:, 0] - begin[:, 0])
        meets = (share >= 0.0) & (share <= 1.0)
        left = np.where(meets, np.minimum(left, x), left)
        right = np.where(meets, np.maximum(right, x), right)
    return left, right


def bent(surfaces: Sequence[Surface], eye: Eye, clip: Clip) -> Flags:
    """Return the same of a lens that bends lines, ray by ray."""
    width, height = eye.size
    looked = rays(eye.camera, eye.size)
    points = (looked.origins + looked.directions).reshape(-1, 3)
    places = np.flatnonzero(np.isfinite(points).all(axis=1))
    aimed = eye.aims(points[places], NEAREST)
    stretch = np.linalg.norm(aimed.along, axis=1)
    found = np.zeros(width * height, np.bool_)
    for number in np.flatnonzero(may_meet(aimed, surfaces, eye)).tolist():
        surface = surfaces[number]
        local = in_camera(surface.points(), eye.camera)
        for place, depth in aimed.meetings(local, surface.mesh.triangles):
            far = depth * stretch[place]
            kept = (far >= clip.near) & (far <= clip.far)
            found[places[place[kept]]] = True
    return found.reshape(height, width)
