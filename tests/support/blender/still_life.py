"""A model whose every label is known: a box that moves, a sheet and a ball, all of other kinds."""

from __future__ import annotations

import bpy  # brings along the others

# isort: split

import bmesh
import numpy as np
from mathutils import Matrix

from farm.spec.record import ViewRecord
from tests.support.blender.rays import Solid, shifted, turned
from tests.support.blender.scenes import a_material

FRAME = 10
BOX_SIZE = (1.0, 0.4, 0.6)
STEP = (0.05, -0.03, 0.02)
"""How far the box goes from frame to frame, and it turns about its own vertical, too."""
TURN_DEG = 4.0
BALL_RADIUS, BALL_AT = 0.25, (0.55, 0.5, 0.35)
SHEET_SIDE, SHEET_AT = 1.6, (0.0, 0.1, -0.45)
NAMES = ("ball", "crate", "sheet")
"""Sorted, so that their numbers are 1, 2, 3."""
KEYPOINTS = {"corner": (0.5, 0.2, 0.3), "inside": (0.0, 0.0, 0.0), "top": (0.0, 0.0, 0.3)}
"""In the frame of the crate."""


def crate_at(frame: int) -> np.ndarray:
    """The crate's own turn and shift at a frame."""
    steps = frame - FRAME
    x, y, z = (steps * part for part in STEP)
    return shifted(x, y, z) @ turned("z", 20 + steps * TURN_DEG) @ turned("x", 10)


def solids(frame: int = FRAME) -> list[Solid]:
    """The same things in the coordinates of the file, in the order of `NAMES`."""
    return [
        Solid("ball", shifted(*BALL_AT) @ np.diag([*[BALL_RADIUS] * 3, 1.0])),
        Solid("box", crate_at(frame) @ np.diag([*BOX_SIZE, 1.0])),
        Solid("sheet", shifted(*SHEET_AT) @ np.diag([SHEET_SIDE, SHEET_SIDE, 1.0, 1.0])),
    ]


def placed(record: ViewRecord, frame: int = FRAME) -> list[Solid]:
    """The same things in the world of a record."""
    world_from_model = np.array(record.objects[0].world_from_file)
    return [Solid(each.shape, world_from_model @ each.world_from_solid) for each in solids(frame)]


def fill_still_life(scene: bpy.types.Scene) -> None:
    """Make it in a scene, whose own frame is `FRAME`."""
    scene.frame_set(FRAME)
    scene.unit_settings.scale_length = 0.01
    crate = add_shape(scene, "crate", cube(BOX_SIZE), a_material())
    for frame in (FRAME - 1, FRAME, FRAME + 1):
        crate.rotation_mode = "QUATERNION"
        crate.location, crate.rotation_quaternion, _ = Matrix(crate_at(frame).tolist()).decompose()
        crate.keyframe_insert("location", frame=frame)
        crate.keyframe_insert("rotation_quaternion", frame=frame)
    crate.location, crate.rotation_quaternion, _ = Matrix(crate_at(FRAME).tolist()).decompose()
    ball = bmesh.new()
    bmesh.ops.create_icosphere(ball, subdivisions=6, radius=BALL_RADIUS)
    add_shape(scene, "ball", ball, None).location = BALL_AT
    sheet = bmesh.new()
    bmesh.ops.create_grid(sheet, x_segments=1, y_segments=1, size=SHEET_SIDE / 2)
    paint = a_material(colour=(0.1, 0.6, 0.2, 1.0))
    paint.name = "grass"
    add_shape(scene, "sheet", sheet, paint).location = SHEET_AT
    for name, at in KEYPOINTS.items():
        point = bpy.data.objects.new(f"keypoint_{name}", None)
        point.parent, point.location = crate, at
        scene.collection.objects.link(point)


def cube(size: tuple[float, float, float]) -> bmesh.types.BMesh:
    shape = bmesh.new()
    bmesh.ops.create_cube(shape, size=1.0)
    bmesh.ops.scale(shape, vec=size, verts=shape.verts)
    return shape


def add_shape(
    scene: bpy.types.Scene,
    name: str,
    shape: bmesh.types.BMesh,
    material: bpy.types.Material | None,
) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    shape.to_mesh(mesh)
    shape.free()
    if material is not None:
        mesh.materials.append(material)
    item = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(item)
    return item
