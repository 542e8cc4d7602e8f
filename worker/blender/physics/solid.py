"""A model as a thing that falls and touches others; NumPy alone, in the units of its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from worker.bounds import Points

Triangles = NDArray[np.int32]
"""(T, 3), places among points."""


class Surface(Protocol):
    """A surface that can be asked where it is."""

    def nearest(self, points: Points, most: float) -> tuple[Points, Points]:
        """Return how far points (N, 3) are from it, and its normals there.

        Further off than `most`: infinity.
        """
        ...

    def first_hits(self, points: Points, ray: Points) -> tuple[Points, Points]:
        """Return how far rays (3,) from points (N, 3) go until they meet it, or infinity, and its
        normals there.
        """
        ...

    def is_around(self, point: Points) -> bool:
        """Tell whether a point (3,) is inside, from wherever one looks."""
        ...


@dataclass(frozen=True, eq=False)
class Solid:
    """A model's surface as it is rendered, and convex parts that stand for it while it falls.

    All points count from the middle of its box.
    """

    path: str
    metres_per_file_unit: float
    middle: Points
    """(3,), of its box, in the file's coordinates."""
    points: Points
    """(N, 3), corners of its surface."""
    triangles: Triangles
    samples: Points
    """(N, 3), some points of its surface, the outermost among them."""
    surface: Surface
    parts: tuple[Points, ...]
    """(N, 3) each: corners of convex parts that are about as large as it is."""
    weight_at: Points
    """(3,), where it is in balance."""
    hull: Points
    """(N, 4): planes of its convex hull, each a normal that faces outwards and a distance."""
    stands_on: Points
    """(N, 3): directions from it to a plane on which it stands by itself, each a side of its hull
    above which its weight is."""
    faces_outwards: bool = True
    """Its triangles tell by the way they face which side is inside."""
    is_hollow: bool = False
    """Other things may be inside of it."""

    @property
    def size(self) -> float:
        """Longest side of its box."""
        return float(np.ptp(self.points, axis=0).max())

    @property
    def bytes(self) -> int:
        """Roughly what it takes in memory."""
        return 3 * self.points.nbytes + 12 * self.triangles.nbytes + self.samples.nbytes


def areas_and_normals(points: Points, triangles: Triangles) -> tuple[Points, Points]:
    """Return the areas (T,) and the unit normals (T, 3) of triangles; 0 of those without area."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    crossed = np.cross(b - a, c - a)
    lengths = np.linalg.norm(crossed, axis=1)
    return lengths / 2, crossed / np.where(lengths > 0, lengths, 1)[:, None]


def samples_of(points: Points, triangles: Triangles, count: int) -> tuple[Points, NDArray[np.intp]]:
    """Return `count` points (N, 3) that are spread over a surface, and the triangle of each.

    No chance is drawn.
    """
    areas, _ = areas_and_normals(points, triangles)
    total = areas.cumsum()
    at = (np.arange(count) + 0.5) / count * total[-1]
    which = np.minimum(np.searchsorted(total, at), len(triangles) - 1)
    chosen = triangles[which]
    index = np.arange(count)
    u, v = (index * 0.7548776662466927) % 1, (index * 0.5698402909980532) % 1
    over = u + v > 1
    u, v = np.where(over, 1 - u, u)[:, None], np.where(over, 1 - v, v)[:, None]
    a, b, c = (points[chosen[:, corner]] for corner in range(3))
    return np.asarray(a + u * (b - a) + v * (c - a)), which


def edge_samples(points: Points, triangles: Triangles, spacing: float, most: int) -> Points:
    """Return points (N, 3) along edges that are longer than `spacing`: at most about `most`."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    start, end = points[pairs[:, 0]], points[pairs[:, 1]]
    counts = np.floor(np.linalg.norm(end - start, axis=1) / spacing).astype(int)
    if counts.sum() > most:
        counts = np.floor(counts * (most / counts.sum())).astype(int)
    which = np.repeat(np.arange(len(pairs)), counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    share = (np.arange(len(which)) - before + 1) / (counts[which] + 1)
    return np.asarray(start[which] + share[:, None] * (end - start)[which])


def every(points: Points, most: int) -> Points:
    """Return at most `most` of points (N, 3), evenly by their order."""
    if len(points) <= most:
        return points
    return np.asarray(points[np.linspace(0, len(points) - 1, most).astype(int)])
