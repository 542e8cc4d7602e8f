"""Relations between measured objects: yes, no, or unknown (None)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.dataset.proof.measured import Measured, MeasuredView
from farm.spec.expression import COUNTED_FROM

Numbers = NDArray[np.float64]
Side = Literal["left", "right", "front", "behind"]
SIDES: tuple[Side, ...] = ("left", "right", "front", "behind")
ALONG_SURE, ALONG_MOST = (0.2, 0.8), (0.05, 0.95)
"""Where between two things another one is, as a share of the way: surely, and possibly."""
OFF_SURE, OFF_MOST = 0.25, 0.35
"""How far off that way, as a share of it."""
NEARER = 0.9
"""Factor between the distance of what is nearest and that of any other."""


def lies(view: MeasuredView, side: Side, thing: Measured, anchor: Measured) -> bool | None:
    """Say whether a thing lies to a side of another.

    It does where what is seen of both says so, their boxes say so, and of left and right the
    picture; it does not where none of these does.
    """
    told = [step > COUNTED_FROM for step in steps(view, side, thing, anchor)]
    return True if all(told) else None if any(told) else False


def steps(view: MeasuredView, side: Side, thing: Measured, anchor: Measured) -> Iterable[float]:
    """Yield how far a thing is to a side of another, in sizes: once for each way to measure it."""
    sign = 1.0 if side in ("right", "behind") else -1.0
    direction = view.right if side in ("left", "right") else view.away
    size = (thing.box.longest + anchor.box.longest) / 2
    yield sign * float(direction @ (thing.middle - anchor.middle)) / size
    yield sign * float(direction @ (thing.box.centre - anchor.box.centre)) / size
    if side in ("left", "right"):
        yield sign * float(thing.middle_px[0] - anchor.middle_px[0]) / size_px(view, thing, anchor)


def size_px(view: MeasuredView, thing: Measured, anchor: Measured) -> float:
    """Return the size of two things, in pixels, at their distance."""
    camera = view.record.camera
    ahead = -view.world_from_camera[:3, 2]
    middle = (thing.middle + anchor.middle) / 2
    far = float(ahead @ (middle - view.world_from_camera[:3, 3]))
    size = (thing.box.longest + anchor.box.longest) / 2
    return size * (camera.fx_px or 1.0) / max(far, 1e-6)


def rests_on(view: MeasuredView, thing: Measured, anchor: Measured) -> bool | None:
    """Say whether a thing is on another; what is on or in what is on a table may be, too."""
    if anchor.place in thing.label.on:
        return True
    return None if anchor.place in below(view, thing) else False


def lies_in(view: MeasuredView, thing: Measured, anchor: Measured) -> bool | None:
    """Say whether a thing is in another; what is on or in what is in it may be, too."""
    if anchor.place in thing.label.inside:
        return True
    inner = (view.record.objects[place] for place in below(view, thing))
    return None if any(anchor.place in each.inside for each in inner) else False


def below(view: MeasuredView, thing: Measured) -> set[int]:
    """Return all that carries a thing, and what carries that, and so on."""
    found: set[int] = set()
    objects = view.record.objects
    new = {*thing.label.on, *thing.label.inside}
    while new := {place for place in new if 0 <= place < len(objects)}:
        found |= new
        new = {each for place in new for each in (*objects[place].on, *objects[place].inside)}
        new -= found
    return found


def distances(thing: Measured, anchor: Measured) -> Numbers:
    """Return how far two things are apart over the ground: by what is seen, and by their boxes."""
    seen, boxes = thing.middle - anchor.middle, thing.box.centre - anchor.box.centre
    return np.array([np.hypot(*seen[:2]), np.hypot(*boxes[:2])])


def is_nearer(thing: Measured, other: Measured, anchor: Measured) -> bool:
    """Say whether a thing is surely nearer to another than a third one is."""
    return bool((distances(thing, anchor) <= NEARER * distances(other, anchor)).all())


def lies_between(thing: Measured, one: Measured, other: Measured) -> bool | None:
    """Say whether a thing lies between two others."""
    told = [
        along_and_off(thing.middle, one.middle, other.middle),
        along_and_off(thing.box.centre, one.box.centre, other.box.centre),
    ]
    if all(within(at, ALONG_SURE) and off <= OFF_SURE for at, off in told):
        return True
    if any(within(at, ALONG_MOST) and off <= OFF_MOST for at, off in told):
        return None
    return False


def within(value: float, limits: tuple[float, float]) -> bool:
    """Say whether a number is between two."""
    return limits[0] <= value <= limits[1]


def along_and_off(point: Numbers, start: Numbers, end: Numbers) -> tuple[float, float]:
    """Return where along the way from one point to another, over the ground, a third one is.

    That is a share of the way, and how far off it is, as a share of its length.
    """
    way, to = (end - start)[:2], (point - start)[:2]
    length = float(np.hypot(*way)) or 1e-9
    off = abs(float(way[0] * to[1] - way[1] * to[0])) / length**2
    return float(way @ to) / length**2, off
