"""The scene of a script without a file: a cube, a lamp and a camera, as Blender starts with."""

from __future__ import annotations

from typing import Any

import bpy
from mathutils import Vector

CORNERS = [(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]
FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
CAMERA_AT, CAMERA_TURN = (7.3589, -6.9258, 4.9583), (1.1093, 0.0, 0.8149)
LAMP_AT, LAMP_W = (4.0762, 1.0055, 5.9039), 1000.0
GREY = (0.0509, 0.0509, 0.0509, 1.0)


def make_startup_scene() -> bpy.types.Scene:
    """Make the scene, with the names that Blender gives its things."""
    scene = bpy.data.scenes.new("Scene")
    scene.world = grey_world()
    collection = bpy.data.collections.new("Collection")
    scene.collection.children.link(collection)
    camera = placed("Camera", bpy.data.cameras.new("Camera"), CAMERA_AT, CAMERA_TURN)
    lamp: Any = bpy.data.lights.new("Light", "POINT")
    lamp.energy, lamp.shadow_soft_size = LAMP_W, 0.1
    for item in (cube(), placed("Light", lamp, LAMP_AT), camera):
        collection.objects.link(item)
    scene.camera = camera
    return scene


def cube() -> bpy.types.Object:
    """Make a cube of two units, in a material."""
    mesh = bpy.data.meshes.new("Cube")
    mesh.from_pydata([Vector(corner) for corner in CORNERS], [], FACES)
    mesh.materials.append(bpy.data.materials.new("Material"))
    return bpy.data.objects.new("Cube", mesh)


def grey_world() -> bpy.types.World:
    """Make a world that is dark grey all around."""
    world = bpy.data.worlds.new("World")
    tree: Any = world.node_tree
    tree.nodes["Background"].inputs["Color"].default_value = GREY
    return world


def placed(
    name: str,
    data: bpy.types.ID,
    at: tuple[float, float, float],
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> bpy.types.Object:
    """Make an object that stands somewhere."""
    item: Any = bpy.data.objects.new(name, data)
    item.location, item.rotation_euler = at, turn
    return item  # type: ignore[no-any-return]  # what the stubs cannot know
