"""Surfaces as Blender's modifiers change them: made coarser, or closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np

from worker.blender.physics.solid import Triangles
from worker.bounds import Points

CELLS = 60
"""Of a surface that is closed, along its longest side."""
WALL = 0.02
"""Thickness that a surface without any gets, as a share of its longest side."""

Shape = tuple[Points, Triangles]


def coarser(points: Points, triangles: Triangles, most: int) -> Shape:
    """Return about the same surface of about `most` triangles, if it has more."""
    if len(triangles) <= most:
        return points, triangles

    def add(item: Any) -> None:
        modifier = item.modifiers.new("coarser", "DECIMATE")
        modifier.ratio = most / len(triangles)
        modifier.use_collapse_triangulate = True

    return modified(points, triangles, add)


def closed(points: Points, triangles: Triangles, *, walls: bool) -> Shape:
    """Return a surface around the same space, without a rim or an edge of three triangles.

    Args:
        points: Corners (N, 3).
        triangles: Of the surface.
        walls: The surface has no thickness, and gets some.
    """
    size = float(np.ptp(points, axis=0).max())

    def add(item: Any) -> None:
        if walls:
            modifier = item.modifiers.new("walls", "SOLIDIFY")
            modifier.thickness, modifier.offset = WALL * size, 0.0
        modifier = item.modifiers.new("closed", "REMESH")
        modifier.mode, modifier.voxel_size = "VOXEL", size / CELLS

    return modified(points, triangles, add)


def modified(points: Points, triangles: Triangles, add: Callable[[Any], None]) -> Shape:
    """Return what modifiers that `add` gives an object make of a surface."""
    mesh = bpy.data.meshes.new("modified")
    item = bpy.data.objects.new("modified", mesh)
    scene = bpy.data.scenes.new("modified")
    try:
        mesh.from_pydata(points.tolist(), [], triangles.tolist())
        scene.collection.objects.link(item)
        add(item)
        layer: Any = scene.view_layers[0]
        layer.update()
        return shape_of(item.evaluated_get(layer.depsgraph).data)
    finally:
        bpy.data.scenes.remove(scene)
        bpy.data.objects.remove(item)
        bpy.data.meshes.remove(mesh)


def shape_of(mesh: Any) -> Shape:
    """Return the corners and triangles of a mesh, in its own coordinates."""
    mesh.calc_loop_triangles()
    points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    triangles = np.empty(len(mesh.loop_triangles) * 3, dtype=np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    return points.reshape(-1, 3).astype(np.float64), triangles.reshape(-1, 3)
