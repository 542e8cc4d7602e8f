"""Convex parts of what is hollow, such as a bowl, a mug or a ring: by CoACD."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from worker.blender.physics.convex import Hull
from worker.blender.physics.modified import CELLS, Shape, closed, coarser
from worker.blender.physics.solid import Surface, Triangles, areas_and_normals, samples_of
from worker.blender.physics.tree import Tree
from worker.bounds import Points

HOLLOW = 0.12
"""Share of a hull that its pockets fill from which on it does not stand for what it is of."""
DEEP = 0.05
"""Depth of such a pocket, as a share of the longest side."""
NEIGHBOURS = 5
"""Points that tell together how deep a pocket is."""
MOST_PARTS = 40
OUTSIDE = 0.01
"""How far beside a hull it is looked from, as a share of its size: it may be a little too small."""
LOOKED_AT = 600
"""Points of a hull from which its pockets are measured."""
MOST_TRIANGLES = 1500
"""How coarse a surface is made before it is taken apart."""
MOST_OF_IT = 0.97
"""Share of a surface that must be left when it is closed."""


class Seen(NamedTuple):
    """What is seen of a surface, from its hull straight inwards."""

    is_hollow: bool
    """Much of the hull is empty."""
    outwards: float
    """Share of what is seen that faces outwards."""


def seen_of(hull: Hull, surface: Surface) -> Seen:
    """Look at a surface from its hull."""
    size = float(np.ptp(hull.points, axis=0).max())
    starts, which = samples_of(hull.points, hull.triangles, LOOKED_AT)
    areas, normals = areas_and_normals(hull.points, hull.triangles)
    outside, out = starts + OUTSIDE * size * normals[which], normals[which]
    hits = [surface.first_hits(at[None], -way) for at, way in zip(outside, out, strict=True)]
    depths = np.concatenate([depth for depth, _ in hits])
    facing = (np.concatenate([normal for _, normal in hits]) * out).sum(axis=1)
    facing = facing[np.isfinite(depths)]
    depths = wide(starts, (depths - OUTSIDE * size).clip(0.0, size))
    filled = float(areas.sum() * depths.mean()) / hull.volume
    hollow = bool(filled > HOLLOW and np.quantile(depths, 0.95) > DEEP * size)
    return Seen(hollow, float((facing > 0).mean()) if len(facing) else 0.0)


def wide(points: Points, depths: Points) -> Points:
    """Return how deep pockets are (N,) as far as they are wide, and no slits, around points."""
    squares = (points**2).sum(axis=1)
    near = squares[:, None] + squares - 2 * points @ points.T
    return np.asarray(np.median(depths[np.argsort(near, axis=1)[:, :NEIGHBOURS]], axis=1))


def parts_of(points: Points, triangles: Triangles) -> tuple[Points, ...]:
    """Return the corners (N, 3) of convex parts that together are about a surface."""
    size, start = float(np.ptp(points, axis=0).max()), points.mean(axis=0)
    corners, faces = whole((points - start) / size, triangles)
    found = coacd().run_coacd(
        coacd().Mesh(corners, faces),
        threshold=0.08,
        max_convex_hull=MOST_PARTS,
        preprocess_mode="off" if is_closed(faces) else "on",
        preprocess_resolution=30,
        resolution=500,
        mcts_iterations=15,
        mcts_nodes=10,
        mcts_max_depth=2,
        max_ch_vertex=64,
        seed=0,
    )
    return tuple(np.asarray(part, dtype=np.float64) * size + start for part, _ in found)


def whole(points: Points, triangles: Triangles) -> Shape:
    """Return about the same surface with few triangles, closed if it can be: CoACD is slow else."""
    if is_closed(triangles):
        shape = coarser(points, triangles, MOST_TRIANGLES)
        if is_closed(shape[1]):
            return shape
    shape = closed(points, triangles, walls=False)
    if not covers(shape, points, triangles):
        shape = closed(points, triangles, walls=True)
    return coarser(*shape, MOST_TRIANGLES)


def covers(shape: Shape, points: Points, triangles: Triangles) -> bool:
    """Tell whether a shape that was made of a surface is closed, and all of that still there."""
    if not len(shape[1]) or not is_closed(shape[1]):
        return False
    near = 2.0 / CELLS * float(np.ptp(points, axis=0).max())
    samples, _ = samples_of(points, triangles, LOOKED_AT)
    distances, _ = Tree(*shape).nearest(samples, near)
    return bool(np.isfinite(distances).mean() > MOST_OF_IT)


def is_closed(triangles: Triangles) -> bool:
    """Tell whether a surface has no rim, and each edge two triangles that face the same way."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    if len(np.unique(edges, axis=0)) < len(edges):
        return False
    back = np.unique(edges[:, ::-1], axis=0)
    return bool(np.array_equal(back, np.unique(edges, axis=0)))


@functools.cache
def coacd() -> Any:
    """Return CoACD, which says nothing unless it fails."""
    import coacd as module

    module.set_log_level("error")
    return module
