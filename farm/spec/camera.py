"""Cameras and their lenses, and the matrices they mean; plain numbers, no numpy."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat

from farm.spec.base import Spec

Matrix4 = tuple[
    tuple[float, float, float, float],
    tuple[float, float, float, float],
    tuple[float, float, float, float],
    tuple[float, float, float, float],
]

IDENTITY: Matrix4 = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))

BASE_DISTANCE = 3.5
"""Camera distance at medium framing from the centre of a model scaled to 1."""
FOCAL_LENGTH_MM = 50.0
SENSOR_WIDTH_MM = 36.0
"""Width of the sensor; it spans the longer side of the picture."""

Framing = Literal["t", "m", "l"]
FRAMING_FACTORS: dict[Framing, float] = {"t": 0.85, "m": 1.0, "l": 1.3}
"""Tight, medium, loose: what the base distance is multiplied by."""


class OrbitCamera(Spec):
    """A camera on a dome around the model's centre, looking at it.

    `x = d cos p sin y`, `y = d cos p cos y`, `z = d sin p` with yaw `y`, pitch `p`, distance `d`.
    """

    kind: Literal["orbit"] = "orbit"
    yaw_deg: float
    """Around the vertical: 0 stands on +Y, 90 on +X."""
    pitch_deg: float
    """Above the horizon: 0 is level, 90 looks straight down."""
    distance: float
    """From the model's centre, in units of the model scaled to 1. With `fit`, a factor on the
    distance at which the model just fills the picture."""
    framing: Framing = "m"
    """Tight, medium or loose: the word for the distance."""
    fit: bool = False
    """Frame by the projected bounds of the model instead of a fixed distance."""
    focal_length_mm: float = FOCAL_LENGTH_MM
    sensor_width_mm: float = SENSOR_WIDTH_MM


class PerspectiveLens(Spec):
    """A pinhole, as photographers have it."""

    kind: Literal["perspective"] = "perspective"
    focal_length_mm: PositiveFloat = FOCAL_LENGTH_MM
    sensor_width_mm: PositiveFloat = SENSOR_WIDTH_MM
    """Spans the longer side of the picture."""
    shift_x: float = 0.0
    """To the right, in parts of the longer side of the picture."""
    shift_y: float = 0.0
    """Up."""


class PinholeLens(Spec):
    """A pinhole, as computer vision has it; from the outer corner of the top-left pixel."""

    kind: Literal["pinhole"] = "pinhole"
    fx_px: PositiveFloat
    fy_px: PositiveFloat
    cx_px: float
    cy_px: float


class OrthographicLens(Spec):
    """Rays that run side by side."""

    kind: Literal["orthographic"] = "orthographic"
    width: PositiveFloat
    """What the longer side of the picture spans, in units of the view's world."""


class FisheyeLens(Spec):
    """Cycles' polynomial fisheye: theta = -(k0 + k1 r + k2 r^2 + k3 r^3 + k4 r^4), radians.

    r is the distance from the middle of the sensor, mm, whose width spans the longer side of the
    picture; k1 is negative in a picture that stands upright.
    """

    kind: Literal["fisheye_polynomial"] = "fisheye_polynomial"
    k0: float = 0.0
    k1: float
    k2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0
    fov_deg: PositiveFloat = 180.0
    """What is outside of this angle, from rim to rim, is not seen."""
    sensor_width_mm: PositiveFloat = SENSOR_WIDTH_MM


AnyLens = Annotated[
    PerspectiveLens | PinholeLens | OrthographicLens | FisheyeLens, Field(discriminator="kind")
]


class PoseCamera(Spec):
    """A camera that stands where a matrix says."""

    kind: Literal["pose"] = "pose"
    world_from_camera: Matrix4
    """Blender's and OpenGL's camera: looks along -Z, +Y up. A rotation and a shift, no scale."""
    lens: AnyLens = PerspectiveLens()


class FileCamera(Spec):
    """A camera of the scene's own file, as it stands at the view's frame."""

    kind: Literal["file"] = "file"
    name: str
    """What the file calls the object."""


AnyCamera = Annotated[OrbitCamera | PoseCamera | FileCamera, Field(discriminator="kind")]


def orbit_matrix(*, yaw_deg: float, pitch_deg: float, distance: float) -> Matrix4:
    """Return `world_from_camera` (4 x 4, row-major) of an orbit camera.

    The camera looks along its own -Z with +Y up (Blender's and OpenGL's convention). At pitch 90
    the picture's up still follows the yaw, so the dome has no blind spot.
    """
    yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
    back = (
        math.cos(pitch) * math.sin(yaw),
        math.cos(pitch) * math.cos(yaw),
        math.sin(pitch),
    )
    right = (-math.cos(yaw), math.sin(yaw), 0.0)
    up = (
        -math.sin(pitch) * math.sin(yaw),
        -math.sin(pitch) * math.cos(yaw),
        math.cos(pitch),
    )
    rows = tuple((right[axis], up[axis], back[axis], back[axis] * distance) for axis in range(3))
    return (rows[0], rows[1], rows[2], (0.0, 0.0, 0.0, 1.0))


def turn_matrix(angle_deg: float) -> Matrix4:
    """Return the transform that turns points about +Z, counter-clockwise from above."""
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return ((cos, -sin, 0.0, 0.0), (sin, cos, 0.0, 0.0), IDENTITY[2], IDENTITY[3])


def intrinsics(
    camera: OrbitCamera, resolution_px: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Return (fx, fy, cx, cy) in pixels: origin at the outer corner of the top-left pixel.

    The sensor's width spans the longer side of the picture; pixels are square.
    """
    width, height = resolution_px
    focal_px = camera.focal_length_mm / camera.sensor_width_mm * max(width, height)
    return (focal_px, focal_px, width / 2, height / 2)
