"""A plane under a model that is not seen, and catches its shadow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

NAME = "viewfarm ground"
HALF_SIDE = 500.0
"""Half of a side of the plane, in sizes of the model: at a level look, its end is the horizon."""


@contextmanager
def ground(scene: Any, height: float, *, size: float) -> Iterator[None]:
    """Have a plane catch shadows at this height, and the renderer tell them apart.

    It is not there for any other picture, so that no mask, label or light knows of it.

    Args:
        scene: Where it is.
        height: Of the plane.
        size: Of what stands on it.
    """
    half = HALF_SIDE * size
    mesh = bpy.data.meshes.new(NAME)
    corners = [(x * half, y * half, height) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    plane: Any = bpy.data.objects.new(NAME, mesh)
    plane.is_shadow_catcher = True
    scene.collection.objects.link(plane)
    layer = scene.view_layers[0].cycles
    layer.use_pass_shadow_catcher = True
    try:
        yield
    finally:
        layer.use_pass_shadow_catcher = False
        bpy.data.objects.remove(plane)
        bpy.data.meshes.remove(mesh)
