"""The one camera of a session."""

from __future__ import annotations

from typing import Any

import bpy
from mathutils import Matrix

from farm.spec.camera import Matrix4

NAME = "viewfarm camera"
"""No model's: an object that came second with a name would be called otherwise in labels."""
CLIP_START_SHARE = 1e-3
"""Nearest visible distance, as a share of the camera's own distance."""
CLIP_END = 1e4
"""Farthest visible distance, in sizes of the model."""


def add_camera(scene: bpy.types.Scene) -> bpy.types.Object:
    """Stand a camera in `scene` and make it the active one."""
    lens = bpy.data.cameras.new(NAME)
    lens.sensor_fit = "AUTO"  # the sensor's width spans the longer side of the picture
    camera = bpy.data.objects.new(NAME, lens)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def set_camera(
    camera: bpy.types.Object,
    world_from_camera: Matrix4,
    *,
    distance: float,
    focal_length_mm: float,
    sensor_width_mm: float,
) -> None:
    """Move the camera and set its lens."""
    camera.matrix_world = Matrix(world_from_camera)
    lens: Any = camera.data
    lens.lens = focal_length_mm
    lens.sensor_width = sensor_width_mm
    lens.clip_start = distance * CLIP_START_SHARE
    lens.clip_end = CLIP_END
