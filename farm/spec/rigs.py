"""Rigs of cameras around one model, by name, with the numbers that were published for them.

Azimuths are degrees, counter-clockwise from above, from where a camera sees the model's front;
elevations are degrees above the horizon. Distances are from the frame's origin, in its units. The
field of view spans the longer side of the picture.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from farm.spec.draws import AnyDraw, UniformDraw
from farm.spec.quote import quoted

Frame = Literal["unit-cube", "unit-sphere", "unit-diagonal", "file"]
"""Where a model stands and how large it is: centred in all but `file`."""

REACHES: dict[Frame, float] = {
    "unit-cube": math.sqrt(3) / 2,
    "unit-sphere": 1.0,
    "unit-diagonal": 0.5,
}
"""Farthest that any model's surface can be from the middle of a frame."""

RigName = Literal[
    "rings", "fibonacci", "hammersley", "random", "zero123", "zero123plus", "zero123plus-v1.1",
    "syncdreamer", "wonder3d", "trellis", "trellis-cond", "lrm",
]  # fmt: skip

Side = tuple[float, float]
"""Azimuth and elevation."""

WIDEST_DEG = 360.0
MOST_ANGLES = 3600
HOW = "write them as 0,20,-10, or as 0:360:45, which is from 0 to below 360 in steps of 45"


class Rig(NamedTuple):
    """Where the cameras of a rig stand, and through what they look."""

    sides: tuple[Side, ...] = ()
    """Where they stand, of a rig in which that is fixed."""
    views: int | None = None
    """Their usual number, where it is not fixed."""
    distance: AnyDraw | None = None
    """None: as far off as the frame just fills the picture."""
    fov_deg: AnyDraw | None = None
    """None: that of a lens of 50 mm on a sensor 36 mm wide."""
    orthographic: float | None = None
    """Units that the longer side of the picture spans."""
    frame: Frame = "unit-cube"
    """In whose units distances are."""
    heights: tuple[float, float] | None = None
    """Lowest and highest that cameras stand above the origin."""

    @property
    def is_fixed(self) -> bool:
        """Its cameras stand always where they stood when it was published."""
        return bool(self.sides)


def always(number: float) -> UniformDraw:
    """Return a number as what is drawn."""
    return UniformDraw(low=number, high=number)


def turned(azimuths: tuple[float, ...], elevations: tuple[float, ...]) -> tuple[Side, ...]:
    """Return azimuths with their elevations, which repeat."""
    return tuple(
        (azimuth, elevations[place % len(elevations)]) for place, azimuth in enumerate(azimuths)
    )


def lens_deg(focal_length_mm: float, sensor_width_mm: float) -> float:
    """Return the field of view of a lens."""
    return math.degrees(2 * math.atan(sensor_width_mm / 2 / focal_length_mm))


SIXTHS = (30.0, 90.0, 150.0, 210.0, 270.0, 330.0)
CORNER_DEG = math.degrees(math.atan(1 / math.sqrt(2)))
"""Elevation of a corner of a cube."""

RIGS: dict[RigName, Rig] = {
    "rings": Rig(),
    "fibonacci": Rig(views=40),
    "hammersley": Rig(views=40),
    "random": Rig(views=40),
    # github.com/cvlab-columbia/zero123, objaverse-rendering/scripts/blender_script.py: a lens of
    # 35 mm on a sensor of 32, anywhere around the model, 12 pictures of it.
    "zero123": Rig(
        views=12, distance=UniformDraw(low=1.5, high=2.2), fov_deg=always(lens_deg(35, 32))
    ),
    # github.com/SUDO-AI-3D/zero123plus, README: azimuths, elevations, and the field of view of
    # v1.2; github.com/TencentARC/InstantMesh, src/utils/camera_util.py: 4 away from a model that
    # a sphere of radius 1 holds, and azimuths counter-clockwise.
    "zero123plus": Rig(
        sides=turned(SIXTHS, (20.0, -10.0)), distance=always(4.0), fov_deg=always(30.0),
        frame="unit-sphere",
    ),
    # The same of v1.1, of which no lens was published: that of v1.2.
    "zero123plus-v1.1": Rig(
        sides=turned(SIXTHS, (30.0, -20.0)), distance=always(4.0), fov_deg=always(30.0),
        frame="unit-sphere",
    ),
    # github.com/liuyuan-pal/SyncDreamer, blender_script.py, --camera_type fixed: 16 azimuths at an
    # elevation of 30, 1.5 away, a lens of 35 mm on a sensor of 32.
    "syncdreamer": Rig(
        sides=turned(tuple(22.5 * step for step in range(16)), (30.0,)),
        distance=always(1.5), fov_deg=always(lens_deg(35, 32)),
    ),
    # github.com/xxlong0/Wonder3D, render_codes/blenderProc_ortho.py and render_batch_ortho.sh: a
    # model whose box has a diagonal of 1, seen from 2 away, 1.35 wide; front, back, right, left,
    # front right, front left, back right, back left, top, and the four upper corners.
    "wonder3d": Rig(
        sides=(
            *((each, 0.0) for each in (0.0, 180.0, 90.0, 270.0, 45.0, 315.0, 135.0, 225.0)),
            (0.0, 90.0),
            *((each, CORNER_DEG) for each in (45.0, 315.0, 135.0, 225.0)),
        ),
        distance=always(2.0), orthographic=1.35, frame="unit-diagonal",
    ),
    # github.com/microsoft/TRELLIS, dataset_toolkits/render.py and utils.py: 150 of a Hammersley
    # sequence with three quarters of them above the horizon, 2 away, 40 degrees wide.
    "trellis": Rig(views=150, distance=always(2.0), fov_deg=always(40.0)),
    # The same, dataset_toolkits/render_cond.py: 24, of 10 to 70 degrees, each as far off as the
    # sphere around a cube of side 1 just fits.
    "trellis-cond": Rig(views=24),
    # github.com/3DTopia/OpenLRM, scripts/data/objaverse/blender_script.py, where a model's longest
    # side is 2, and its numbers are twice these: the front, and 31 places between two heights; a
    # lens of 24 mm on a sensor of 32.
    "lrm": Rig(
        views=32, distance=UniformDraw(low=0.95, high=1.3), fov_deg=always(lens_deg(24, 32)),
        heights=(-0.375, 0.8),
    ),
}  # fmt: skip

SPHERES: frozenset[RigName] = frozenset({"fibonacci", "hammersley", "random"})
"""Rigs whose cameras stand between two elevations."""
COND_FOV_DEG = (10.0, 70.0)
"""Narrowest and widest of `trellis-cond`."""


def as_angles(value: Any) -> Any:
    """Return the angles that `0,20,-10`, `0:360:45` or a list of such stand for."""
    if isinstance(value, str):
        value = value.strip().split(",")
    elif isinstance(value, int | float):
        value = [value]
    if not isinstance(value, list | tuple):
        return value
    if list(value) in ([], [""]):
        raise ValueError(f"is empty; name at least one: {HOW}")
    angles = [angle for each in value for angle in angles_of(each)]
    if len(angles) > MOST_ANGLES:
        raise ValueError(f"{len(angles)} angles are too many: name {MOST_ANGLES} at most")
    return tuple(angles)


def angles_of(word: object) -> list[float]:
    """Return the angles of one word."""
    parts = word.split(":") if isinstance(word, str) else [word]
    if isinstance(word, str) and not word.strip():
        raise ValueError(f"nothing stands where an angle should be: {HOW}")
    try:
        numbers = [float(part) for part in parts]  # type: ignore[arg-type]  # else it raises
    except (TypeError, ValueError):
        raise ValueError(f"{quoted(word)} is not an angle: {HOW}") from None
    for number in numbers:
        if not abs(number) <= WIDEST_DEG:
            quotes = '; YAML reads some a:b:c as one number: write "a:b:c"'
            raise ValueError(
                f"{number:g} is not within -{WIDEST_DEG:g}..{WIDEST_DEG:g} degrees"
                + ("" if isinstance(word, str) else quotes)
            )
    return numbers if len(numbers) == 1 else steps_of(word, numbers)


def steps_of(word: object, numbers: list[float]) -> list[float]:
    """Return the angles from a first one to below a last one."""
    if len(numbers) != 3 or numbers[2] == 0 or (numbers[1] - numbers[0]) * numbers[2] <= 0:
        raise ValueError(f"{quoted(word)} is not a row of angles: {HOW}")
    first, last, step = numbers
    count = (last - first) / step
    if count > MOST_ANGLES:
        raise ValueError(f"{quoted(word)} has {count:.0f} angles: name {MOST_ANGLES} at most")
    return [round(first + place * step, 6) for place in range(math.ceil(count - 1e-9))]


def as_range(value: Any) -> Any:
    """Let `0..90`, or `0,90`, stand for two numbers."""
    if isinstance(value, list | tuple) and len(value) == 1:  # as flags of lists come
        value = value[0]
    ends = value.split(".." if ".." in value else ",") if isinstance(value, str) else value
    if ends is not None and (not isinstance(ends, list | tuple) or len(ends) != 2 or "" in ends):
        raise ValueError(f"{quoted(value)} is not a range of two numbers: write it as 0..90")
    return ends


Angles = Annotated[tuple[float, ...], BeforeValidator(as_angles), Field(min_length=1)]
