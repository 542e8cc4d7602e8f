"""Triangles of two bodies that go through each other, and how deep."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.bounds import Points
from worker.tabletop.bodies import Body

MOST_PAIRS = 2_000_000
"""Pairs of triangles whose boxes are compared at a time."""


class Crossing(NamedTuple):
    """What of two bodies crosses."""

    depth_m: float
    """How far the triangle that is deepest must be moved to be out of the other."""
    points: Points
    """(N, 3), about where they cross."""


def crossing(one: Body, other: Body) -> Crossing:
    """Return how deep two bodies' triangles go through each other, and where."""
    low, high = np.maximum(one.low, other.low), np.minimum(one.high, other.high)
    ours, theirs = triangles_in(one, low, high), triangles_in(other, low, high)
    first, second = pairs(ours, theirs)
    if not len(first):
        return Crossing(0.0, np.empty((0, 3)))
    depths = apart(ours[first], theirs[second])
    meet = depths > 0
    low = np.maximum(ours[first].min(axis=1), theirs[second].min(axis=1))[meet]
    high = np.minimum(ours[first].max(axis=1), theirs[second].max(axis=1))[meet]
    return Crossing(float(depths.max(initial=0.0)), (low + high) / 2)


def triangles_in(body: Body, low: Points, high: Points) -> Points:
    """Return the corners (N, 3, 3) of a body's triangles whose boxes meet a box."""
    corners = body.points[body.solid.triangles]
    meets = (corners.min(axis=1) <= high).all(axis=1) & (corners.max(axis=1) >= low).all(axis=1)
    return np.asarray(corners[meets])


def pairs(ours: Points, theirs: Points) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return places among triangles (N, 3, 3) of pairs whose boxes meet."""
    if not len(ours) or not len(theirs):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    low, high = theirs.min(axis=1), theirs.max(axis=1)
    step = max(1, MOST_PAIRS // len(theirs))
    found: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    for start in range(0, len(ours), step):
        least = ours[start : start + step].min(axis=1)
        most = ours[start : start + step].max(axis=1)
        meet = np.ones((len(least), len(theirs)), dtype=bool)
        for axis in range(3):
            meet &= least[:, None, axis] <= high[None, :, axis]
            meet &= most[:, None, axis] >= low[None, :, axis]
        first, second = np.nonzero(meet)
        found.append((first + start, second))
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def apart(ours: Points, theirs: Points) -> Points:
    """Return how far each pair of triangles (N, 3, 3) must be moved to be apart (N,).

    Negative where they are, then about by how much.
    """
    mine, yours = edges(ours), edges(theirs)
    axes = [np.cross(mine[:, 0], mine[:, 1]), np.cross(yours[:, 0], yours[:, 1])]
    axes += [np.cross(mine[:, i], yours[:, j]) for i in range(3) for j in range(3)]
    large = np.abs(mine).max(axis=(1, 2)) * np.abs(yours).max(axis=(1, 2))
    best = np.full(len(ours), np.inf)
    for axis in axes:
        lengths = np.linalg.norm(axis, axis=1)
        usable = lengths > 1e-6 * large
        unit = axis / np.where(usable, lengths, 1)[:, None]
        a, b = (np.einsum("nij,nj->ni", part, unit) for part in (ours, theirs))
        overlap = np.minimum(a.max(axis=1) - b.min(axis=1), b.max(axis=1) - a.min(axis=1))
        best = np.where(usable & (overlap < best), overlap, best)
    return np.where(np.isfinite(best), best, 0.0)


def edges(triangles: Points) -> Points:
    """Return the edges (N, 3, 3) of triangles, as vectors."""
    return np.asarray(np.roll(triangles, -1, axis=1) - triangles)
