"""Metaballs as the meshes that they make: a collection shown through a parent has none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy


def as_meshes(
    scene: bpy.types.Scene, objects: Iterable[bpy.types.Object]
) -> list[bpy.types.Object]:
    """Return `objects` with the metaballs among them replaced by what they look like together."""
    objects = list(objects)
    balls = [item for item in objects if item.type == "META"]
    if not balls:
        return objects
    others = [item for item in objects if item.type != "META"]
    for ball in balls:
        data: Any = ball.data
        data.resolution = data.render_resolution
        scene.collection.objects.link(ball)
    layer: Any = scene.view_layers[0]
    layer.update()
    meshes = [mesh_of(ball, layer.depsgraph) for ball in balls]
    for ball in balls:
        scene.collection.objects.unlink(ball)
    return others + meshes


def mesh_of(ball: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> bpy.types.Object:
    """Return a new object with the surface of a metaball; the first of a family has it all."""
    evaluated = ball.evaluated_get(depsgraph)
    mesh = bpy.data.meshes.new_from_object(evaluated, depsgraph=depsgraph)
    name, ball.name = ball.name, "metaball"  # names are given once, and labels tell this one
    item = bpy.data.objects.new(name, mesh)
    item.matrix_world = evaluated.matrix_world.copy()
    return item
