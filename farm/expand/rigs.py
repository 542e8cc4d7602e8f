"""The cameras of a rig: where each stands, and through what it looks.

What a rig leaves open is drawn from the seed and the model alone, so that cameras are the same
under every HDRI.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.expand.drawing import draw_number
from farm.expand.randomised import Dice
from farm.spec.camera import SENSOR_WIDTH_MM, OrbitCamera
from farm.spec.draws import AnyDraw, UniformDraw
from farm.spec.randomise import Within
from farm.spec.recipes.sod import DISTANCE, FOV_DEG, TURNS_DEG, SodRig
from farm.spec.rigs import COND_FOV_DEG, REACHES, Side, always, lens_deg

Direction = NDArray[np.float64]
GOLDEN_DEG = 180.0 * (3.0 - math.sqrt(5.0))
"""Turn from one camera of a Fibonacci sphere to the next."""
DIGITS = 6
"""Of angles, and digits in all of lengths."""
USUAL_FOV = always(lens_deg(50.0, SENSOR_WIDTH_MM))


FRONT = np.array([1.0, 0.0, 0.0])
"""Direction of azimuth 0."""


class Place(NamedTuple):
    """Where a camera stands, as far as its rig says."""

    azimuth_deg: float
    elevation_deg: float
    distance: float | None = None


class Lens(NamedTuple):
    """How far off a camera stands, and what it sees."""

    distance: float
    fov_deg: float | None
    """None of an orthographic camera."""


def camera_of(
    asked: SodRig, place: int, *, dice: Dice, resolution_px: tuple[int, int]
) -> OrbitCamera:
    """Return the camera at a place of a rig.

    Args:
        asked: The rig.
        place: Which of its cameras.
        dice: Chance of that place; that of place 0 is what all of them share.
        resolution_px: Size of the picture: it says how far off all of a frame is seen.
    """
    stands = place_of(asked, place, dice)
    lens = lens_of(asked, stands, dice, resolution_px)
    yaw = (TURNS_DEG[asked.front] - stands.azimuth_deg) % 360.0
    return OrbitCamera(
        yaw_deg=round(yaw, DIGITS) % 360.0,
        pitch_deg=round(stands.elevation_deg, DIGITS) + 0.0,
        distance=lens.distance,
        framing="t" if asked.fit else "m",
        fit=asked.fit,
        **({} if lens.fov_deg is None else {"focal_length_mm": focal_mm(lens.fov_deg)}),
        orthographic_width=asked.spans,
    )


def place_of(asked: SodRig, place: int, dice: Dice) -> Place:
    """Return where a camera stands."""
    if asked.sides:
        return Place(*asked.sides[place])
    if asked.rig == "zero123":
        return Place(*side_of(in_cube(dice.rng("rig place"))))
    if asked.rig == "lrm":
        return lrm_place(asked, place, dice)
    if asked.rig in ("trellis", "trellis-cond"):
        return Place(*trellis_side(place, asked.places, dice._replace(place=0).rng("rig offset")))
    return Place(*spread_side(asked, place, dice))


def spread_side(asked: SodRig, place: int, dice: Dice) -> Side:
    """Return where a camera stands of those that are spread over a sphere, or a band of it."""
    low, high = (math.sin(math.radians(each)) for each in asked.elevation_range or (-90.0, 90.0))
    share = (place + 0.5) / asked.places
    if asked.rig == "fibonacci":
        turn = GOLDEN_DEG * place
    elif asked.rig == "hammersley":
        turn = 360.0 * radical_inverse(place)
    else:
        share, turn = (float(each) for each in dice.rng("rig place").random(2))
        turn *= 360.0
    return turn % 360.0, sine_deg(low + (high - low) * share)


def radical_inverse(number: int) -> float:
    """Return the bits of a number, mirrored at the point: van der Corput's sequence."""
    share, bit = 0.0, 0.5
    while number:
        number, odd = divmod(number, 2)
        share, bit = share + odd * bit, bit / 2
    return share


def trellis_side(place: int, count: int, chance: np.random.Generator) -> Side:
    """Return where a camera of TRELLIS stands: a quarter of all is below the horizon."""
    up, turn = (float(each) for each in chance.random(2))
    share = (place + up) / count
    share = 2.0 * share if share < 0.25 else (2.0 * share + 1.0) / 3.0
    return 360.0 * ((radical_inverse(place) + turn) % 1.0), sine_deg(2.0 * share - 1.0)


def in_cube(chance: np.random.Generator) -> Direction:
    """Return a direction as zero123 and OpenLRM draw it: of a point in a cube."""
    point = chance.uniform(-1.0, 1.0, 3)
    return np.asarray(point / np.linalg.norm(point))


def side_of(direction: Direction) -> Side:
    """Return from where a direction (3,) comes."""
    x, y, z = direction.tolist()
    return math.degrees(math.atan2(y, x)) % 360.0, sine_deg(z)


def lrm_place(asked: SodRig, place: int, dice: Dice) -> Place:
    """Return where a camera of OpenLRM stands: the first sees the front, others are anywhere
    between two heights.
    """
    known, chance = asked.known, dice.rng("rig place")
    assert known.distance is not None
    assert known.heights is not None
    low, high = known.heights
    while True:
        direction = in_cube(chance) if place else FRONT
        distance = draw_number(known.distance, DISTANCE, chance)
        if low < direction[2] * distance < high:
            return Place(*side_of(direction), significant(distance))


def lens_of(asked: SodRig, stands: Place, dice: Dice, resolution_px: tuple[int, int]) -> Lens:
    """Return how far off a camera stands, and what it sees."""
    fov_deg = None if asked.spans is not None else fov_of(asked, dice)
    wanted = asked.distance or asked.known.distance
    if asked.fit:
        return Lens(1.0, fov_deg)
    if stands.distance is not None and asked.distance is None:
        return Lens(stands.distance, fov_deg)
    if wanted is not None:
        return Lens(drawn(wanted, DISTANCE, dice, "rig distance"), fov_deg)
    return Lens(significant(filling(REACHES[asked.stands_in], fov_deg, resolution_px)), fov_deg)


def fov_of(asked: SodRig, dice: Dice) -> float:
    """Return the field of view of a pinhole."""
    if asked.rig == "trellis-cond" and asked.fov_deg is None:
        return cond_fov_deg(dice.rng("rig fov"))
    return drawn(asked.fov_deg or asked.known.fov_deg or USUAL_FOV, FOV_DEG, dice, "rig fov")


def cond_fov_deg(chance: np.random.Generator) -> float:
    """Return the field of view of a picture that TRELLIS is told by: areas are drawn evenly."""
    narrow, wide = (math.sin(math.radians(each / 2)) ** 2 for each in COND_FOV_DEG)
    return significant(2.0 * math.degrees(math.asin(math.sqrt(chance.uniform(narrow, wide)))))


def filling(reach: float, fov_deg: float | None, resolution_px: tuple[int, int]) -> float:
    """Return from how far off a ball of radius `reach` just fills the picture; with parallel rays,
    one at which all of it is in front.
    """
    if fov_deg is None:
        return 2.0 * reach
    narrow = min(resolution_px) / max(resolution_px) * math.tan(math.radians(fov_deg / 2))
    return reach / math.sin(math.atan(narrow))


def drawn(what: AnyDraw, within: Within, dice: Dice, aspect: str) -> float:
    """Return a number that is drawn; of a published one, all digits."""
    number = draw_number(what, within, dice.rng(aspect))
    return (
        number if isinstance(what, UniformDraw) and what.low == what.high else significant(number)
    )


def significant(number: float) -> float:
    """Return a number with so many digits as records are to show."""
    return float(f"{number:.{DIGITS}g}")


def focal_mm(fov_deg: float) -> float:
    """Return the focal length that spans an angle."""
    return SENSOR_WIDTH_MM / 2.0 / math.tan(math.radians(fov_deg / 2.0))


def sine_deg(sine: float) -> float:
    """Return the angle of a sine."""
    return math.degrees(math.asin(min(1.0, max(-1.0, sine))))
