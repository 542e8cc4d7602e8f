"""Shapes that the farm itself brings to distract, as the text of Wavefront OBJ files."""

from __future__ import annotations

import math
from collections.abc import Callable

from farm.spec.randomise import Shape

Corner = tuple[float, float, float]
Face = tuple[int, ...]
Form = tuple[list[Corner], list[Face], list[Face]]
"""Corners, y up, within a cube of side 1 around the origin; flat faces; faces of a round side."""

SIDES, RINGS = 48, 24
TUBE = 0.15
"""Radius of a torus' tube, of the torus' whole width."""


def shape(name: Shape, size_m: float) -> str:
    """Return a shape that measures so many metres from side to side."""
    corners, flat, smooth = FORMS[name]()
    lines = [f"o {name}"]
    lines += [f"v {x * size_m:.6f} {y * size_m:.6f} {z * size_m:.6f}" for x, y, z in corners]
    for smoothing, faces in (("off", flat), ("1", smooth)):
        lines += [f"s {smoothing}"] if faces else []
        lines += ["f " + " ".join(str(corner + 1) for corner in face) for face in faces]
    return "\n".join([*lines, ""])


def circle(radius: float, sides: int = SIDES) -> list[tuple[float, float]]:
    """Return points around the origin."""
    turns = (2 * math.pi * side / sides for side in range(sides))
    return [(radius * math.cos(turn), radius * math.sin(turn)) for turn in turns]


def cube() -> Form:
    """Return a cube."""
    signs = (-0.5, 0.5)
    corners = [(x, y, z) for x in signs for y in signs for z in signs]
    faces: list[Face] = [
        (0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3),
    ]  # fmt: skip
    return corners, faces, []


def cylinder() -> Form:
    """Return a cylinder that stands."""
    corners = [(x, y, -z) for y in (-0.5, 0.5) for x, z in circle(0.5)]
    wall: list[Face] = [
        (side, (side + 1) % SIDES, SIDES + (side + 1) % SIDES, SIDES + side)
        for side in range(SIDES)
    ]
    ends: list[Face] = [tuple(range(SIDES - 1, -1, -1)), tuple(range(SIDES, 2 * SIDES))]
    return corners, ends, wall


def cone() -> Form:
    """Return a cone that stands; its tip is shaded flat, since it has no one normal."""
    corners = [*((x, -0.5, -z) for x, z in circle(0.5)), (0.0, 0.5, 0.0)]
    wall: list[Face] = [(side, (side + 1) % SIDES, SIDES) for side in range(SIDES)]
    return corners, [*wall, tuple(range(SIDES - 1, -1, -1))], []


def sphere() -> Form:
    """Return a sphere."""
    corners: list[Corner] = [(0.0, 0.5, 0.0), (0.0, -0.5, 0.0)]
    for ring in range(1, RINGS):
        down = math.pi * ring / RINGS
        corners += [(x, 0.5 * math.cos(down), -z) for x, z in circle(0.5 * math.sin(down))]
    last = 2 + (RINGS - 2) * SIDES
    faces: list[Face] = []
    for side in range(SIDES):
        other = (side + 1) % SIDES
        faces += [(0, 2 + side, 2 + other), (1, last + other, last + side)]
        faces += [
            (2 + ring * SIDES + side, 2 + (ring + 1) * SIDES + side,
             2 + (ring + 1) * SIDES + other, 2 + ring * SIDES + other)
            for ring in range(RINGS - 2)
        ]  # fmt: skip
    return corners, [], faces


def torus() -> Form:
    """Return a torus that lies."""
    corners = [
        ((0.5 - TUBE + out) * x, up, (0.5 - TUBE + out) * -z)
        for x, z in circle(1.0)
        for out, up in circle(TUBE, RINGS)
    ]
    faces: list[Face] = [
        (a * RINGS + b, (a + 1) % SIDES * RINGS + b, (a + 1) % SIDES * RINGS + (b + 1) % RINGS,
         a * RINGS + (b + 1) % RINGS)
        for a in range(SIDES) for b in range(RINGS)
    ]  # fmt: skip
    return corners, [], faces


FORMS: dict[Shape, Callable[[], Form]] = {
    "cube": cube, "sphere": sphere, "cylinder": cylinder, "cone": cone, "torus": torus,
}  # fmt: skip
