"""Convex hulls as closed surfaces: by Blender's own tools."""

from __future__ import annotations

from typing import Any, NamedTuple

import bpy  # noqa: F401  before its bmesh is there
import numpy as np
from bmesh import new, ops

from worker.blender.physics.solid import Triangles
from worker.bounds import Points


class Hull(NamedTuple):
    """A convex hull."""

    points: Points
    triangles: Triangles
    volume: float
    middle: Points
    """(3,), of its volume."""


def hull_of(points: Points) -> Hull | None:
    """Return the convex hull of points (N, 3); None of a flat one."""
    scale = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    if scale <= 0:
        return None
    start = points.mean(axis=0)
    shape: Any = new()
    try:
        for point in ((points - start) / scale).tolist():
            shape.verts.new(point)
        ops.convex_hull(shape, input=shape.verts, use_existing_faces=False)
        ops.triangulate(shape, faces=shape.faces)
        shape.verts.index_update()
        corners = [vert for vert in shape.verts if vert.link_faces]
        places = {vert.index: place for place, vert in enumerate(corners)}
        hull = np.array([vert.co for vert in corners]) * scale + start
        triangles = [[places[vert.index] for vert in face.verts] for face in shape.faces]
    finally:
        shape.free()
    if len(triangles) < 4:
        return None
    return measured(hull, outwards(hull, np.array(triangles, dtype=np.int32)))


def outwards(points: Points, triangles: Triangles) -> Triangles:
    """Return the triangles of a convex surface, all of which face away from its middle."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    inwards = np.einsum("ij,ij->i", np.cross(b - a, c - a), a - points.mean(axis=0)) < 0
    return np.where(inwards[:, None], triangles[:, ::-1], triangles)


def measured(points: Points, triangles: Triangles) -> Hull:
    """Return a closed surface with its volume and the middle of that."""
    volume, middle = volume_and_middle(points, triangles)
    return Hull(points, triangles, abs(volume), middle)


def volume_and_middle(points: Points, triangles: Triangles) -> tuple[float, Points]:
    """Return the signed volume within triangles that face outwards, and its middle (3,)."""
    start = points.mean(axis=0)
    a, b, c = (points[triangles[:, corner]] - start for corner in range(3))
    each = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6
    volume = float(each.sum())
    if volume == 0:
        return 0.0, start
    return volume, start + (each[:, None] * (a + b + c) / 4).sum(axis=0) / volume
