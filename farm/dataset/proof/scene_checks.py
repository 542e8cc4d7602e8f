"""Does what a record says of its objects agree with what the passes show of them?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from farm.dataset.proof.attributes import POSSIBLE_SHARE, has_pose
from farm.dataset.proof.boxes import Box, box_of, gap, gap_from_above
from farm.dataset.proof.measured import (
    COLOURLESS,
    SURFACE,
    Arrays,
    Measured,
    MeasuredView,
    core,
    materials_of,
)
from farm.spec.counted import counted
from farm.spec.label import ObjectLabel

Numbers = NDArray[np.float64]
OUT_M, OUT_SHARE = 0.001, 0.01
"""How far a point may be out of its object's box: metres, and a share of the longest side."""
FEW_POINTS, FEW_OUT = 2, 0.005
"""Points, and share of those that are seen, that may be."""
SHORT_PX, SHORT_SHARE = 3.0, 0.15
"""How far a face that looks at the camera may be from all that is seen: pixels, and a share of the
longest side. What is thinner than a pixel may be missed by all their centres."""
TOUCH_M, TOUCH_SHARE = 0.003, 0.01
"""How far things that touch may be apart."""
STAND_M = 0.003
"""How far the lowest point of what stands on the table may be from its top."""
BESIDE_M = 0.0
"""How far apart two boxes are from above of which one is beside the other, not on it."""
BOX_PX = 1.5
"""How far pixels may reach out of a box in the picture: it is of what is covered by a tenth."""
WIDE_PX = 3.0
"""How far that box may reach beyond them."""
DARK = 0.3
"""Brightest mean albedo of what is metal or glass, which scatter next to nothing."""
VISIBLE_SLACK = 0.01
FACES = tuple((axis, sign) for axis in range(3) for sign in (-1.0, 1.0))


def strange_scene(view: MeasuredView, arrays: Arrays) -> Iterator[str]:
    """Say where a record and the passes of its view disagree about the objects."""
    yield from strange_values(view, arrays)
    for thing in view.objects.values():
        yield from strange_box_px(thing)
        if thing.points is not None:
            yield from strange_points(thing, thing.points)
            if not thing.is_surface:
                yield from strange_faces(view, thing, arrays)
        yield from strange_attributes(thing, arrays)
        yield from strange_visibility(thing)
    yield from strange_contacts(view)


def strange_values(view: MeasuredView, arrays: Arrays) -> Iterator[str]:
    """Say which values of the index pass are of no object, or of two; and what is not seen."""
    claimed: dict[int, int] = {}
    for place, label in enumerate(view.record.objects):
        for value in label.indices:
            if value in claimed:
                yield f"objects {claimed[value]} and {place} both have index {value}"
            claimed[value] = place
        if label.box_px is not None and label.area_px >= 1 and place not in view.objects:
            yield f"{name(place, label)} is said to be seen, but no pixel shows it"
    shown = set(np.unique(arrays["index"]).tolist()) - {0}
    if lost := sorted(shown - claimed.keys()):
        yield f"index {', '.join(map(str, lost[:3]))} is of no object of the record"


def name(place: int, label: ObjectLabel) -> str:
    """Return an object as a sentence names it."""
    return f"object {place} ({label.name})"


def strange_box_px(thing: Measured) -> Iterator[str]:
    """Say where the box of an object in the picture is not that of its pixels."""
    box = thing.label.box_px
    v, u = np.nonzero(thing.pixels)
    tight = np.array([u.min(), v.min(), u.max() + 1, v.max() + 1], np.float64)
    if box is None:
        if thing.area > FEW_POINTS:
            yield f"{name(thing.place, thing.label)} has no box, but {thing.area} pixels show it"
        return
    beyond = (tight - np.array(box)) * (1, 1, -1, -1)
    if beyond.min() < -BOX_PX or beyond.max() > WIDE_PX:
        yield (
            f"the box of {name(thing.place, thing.label)} is {list(box)}, but its pixels' is "
            f"{tight.tolist()}"
        )


def strange_points(thing: Measured, points: Numbers) -> Iterator[str]:
    """Say where what is seen of an object is outside of its box."""
    slack = max(OUT_M, OUT_SHARE * thing.box.longest)
    out = thing.box.inside(points)
    count = int(np.count_nonzero(out > slack))
    if count > max(FEW_POINTS, FEW_OUT * len(points)):
        yield (
            f"{counted(count, 'point')} of {len(points)} of {name(thing.place, thing.label)} lie "
            f"outside of its box, by up to {out.max() * 1000:.1f} mm"
        )


def strange_faces(view: MeasuredView, thing: Measured, arrays: Arrays) -> Iterator[str]:
    """Say which faces of a box are too far out.

    What fills a box touches each of its faces. Nothing of it can hide where it touches one that
    looks at the camera: so a point there is seen, or something else is before it.
    """
    assert thing.points is not None
    own = thing.box.own(thing.points)
    slack = max(SHORT_PX * pixel_m(view, thing), SHORT_SHARE * thing.box.longest)
    eye = thing.box.own(view.world_from_camera[None, :3, 3])[0]
    for axis, sign in FACES:
        half = thing.box.sides[axis] / 2
        short = half - float((sign * own[:, axis]).max())
        if sign * eye[axis] <= half or short <= slack:
            continue
        if not might_be_hidden(view, thing, axis, sign, arrays["depth"]):
            yield (
                f"the box of {name(thing.place, thing.label)} reaches {short * 1000:.1f} mm beyond "
                "all that is seen of it, where nothing hides it"
            )
            return


def pixel_m(view: MeasuredView, thing: Measured) -> float:
    """Return how large a pixel is at the distance of an object."""
    far = float(np.linalg.norm(thing.middle - view.world_from_camera[:3, 3]))
    return far / (view.record.camera.fx_px or 1.0)


STEPS = np.linspace(-0.5, 0.5, 17)


def might_be_hidden(
    view: MeasuredView, thing: Measured, axis: int, sign: float, depth: NDArray[np.floating]
) -> bool:
    """Say whether a part of a face is out of the picture, or something else is before it."""
    across = [each for each in range(3) if each != axis]
    grid = np.zeros((len(STEPS) ** 2, 3))
    grid[:, across] = np.stack(np.meshgrid(STEPS, STEPS), axis=-1).reshape(-1, 2)
    grid[:, axis] = sign / 2
    points = thing.box.centre + (grid * thing.box.sides) @ thing.box.axes
    camera, pose = view.record.camera, view.world_from_camera
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    far = -local[:, 2]
    if (far <= 0).any():
        return True
    u = np.floor(camera.cx_px + (camera.fx_px or 1.0) * local[:, 0] / far).astype(int)
    v = np.floor(camera.cy_px - (camera.fy_px or 1.0) * local[:, 1] / far).astype(int)
    height, width = thing.pixels.shape
    if ((u < 0) | (v < 0) | (u >= width) | (v >= height)).any():
        return True
    before = depth.reshape(height, width)[v, u] < far - OUT_M
    return bool((before & ~thing.pixels[v, u]).any())


def strange_attributes(thing: Measured, arrays: Arrays) -> Iterator[str]:
    """Say which recorded attributes passes and poses do not bear out."""
    said = thing.label.attributes
    if said is None:
        return
    who = name(thing.place, thing.label)
    if said.pose is not None and has_pose(thing, said.pose) is not True:
        yield f"{who} is said to be {said.pose}, which its pose is not"
    if said.colour is not None and thing.shares is not None:
        share = thing.shares.get(said.colour, 0.0)
        if share < POSSIBLE_SHARE:
            yield f"{who} is said to be {said.colour}, which {share:.0%} of its pixels are"
    dark = COLOURLESS & {*materials_of(thing.label)}
    if dark and "albedo" in arrays:
        within = core(thing.pixels)
        mean = float(arrays["albedo"][within].mean()) if within.any() else 0.0
        if mean > DARK:
            yield f"{who} is said to be {min(dark)}, but scatters {mean:.0%} of the light"


def strange_visibility(thing: Measured) -> Iterator[str]:
    """Say where the share of an object that is seen is not what is recorded."""
    said, share = thing.label.visible_fraction, thing.visible_fraction
    if said is None or share is None:
        return
    if abs(said - share) > VISIBLE_SLACK or (said == 0.0 and thing.area > FEW_POINTS):
        yield (
            f"{name(thing.place, thing.label)} is said to be visible by {said:.0%}, but "
            f"{thing.area} pixels show {share:.0%} of it"
        )


def strange_contacts(view: MeasuredView) -> Iterator[str]:
    """Say which recorded contacts boxes do not allow."""
    objects = view.record.objects
    boxes = [box_of(label, view.world_from_camera) for label in objects]
    for place, label in enumerate(objects):
        who = name(place, label)
        contacts = {*label.on, *label.inside, *label.touches}
        if any(not 0 <= other < len(objects) or other == place for other in contacts):
            yield f"{who} touches what is not among the objects"
            continue
        if label.words is not None and not (label.on or label.inside):
            yield f"{who} rests on nothing"
        for other in sorted(contacts):
            if what := strange_contact(place, other, view, boxes):
                yield f"{who} is said to {what}"


def strange_contact(place: int, other: int, view: MeasuredView, boxes: list[Box]) -> str | None:
    """Say which contact of two objects cannot be."""
    label, below = view.record.objects[place], view.record.objects[other]
    one, two, it = boxes[place], boxes[other], name(other, below)
    slack = TOUCH_M + TOUCH_SHARE * min(one.longest, two.longest)
    if (far := gap(one, two)) > slack:
        return f"touch {it}, which is {far * 1000:.1f} mm away"
    if other in label.on:
        if below.category == SURFACE and not stands_at(one, 0.0):
            return (
                f"be on {it}, but its lowest point is {one.lowest[0] * 1000:.1f} mm above its top"
            )
        if gap_from_above(one, two) > BESIDE_M or one.top < two.lowest[0]:
            return f"be on {it}, but is beside it or under it"
    if other in label.inside and not may_hold(two, one):
        return f"be in {it}, but its middle is beside it, or above its top"
    return None


def stands_at(box: Box, height: float) -> bool:
    """Say whether the lowest point of what fills a box may be at a height."""
    least, most = box.lowest
    return least - STAND_M <= height <= most + STAND_M


def may_hold(holder: Box, held: Box) -> bool:
    """Say whether a box is over another's ground by its middle, and reaches below its top."""
    middle = Box(held.centre, held.axes, np.zeros(3))
    return gap_from_above(middle, holder) <= 0.0 and held.lowest[0] < holder.top
