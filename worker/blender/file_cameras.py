"""Cameras of a file's own scene: looking through them, and what records tell of them."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from pydantic import ValidationError

from farm.errors import AssetError
from farm.projection import as_matrix, recorded
from farm.spec.base import first_reason
from farm.spec.camera import FisheyeLens, Matrix4, PoseCamera, not_rigid
from farm.spec.label import Point3
from farm.spec.record import CameraRecord, FisheyeRecord, OrthographicRecord
from worker.blender.camera import (
    COPY_NAME,
    NAME,
    copy_numbers,
    evaluated,
    follow,
    set_fov,
    set_pixels,
)

FISHEYE_NAME = "viewfarm fisheye"
RIG_NAME = "viewfarm rig"
OURS = (NAME, COPY_NAME, FISHEYE_NAME, RIG_NAME)
REMEDY = "make it a perspective, orthographic or polynomial fisheye camera"
POLYNOMIAL = "FISHEYE_LENS_POLYNOMIAL"

Evaluated = Any
"""What a depsgraph holds; its stubs promise less than Blender has."""


def names(scene: Any) -> tuple[str, ...]:
    """Return the names of a scene's own cameras, sorted."""
    found = (item.name for item in scene.objects if item.type == "CAMERA")
    return tuple(sorted(name for name in found if name not in OURS))


def use(path: str, scene: Any, name: str, offset: Point3 | None = None) -> CameraRecord:
    """Look through a camera of a scene as it stands now; return what records tell of it.

    With an offset that is a copy of it, shifted (right, up, back) along its own axes.

    Raises:
        AssetError: There is none of this name, or labels cannot follow it.
    """
    there = names(scene)
    if name not in there:
        told = ", ".join(map(repr, there)) or "none"
        raise AssetError(path, f"it has no camera {name!r}; its cameras: {told}")
    camera = scene.objects[name]
    if offset is not None:
        camera = beside(scene, camera, offset)
    set_pixels(scene)
    scene.camera = camera
    try:
        return record_of(scene, camera)
    except (ValueError, ValidationError) as error:
        reason = first_reason(error) if isinstance(error, ValidationError) else str(error)
        raise AssetError(path, f"camera {name!r} of scene {scene.name!r}: {reason}") from error


def beside(scene: Any, camera: bpy.types.Object, offset: Point3) -> bpy.types.Object:
    """Return a camera that goes along with another one, at a distance from it."""
    rig = bpy.data.objects.get(RIG_NAME) or bpy.data.objects.new(RIG_NAME, camera.data)
    rig.data = camera.data
    if rig.name not in scene.objects:
        scene.collection.objects.link(rig)
    scale = np.linalg.norm(np.array(evaluated(scene, camera).matrix_world)[:3, :3], axis=0)
    rig.parent = camera
    rig.location = (np.array(offset) / scale).tolist()
    scene.view_layers[0].update()
    return rig


def record_of(scene: Any, camera: bpy.types.Object) -> CameraRecord:
    """Return what records tell of the scene's camera.

    Raises:
        ValueError: Labels cannot follow it; the text says why, and what to do.
    """
    now: Evaluated = evaluated(scene, camera)
    lens, pose = now.data, pose_of(now)
    if lens.type == "PANO" and lens.panorama_type == POLYNOMIAL:
        return fisheye_record(scene, camera, lens, pose)
    if lens.type not in ("PERSP", "ORTHO"):
        kind = lens.panorama_type if lens.type == "PANO" else lens.type
        words = kind.lower().replace("_", " ")
        raise ValueError(f"its kind is {words!r}, which labels do not support: {REMEDY}")
    if lens.type == "ORTHO" and lens.ortho_scale <= 0:
        raise ValueError(
            "its orthographic scale is 0: make it as wide as the things that it is to show"
        )
    return flat_record(scene, now, pose)


def pose_of(now: Evaluated) -> Matrix4:
    """Return the pose of a camera, whose scale Cycles leaves out of account.

    Raises:
        ValueError: It is more than a turn, a shift and a scale.
    """
    matrix = np.array(now.matrix_world, dtype=np.float64)
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if not np.isfinite(matrix).all() or (lengths == 0).any():
        raise ValueError("it has no size or no position: set its scale to 1")
    matrix[:3, :3] /= lengths
    pose = as_matrix(matrix)
    if reason := not_rigid(pose):
        raise ValueError(f"{reason}: apply the scale of the camera and of its parents")
    return pose


def flat_record(scene: Any, now: Evaluated, pose: Matrix4) -> CameraRecord:
    """Return what is told of a perspective or orthographic camera, by Blender's own projection."""
    width, height = scene.render.resolution_x, scene.render.resolution_y
    layer = scene.view_layers[0]
    matrix = np.array(now.calc_matrix_camera(layer.depsgraph, x=width, y=height))
    if now.data.type == "ORTHO":
        return CameraRecord(
            world_from_camera=pose,
            cx_px=float((1 + matrix[0, 3]) * width / 2),
            cy_px=float((1 - matrix[1, 3]) * height / 2),
            lens=OrthographicRecord(px_per_unit=float(matrix[0, 0] * width / 2)),
        )
    return CameraRecord(
        world_from_camera=pose,
        fx_px=float(matrix[0, 0] * width / 2),
        fy_px=float(matrix[1, 1] * height / 2),
        cx_px=float((1 - matrix[0, 2]) * width / 2),
        cy_px=float((1 + matrix[1, 2]) * height / 2),
    )


def fisheye_record(
    scene: Any, camera: bpy.types.Object, lens: Evaluated, pose: Matrix4
) -> CameraRecord:
    """Look through a fisheye that goes along with the file's; return what is told of it."""
    width, height = scene.render.resolution_x, scene.render.resolution_y
    k0, k1, k2, k3, k4 = (getattr(lens, f"fisheye_polynomial_k{power}") for power in range(5))
    wanted = FisheyeLens(
        k0=k0, k1=k1, k2=k2, k3=k3, k4=k4,
        fov_deg=min(float(np.degrees(lens.fisheye_fov)), 360.0),
        sensor_width_mm=sensor_mm(lens, width, height),
    )  # fmt: skip
    record = recorded(PoseCamera(world_from_camera=pose, lens=wanted), (width, height))
    assert isinstance(record.lens, FisheyeRecord)
    follower = bpy.data.objects.get(FISHEYE_NAME) or bpy.data.objects.new(
        FISHEYE_NAME, bpy.data.cameras.new(FISHEYE_NAME)
    )
    if follower.name not in scene.objects:
        scene.collection.objects.link(follower)
    follower.constraints.clear()
    follow(follower, camera)
    copy_numbers(lens, follower.data)
    set_fov(follower.data, record.lens)
    scene.camera = follower
    # Unlike those of other lenses, both shifts of a panoramic one are in parts of their own sides.
    cx, cy = record.cx_px - lens.shift_x * width, record.cy_px + lens.shift_y * height
    return record.model_copy(update={"cx_px": cx, "cy_px": cy})


def sensor_mm(lens: Evaluated, width: int, height: int) -> float:
    """Return what the longer side of the picture spans of a panoramic camera's sensor."""
    longer = max(width, height)
    if lens.sensor_fit == "HORIZONTAL":
        return float(lens.sensor_width * longer / width)
    if lens.sensor_fit == "VERTICAL":
        return float(lens.sensor_height * longer / height)
    return float(lens.sensor_width)
