"""Another look for a table: a picture as large as it says, or one colour."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from farm.errors import AssetError
from farm.spec.camera import Matrix4
from farm.spec.randomise import Paint, TablePaint
from worker.blender.models.model import Model
from worker.blender.randomised.changes import Changes
from worker.blender.randomised.paints import cover, plain_material, principled_of, set_surface
from worker.bounds import Points

UV_MAP = "viewfarm metres"
GREY = (0.5, 0.5, 0.5)
AXES = np.array([(1, 2), (0, 2), (0, 1)])
"""Coordinates in a face that looks along x, y, z."""


def dress(
    model: Model,
    world_from_file: Matrix4,
    paint: TablePaint,
    picture: Path | None,
    changes: Changes,
) -> None:
    """Let a table look otherwise.

    Args:
        model: The table.
        world_from_file: How large it is, in metres.
        paint: How it looks.
        picture: What it shows.
        changes: Puts all of it back.

    Raises:
        AssetError: The picture cannot be read.
    """
    material = plain_material("viewfarm table", paint.colour or GREY, changes)
    set_surface(material.node_tree, Paint(prop=0, roughness=paint.roughness), changes)
    if picture is not None:
        for item in model.rendered:
            add_metres(item, np.array(world_from_file), changes)
        show_picture(material, load_picture(picture, changes), paint)
    cover(model, material, changes)


def load_picture(path: Path, changes: Changes) -> bpy.types.Image:
    """Load a picture.

    Raises:
        AssetError: It is damaged.
    """
    try:
        image: Any = bpy.data.images.load(str(path), check_existing=False)
    except RuntimeError as error:
        raise AssetError(str(path), "Blender cannot load it") from error
    changes.made(bpy.data.images, image)
    if not all(image.size):
        raise AssetError(str(path), "its pixels cannot be decoded: the file is damaged")
    loaded: bpy.types.Image = image
    return loaded


def show_picture(material: bpy.types.Material, image: bpy.types.Image, paint: TablePaint) -> None:
    """Let a material show a picture again and again, each as large as it says."""
    tree: Any = material.node_tree
    metres = tree.nodes.new("ShaderNodeUVMap")
    metres.uv_map = UV_MAP
    mapping = tree.nodes.new("ShaderNodeMapping")
    size: Any = image.size
    tall = paint.size_m * size[1] / size[0]
    mapping.vector_type = "TEXTURE"  # turns and scales the picture, not its coordinates
    mapping.inputs["Rotation"].default_value = (0.0, 0.0, math.radians(paint.turn_deg))
    mapping.inputs["Scale"].default_value = (paint.size_m, tall, 1.0)
    shown = tree.nodes.new("ShaderNodeTexImage")
    shown.image = image
    tree.links.new(metres.outputs["UV"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], shown.inputs["Vector"])
    tree.links.new(shown.outputs["Color"], principled_of(material).inputs["Base Color"])


def add_metres(item: bpy.types.Object, world_from_file: Points, changes: Changes) -> None:
    """Give a mesh texture coordinates in metres, as if pictures lay on it from six sides."""
    mesh: Any = item.data
    if not isinstance(mesh, bpy.types.Mesh) or mesh.library is not None or not mesh.polygons:
        return
    layer = mesh.uv_layers.new(name=UV_MAP, do_init=False)
    if layer is None:  # there are eight already
        return
    name = layer.name
    changes.note(lambda: mesh.uv_layers.remove(mesh.uv_layers[name]))
    world_from_mesh = world_from_file @ np.array(item.matrix_world)
    layer.data.foreach_set("uv", metres_of(mesh, world_from_mesh).astype(np.float32).ravel())
    mesh.update()


def metres_of(mesh: Any, world_from_mesh: Points) -> Points:
    """Return where each corner of each face lies (N, 2), seen along the axis that its face looks
    along most.
    """
    points = numbers(mesh.vertices, "co", 3) @ world_from_mesh[:3, :3].T + world_from_mesh[:3, 3]
    normals = numbers(mesh.polygons, "normal", 3) @ np.linalg.inv(world_from_mesh[:3, :3])
    counts = numbers(mesh.polygons, "loop_total", 1).ravel().astype(int)
    corners = numbers(mesh.loops, "vertex_index", 1).ravel().astype(int)
    axes = np.repeat(np.abs(normals).argmax(axis=1), counts)
    return np.take_along_axis(points[corners], AXES[axes], axis=1)


def numbers(collection: Any, name: str, width: int) -> Points:
    """Return a property of all elements, (N, width)."""
    kind = np.int32 if name in ("loop_total", "vertex_index") else np.float32
    found = np.empty(len(collection) * width, kind)
    collection.foreach_get(name, found)
    return found.reshape(-1, width).astype(np.float64)
