"""Cameras and their lenses, and the matrices they mean; plain numbers, no numpy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FiniteFloat, field_validator, model_validator

from farm.spec.base import Spec
from farm.spec.left_out import is_none, usual

Matrix4 = tuple[
    tuple[float, float, float, float],
    tuple[float, float, float, float],
    tuple[float, float, float, float],
    tuple[float, float, float, float],
]

Axis = tuple[float, ...]

IDENTITY: Matrix4 = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))

BASE_DISTANCE = 3.5
"""Camera distance at medium framing from the centre of a model scaled to 1."""
FOCAL_LENGTH_MM = 50.0
SENSOR_WIDTH_MM = 36.0
"""Width of the sensor; it spans the longer side of the picture."""

RIGID_SLACK = 1e-3
"""Largest distance of a rotation's numbers from those of one: what is written with four digits."""
LARGEST_ASPECT = 200.0
"""Most times that Blender's pixels are as long as wide."""
MOST_K0 = 0.01
"""Radians by which a fisheye may miss its own axis."""
RADII = 2000
"""Places between the middle and the corner where a fisheye's angles are looked at."""

LEAST_LENGTH = 1e-9


def long_enough(length: float) -> float:
    """Return a length that Blender's numbers of 32 bits hold."""
    if length < LEAST_LENGTH:
        raise ValueError(f"{length:g} is too small for Blender: use {LEAST_LENGTH:g} or more")
    return length


Length = Annotated[float, Field(gt=0.0, le=1e9, allow_inf_nan=False), AfterValidator(long_enough)]
Offset = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]

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
    """From the origin of the model's frame, in its units: mostly the centre of a model scaled to 1.
    With `fit`, a factor on the distance at which the model just fills the picture."""
    framing: Framing = "m"
    """Tight, medium or loose: the word for the distance."""
    fit: bool = False
    """Frame by the projected bounds of the model instead of a fixed distance."""
    focal_length_mm: float = FOCAL_LENGTH_MM
    sensor_width_mm: float = SENSOR_WIDTH_MM
    orthographic_width: Length | None = Field(default=None, exclude_if=is_none)
    """Of a camera whose rays run side by side: what the longer side of the picture spans, in units
    of the view's world; the lens then says nothing."""
    roll_deg: float = Field(default=0.0, exclude_if=usual(0.0))
    """Turn of the camera about its axis, anticlockwise as it sees."""
    look_at: tuple[float, float] = Field(default=(0.0, 0.0), exclude_if=usual((0.0, 0.0)))
    """Shift of what it looks at from the centre, to its right and up before it rolls."""

    def world_from_camera(self, *, turned_deg: float = 0.0, distance: float) -> Matrix4:
        """Return where it stands and looks.

        Args:
            turned_deg: Turn of the world under it, anticlockwise from above.
            distance: From the point that it looks at.
        """
        pose = orbit_matrix(
            yaw_deg=self.yaw_deg - turned_deg, pitch_deg=self.pitch_deg, distance=distance
        )
        if not (self.roll_deg or any(self.look_at)):
            return pose
        cos, sin = math.cos(math.radians(self.roll_deg)), math.sin(math.radians(self.roll_deg))
        right, up = self.look_at

        def row(of: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
            x, y, back, at = of
            return (cos * x + sin * y, cos * y - sin * x, back, at + right * x + up * y)

        return (row(pose[0]), row(pose[1]), row(pose[2]), pose[3])


class PerspectiveLens(Spec):
    """A pinhole, as photographers have it."""

    kind: Literal["perspective"] = "perspective"
    focal_length_mm: Length = FOCAL_LENGTH_MM
    sensor_width_mm: Length = SENSOR_WIDTH_MM
    """Spans the longer side of the picture."""
    shift_x: Offset = 0.0
    """To the right, in parts of the longer side of the picture."""
    shift_y: Offset = 0.0
    """Up."""


class PinholeLens(Spec):
    """A pinhole, as computer vision has it; from the outer corner of the top-left pixel."""

    kind: Literal["pinhole"] = "pinhole"
    fx_px: Length
    fy_px: Length
    cx_px: Offset
    """May lie outside of the picture."""
    cy_px: Offset

    @model_validator(mode="after")
    def _has_pixels_that_blender_renders(self) -> Self:
        if not 1 / LARGEST_ASPECT <= self.fx_px / self.fy_px <= LARGEST_ASPECT:
            raise ValueError(
                f"fx_px {self.fx_px:g} and fy_px {self.fy_px:g} make pixels that are more than "
                f"{LARGEST_ASPECT:g} times as long as wide, which Blender does not render: use "
                "focal lengths that are closer to each other"
            )
        return self


class OrthographicLens(Spec):
    """Rays that run side by side."""

    kind: Literal["orthographic"] = "orthographic"
    width: Length
    """What the longer side of the picture spans, in units of the view's world."""


class FisheyeLens(Spec):
    """Cycles' polynomial fisheye: theta = -(k0 + k1 r + k2 r^2 + k3 r^3 + k4 r^4), radians.

    r is the distance from the middle of the sensor, mm, whose width spans the longer side of the
    picture; k1 is negative in a picture that stands upright.
    """

    kind: Literal["fisheye_polynomial"] = "fisheye_polynomial"
    k0: FiniteFloat = 0.0
    """The angle in the middle, which a ray that is on the axis has; next to 0."""
    k1: FiniteFloat
    k2: FiniteFloat = 0.0
    k3: FiniteFloat = 0.0
    k4: FiniteFloat = 0.0
    fov_deg: float = Field(default=180.0, gt=0.0, le=360.0, allow_inf_nan=False)
    """From rim to rim; the picture is black outside of this angle, with a mask of 0."""
    sensor_width_mm: Length = SENSOR_WIDTH_MM

    @model_validator(mode="after")
    def _leads_from_the_middle_to_the_rim(self) -> Self:
        if abs(self.k0) > MOST_K0:
            raise ValueError(
                f"k0 {self.k0:g} puts nothing into the middle of the picture: use a number near 0, "
                f"from -{MOST_K0:g} to {MOST_K0:g}"
            )
        if self.k1 >= 0:
            raise ValueError(
                f"k1 {self.k1:g} is not below 0, so the picture would be {upside(self.k1)}: Cycles "
                "takes theta = -(k0 + k1 r + ...), so reverse the signs of k0 to k4, or use about "
                "minus the radians that a millimetre spans"
            )
        if (turn := self.turns_back()) is not None:
            raise ValueError(
                f"k0 to k4 turn back {turn[0]:.3g} mm from the middle, at {turn[1]:.4g} degrees, "
                f"so two places would show one direction: use a fov_deg of {2 * turn[1]:.4g} or "
                "less, or other coefficients"
            )
        return self

    @property
    def coefficients(self) -> tuple[float, float, float, float, float]:
        """k0 to k4."""
        return (self.k0, self.k1, self.k2, self.k3, self.k4)

    def turns_back(self) -> tuple[float, float] | None:
        """Return where angles begin to fall (mm, degrees), if they do before the rim."""
        before = -math.inf
        for radius, theta in self.angles():
            if theta <= before:
                return radius, math.degrees(before)
            if theta > math.radians(self.fov_deg / 2):
                break
            before = theta
        return None

    def angles(self) -> Iterator[tuple[float, float]]:
        """Yield radii (mm) from the middle to the corner of a square, and their angles."""
        corner = self.sensor_width_mm / math.sqrt(2)
        for step in range(RADII + 1):
            radius = corner * step / RADII
            powers = (radius**power for power in range(5))
            yield radius, -sum(k * r for k, r in zip(self.coefficients, powers, strict=True))


def upside(k1: float) -> str:
    """Return what a fisheye does to its picture whose k1 is not below 0."""
    return "a single point" if k1 == 0 else "turned by 180 degrees"


AnyLens = Annotated[
    PerspectiveLens | PinholeLens | OrthographicLens | FisheyeLens, Field(discriminator="kind")
]


class PoseCamera(Spec):
    """A camera that stands where a matrix says."""

    kind: Literal["pose"] = "pose"
    world_from_camera: Matrix4
    """Blender's and OpenGL's camera: looks along -Z, +Y up. A rotation and a shift, no scale."""
    lens: AnyLens = PerspectiveLens()

    @field_validator("world_from_camera")
    @classmethod
    def _is_rigid(cls, matrix: Matrix4) -> Matrix4:
        if reason := not_rigid(matrix):
            raise ValueError(f"{reason}: give a rotation and a shift, rows of 4 numbers")
        return matrix


class FileCamera(Spec):
    """A camera of the scene's own file, as it stands at the view's frame."""

    kind: Literal["file"] = "file"
    name: str
    """What the file calls the object."""
    offset: tuple[float, float, float] | None = Field(default=None, exclude_if=is_none)
    """Shift (right, up, back) in units of the scene, along the camera's own axes: of a stereo pair
    or a rig."""


class PathCamera(Spec):
    """A camera on a path that its recipe works out, at the place of the view's moment."""

    kind: Literal["path"] = "path"


class SceneCamera(Spec):
    """Whichever camera the scene renders with at that moment, as its script leaves it."""

    kind: Literal["scene"] = "scene"


AnyCamera = Annotated[
    OrbitCamera | PoseCamera | FileCamera | PathCamera | SceneCamera, Field(discriminator="kind")
]


def not_rigid(matrix: Matrix4) -> str | None:
    """Say what makes a matrix more than a rotation and a shift, if anything does."""
    if not all(math.isfinite(number) for row in matrix for number in row):
        return "it holds a value that is not a number"
    if any(abs(a - b) > RIGID_SLACK for a, b in zip(matrix[3], IDENTITY[3], strict=True)):
        return f"its last row is {list(matrix[3])}, not [0, 0, 0, 1]"
    x, y, z = zip(*(row[:3] for row in matrix[:3]), strict=True)
    lengths = [math.hypot(*axis) for axis in (x, y, z)]
    if any(abs(length - 1) > RIGID_SLACK for length in lengths):
        told = ", ".join(f"{length:.4g}" for length in lengths)
        return f"it scales by {told} along its axes"
    if any(abs(dot(a, b)) > RIGID_SLACK for a, b in ((x, y), (y, z), (z, x))):
        return "it shears: its axes are not at right angles"
    cross = (x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0])
    return "it mirrors" if dot(cross, z) < 0 else None


def dot(one: Axis, other: Axis) -> float:
    """Return the scalar product of two vectors."""
    return sum(a * b for a, b in zip(one, other, strict=True))


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
