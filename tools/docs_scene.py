"""Scenes for the pictures of the docs.

python -m tools.docs_scene table MODELS FILE
python -m tools.docs_scene monkey FILE
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix, Vector

STANDING = {"chair": (0.1, 0.45, 1.5), "cup": (0.75, -0.45, 0.75), "goblet": (-0.75, -0.4, 1.1)}
"""Where the middle of each model stands, x and y, and how high it is: toys on a table."""
FRAMES = 30
FPS = 12
WAY_DEG = 70.0
"""How far the camera goes around the table."""
TURN_DEG = 120.0
"""How far the chair turns the other way."""


def main() -> None:
    """Write the scene that is asked for."""
    what, *paths = sys.argv[1:]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if what == "monkey":
        bpy.ops.mesh.primitive_monkey_add()
        bpy.ops.object.shade_smooth()
    else:
        fill_table(Path(paths[0]))
    bpy.ops.wm.save_as_mainfile(filepath=paths[-1], compress=True)


def fill_table(models: Path) -> None:
    """Let a camera go around a table, on which the sample models stand and one of them turns."""
    context: Any = bpy.context
    scene = context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, FRAMES, FPS
    for name, (x, y, height) in STANDING.items():
        foot = stand(context, append(scene, models / f"{name}.blend"), name, height)
        foot.location = (x, y, 0.0)
        if name == "chair":
            spin(foot, -TURN_DEG)
    add_table(scene)
    add_camera(scene)


def append(scene: Any, path: Path) -> list[Any]:
    """Bring all objects of a model's file."""
    with bpy.data.libraries.load(str(path)) as (source, target):
        target.objects = list(source.objects)
    for item in target.objects:
        scene.collection.objects.link(item)
    return list(target.objects)


def stand(context: Any, parts: list[Any], name: str, height: float) -> Any:
    """Scale a model's parts to a height; return what moves them, at the middle of their foot."""
    context.view_layer.update()
    corners = [part.matrix_world @ Vector(corner) for part in parts for corner in part.bound_box]
    low = Vector(map(min, zip(*corners, strict=True)))
    high = Vector(map(max, zip(*corners, strict=True)))
    middle = (low + high) / 2
    foot = bpy.data.objects.new(f"{name} foot", None)
    context.scene.collection.objects.link(foot)
    scaled = Matrix.Scale(height / (high.z - low.z), 4)
    scaled = scaled @ Matrix.Translation((-middle.x, -middle.y, -low.z))
    for part in parts:
        part["category"] = name
        if part.parent not in parts:
            part.matrix_world = scaled @ part.matrix_world
            part.parent = foot
    return foot


def spin(item: Any, angle_deg: float) -> None:
    """Turn something about the vertical, evenly, from the first frame to the last."""
    for frame, angle in ((1, 0.0), (FRAMES, math.radians(angle_deg))):
        item.rotation_euler = (0.0, 0.0, angle)
        item.keyframe_insert("rotation_euler", frame=frame)
    for curve in item.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"


def add_camera(scene: Any) -> None:
    """Let a camera look at the middle of the table while it goes around."""
    centre = bpy.data.objects.new("centre", None)
    data = bpy.data.cameras.new("camera")
    data.lens = 50.0
    camera = bpy.data.objects.new("camera", data)
    for item in (centre, camera):
        scene.collection.objects.link(item)
    camera.parent = centre
    camera.location = (0.0, -4.2, 1.9)
    way = Vector((0.0, 0.0, 0.5)) - camera.location
    camera.rotation_euler = way.to_track_quat("-Z", "Y").to_euler()
    spin(centre, WAY_DEG)
    scene.camera = camera


def add_table(scene: Any) -> None:
    """Put a round table under them."""
    bpy.ops.mesh.primitive_cylinder_add(vertices=96, radius=1.6, depth=0.1, location=(0, 0, -0.05))
    context: Any = bpy.context
    table = context.object
    table.name = "table"
    wood: Any = bpy.data.materials.new("wood")
    shader = wood.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (0.35, 0.2, 0.1, 1.0)
    shader.inputs["Roughness"].default_value = 0.45
    table.data.materials.append(wood)


if __name__ == "__main__":
    main()
