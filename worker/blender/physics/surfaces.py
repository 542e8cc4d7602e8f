"""The surface of a model, as it is rendered: all its pieces as one set of triangles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from worker.blender.models.measure import ShownObject, has_area, look, seen_by_camera
from worker.blender.models.model import Model
from worker.blender.physics.modified import Shape, shape_of
from worker.bounds import Points, transformed

MOST_TRIANGLES = 400_000
"""Triangles that are kept of a model; of more, corners are put together."""
FINEST = 400
"""Cells along the longest side, each of which keeps one corner then."""


def surface_of(scene: bpy.types.Scene, render: Callable[[], None]) -> Shape:
    """Return corners (N, 3) and triangles of all that is rendered of a scene's meshes."""
    shapes: dict[int, Shape] = {}
    placed: list[Shape] = []

    def visit(depsgraph: bpy.types.Depsgraph) -> None:
        for instance in depsgraph.object_instances:
            item: Any = ShownObject(instance)
            if not instance.show_self or item.type != "MESH" or item.data is None:
                continue
            if not seen_by_camera(item) or not has_area(instance.matrix_world):
                continue
            key = item.data.as_pointer()
            if key not in shapes:
                shapes[key] = shape_of(item.data)
            placed.append(at_its_place(shapes[key], np.array(instance.matrix_world)))

    look(scene, render, visit)
    return joined(placed)


@contextmanager
def alone(model: Model, models: Iterable[Model]) -> Iterator[None]:
    """Show one of several models alone for a while."""
    others = [each.parent for each in models if each is not model and not each.parent.hide_render]
    for parent in others:
        parent.hide_render = True
    try:
        yield
    finally:
        for parent in others:
            parent.hide_render = False


def at_its_place(shape: Shape, matrix: Points) -> Shape:
    """Return a shape where a matrix takes it; mirrored, its triangles still face outwards."""
    points, triangles = shape
    turned = triangles[:, ::-1] if np.linalg.det(matrix[:3, :3]) < 0 else triangles
    return transformed(points, matrix), turned


def joined(shapes: list[Shape]) -> Shape:
    """Return shapes as one; of corners in one place one is left, as are triangles with an area."""
    if not shapes:
        return np.empty((0, 3)), np.empty((0, 3), dtype=np.int32)
    starts = np.cumsum([0, *(len(points) for points, _ in shapes)])[:-1]
    points = np.concatenate([points for points, _ in shapes])
    triangles = np.concatenate(
        [triangles + start for (_, triangles), start in zip(shapes, starts, strict=True)]
    ).astype(np.int32)
    triangles = triangles[np.isfinite(points).all(axis=1)[triangles].all(axis=1)]
    size = float(np.ptp(points[triangles.reshape(-1)], axis=0).max()) if len(triangles) else 0.0
    welded = welded_by(points, triangles, size * 1e-7)
    if len(welded[1]) > MOST_TRIANGLES:
        return welded_by(*welded, size / FINEST)
    return welded


def welded_by(points: Points, triangles: NDArray[np.int32], cell: float) -> Shape:
    """Return a shape with one corner for each cell of a grid."""
    used = np.unique(triangles)
    if not len(used) or cell <= 0:
        return np.empty((0, 3)), np.empty((0, 3), dtype=np.int32)
    cells = np.round((points[used] - points[used].min(axis=0)) / cell).astype(np.int64)
    _, first, inverse = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    place = np.zeros(len(points), dtype=np.int32)
    place[used] = inverse.reshape(-1)
    corners = place[triangles]
    a, b, c = corners.T
    corners = corners[(a != b) & (b != c) & (c != a)]
    return points[used[first]], corners
