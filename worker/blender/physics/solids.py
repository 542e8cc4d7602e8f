"""Solids of models: made once in a process, and kept while there is room."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from farm.errors import AssetError
from worker.blender.physics.convex import Hull, hull_of, volume_and_middle
from worker.blender.physics.hulls import few_corners
from worker.blender.physics.modified import Shape
from worker.blender.physics.pieces import Seen, is_closed, parts_of, seen_of
from worker.blender.physics.solid import (
    Solid,
    Triangles,
    areas_and_normals,
    edge_samples,
    every,
    samples_of,
)
from worker.blender.physics.tree import Tree
from worker.bounds import Points, extremes

MOST_BYTES = 512 << 20
"""Memory that kept solids may take; what was used longest ago goes first."""
THIN = 1e-3
"""Shortest side of a solid's box, as a share of the longest, below which it has no inside."""
SURELY = 0.98
"""Share of a surface that faces the same way, in or out, from which on that tells its inside."""
SAMPLES = 800
"""Points of a surface of each kind: corners, along edges, on faces."""

Key = tuple[str, str, bool]
"""An asset's bytes, where they are, and whether it falls."""


class Solids:
    """The solids that this process knows."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Solid] = OrderedDict()

    def find(self, key: Key) -> Solid | None:
        """Return a solid that is kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: Key, solid: Solid) -> None:
        """Keep a solid, and let go of those that were used longest ago where room is short."""
        self._kept[key] = solid
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(each.bytes for each in self._kept.values()) > MOST_BYTES:
            self._kept.popitem(last=False)


def solid_of(path: str, shape: Shape, *, metres_per_file_unit: float, falls: bool) -> Solid:
    """Return a surface as a solid.

    Args:
        path: Of the asset, for errors.
        shape: Its surface, in the file's coordinates.
        metres_per_file_unit: Metres that a unit of the file stands for.
        falls: It is to fall, or to be fallen upon as it is; else it has no parts.

    Raises:
        AssetError: It has no inside.
    """
    points, triangles = shape
    if not len(triangles):
        raise AssetError(path, NO_SURFACE)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    points = points - middle
    surface = Tree(points, triangles)
    hull = inside_of(path, points) if falls else hull_of(extremes(points))
    seen = seen_of(hull, surface) if hull is not None else Seen(is_hollow=False, outwards=1.0)
    if seen.outwards < 0.5:
        triangles = np.ascontiguousarray(triangles[:, ::-1])
        surface = Tree(points, triangles)
    parts: tuple[Points, ...] = ()
    weight_at, planes = np.zeros(3), np.empty((0, 4))
    if falls and hull is not None:
        parts = parts_of(points, triangles) if seen.is_hollow else (few_corners(points),)
        weight_at, planes = balance(hull, parts, (points, triangles)), planes_of(hull)
    return Solid(
        path=path,
        metres_per_file_unit=metres_per_file_unit,
        middle=middle,
        points=points,
        triangles=triangles,
        samples=some_points(points, triangles),
        surface=surface,
        parts=parts,
        weight_at=weight_at,
        hull=planes,
        stands_on=stable(planes, weight_at),
        faces_outwards=abs(seen.outwards - 0.5) > SURELY - 0.5,
        is_hollow=seen.is_hollow,
    )


NO_SURFACE = (
    "it has no faces that could lie on a table, only lines, points, hair or a volume: give it a "
    "mesh, or take it out of the objects"
)
FLAT = (
    "it is flat and has no inside, so that it cannot fall: give it a thickness (in Blender, the "
    "modifier Solidify), or take it out of the objects"
)


def inside_of(path: str, points: Points) -> Hull:
    """Return the hull of what has an inside.

    Raises:
        AssetError: It has none.
    """
    outline = extremes(points)
    hull = hull_of(outline)
    if hull is None:
        raise AssetError(path, FLAT)
    _, axes = np.linalg.eigh(np.cov((outline - outline.mean(axis=0)).T))
    sides = np.ptp(outline @ axes, axis=0)
    if sides.min() < THIN * sides.max():
        raise AssetError(path, FLAT)
    return hull


def balance(hull: Hull, parts: tuple[Points, ...], shape: Shape) -> Points:
    """Return where a solid is in balance (3,): the middle of what it is filled with."""
    points, triangles = shape
    if is_closed(triangles):
        volume, middle = volume_and_middle(points, triangles)
        if 0 < abs(volume) <= hull.volume * 1.001:
            return middle
    hulls = [each for each in map(hull_of, parts) if each is not None] or [hull]
    volumes = np.array([each.volume for each in hulls])
    middles = np.array([each.middle for each in hulls])
    return np.asarray(volumes @ middles / volumes.sum())


def planes_of(hull: Hull) -> Points:
    """Return the planes (N, 4) of a hull."""
    _, normals = areas_and_normals(hull.points, hull.triangles)
    distances = np.einsum("ij,ij->i", normals, hull.points[hull.triangles[:, 0]])
    return np.column_stack([normals, distances])


def stable(planes: Points, weight_at: Points) -> Points:
    """Return the normals (N, 3) of those planes of a hull (M, 4) on which a weight stays."""
    normals, distances = planes[:, :3], planes[:, 3]
    foot = weight_at + (distances - normals @ weight_at)[:, None] * normals
    slack = 1e-4 * float(np.abs(distances).max(initial=0.0))
    inside = (foot @ normals.T <= distances + slack).all(axis=1)
    return np.asarray(normals[inside & (np.linalg.norm(normals, axis=1) > 0.5)])


def some_points(points: Points, triangles: Triangles) -> Points:
    """Return points of a surface (N, 3): the outermost, of its corners, edges and faces."""
    size = float(np.ptp(points, axis=0).max())
    used = points[np.unique(triangles)]
    return np.concatenate(
        [
            extremes(used, 300),
            every(used, SAMPLES),
            edge_samples(points, triangles, size / 50, SAMPLES),
            samples_of(points, triangles, SAMPLES)[0],
        ]
    )
