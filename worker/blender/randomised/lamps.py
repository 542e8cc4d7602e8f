"""Lamps beside the environment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import bpy
import numpy as np
from mathutils import Matrix, Vector

from farm.spec.camera import Matrix4
from farm.spec.kelvin import colour_of
from farm.spec.randomise import Lamp, LampKind
from worker.blender.randomised.changes import Changes

TYPES: dict[LampKind, Literal["AREA", "POINT", "SPOT"]] = {
    "area": "AREA", "point": "POINT", "spot": "SPOT",
}  # fmt: skip
SPOT_BLEND = 0.2
"""Soft part of a spot's edge."""


def add_lamps(
    scene: bpy.types.Scene,
    lamps: Sequence[Lamp],
    scene_from_world: Matrix4,
    changes: Changes,
    *,
    factor: float,
) -> None:
    """Let lamps shine; no camera sees them, but what is glossy does.

    Args:
        scene: Where.
        lamps: As they were drawn.
        scene_from_world: From the coordinates in which they were drawn to the scene's.
        changes: Takes them out again.
        factor: On their power.
    """
    for number, lamp in enumerate(lamps):
        name = f"viewfarm lamp {number}"
        data: Any = bpy.data.lights.new(name, TYPES[lamp.kind])
        changes.made(bpy.data.lights, data)
        data.energy = lamp.power_w * factor
        data.color = colour_of(lamp.kelvin)
        set_size(data, lamp)
        item: Any = bpy.data.objects.new(name, data)
        changes.made(bpy.data.objects, item)
        item.visible_camera = False
        item.matrix_world = looking_at_origin(lamp, scene_from_world)
        scene.collection.objects.link(item)


def set_size(data: Any, lamp: Lamp) -> None:
    """Set how large a lamp is, and how far a spot opens."""
    if lamp.kind == "area":
        data.shape, data.size = "SQUARE", lamp.size_m
        return
    data.shadow_soft_size = lamp.size_m
    if lamp.kind == "spot" and lamp.spot_deg is not None:
        data.spot_size, data.spot_blend = math.radians(lamp.spot_deg), SPOT_BLEND


def looking_at_origin(lamp: Lamp, scene_from_world: Matrix4) -> Matrix:
    """Return where a lamp stands in the scene; it shines along its own -z."""
    x, y, z, _ = (np.array(scene_from_world) @ [*lamp.at_m, 1.0]).tolist()
    turn = Vector((-x, -y, -z)).to_track_quat("-Z", "Y").to_matrix().to_4x4()
    return Matrix.Translation((x, y, z)) @ turn
