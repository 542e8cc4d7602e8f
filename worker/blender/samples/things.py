"""Things for a table, in colours that have a name: mugs, bowls, bottles, cans, balls, boxes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import bmesh
from mathutils import Matrix

from worker.blender.samples.materials import Colour, add_material
from worker.blender.samples.shapes import (
    Point,
    Ring,
    add_mesh,
    lathe,
    round_section,
    smooth_path,
    tube,
)

STEPS, EDGES_FROM_DEG = 40, 35.0
COLOURS = {
    "red": "be0032", "green": "27a64c", "blue": "0067a5", "yellow": "f3c300", "orange": "f38400",
    "purple": "602f6b", "brown": "593319", "white": "f2f3f4", "black": "222222",
}  # fmt: skip
"""sRGB, as hexadecimal digits: the middles of the names' regions in the ISCC-NBS system."""


def turned(*corners_mm: tuple[float, float]) -> tuple[Ring, ...]:
    """Return a profile from the radius and height of each corner, millimetres."""
    return tuple(Ring(radius / 1000, height / 1000) for radius, height in corners_mm)


MUG = turned(
    (0, 0), (36, 0), (40, 4), (40, 92), (38.5, 95), (37, 92), (36, 8), (0, 6)
)  # fmt: skip
HANDLE: tuple[Point, ...] = (
    (0.036, 0.0, 0.076), (0.052, 0.0, 0.078), (0.066, 0.0, 0.066), (0.068, 0.0, 0.047),
    (0.060, 0.0, 0.030), (0.036, 0.0, 0.024),
)  # fmt: skip
BOWL = turned(
    (0, 0), (35, 0), (40, 3), (62, 25), (74, 56), (73.5, 59), (70, 56), (58, 27), (36, 7), (0, 5)
)  # fmt: skip
BOTTLE = turned(
    (0, 0), (33, 0), (36, 4), (36, 130), (30, 150), (14, 172), (13, 205), (15, 207), (15, 222),
    (0, 224),
)  # fmt: skip
CAN = turned(
    (0, 0), (30, 0), (33, 5), (33, 115), (29, 122), (0, 122)
)  # fmt: skip
BOX_M = (0.14, 0.09, 0.05)
BALL_M = 0.036


class Thing(NamedTuple):
    """A thing that is built by code."""

    noun: str
    colour: str


THINGS = tuple(
    Thing(noun, colour)
    for noun, colours in {
        "mug": ("red", "blue", "white"),
        "bowl": ("green", "yellow", "white"),
        "bottle": ("green", "purple"),
        "can": ("red", "yellow"),
        "ball": ("orange", "blue"),
        "box": ("brown", "black"),
    }.items()
    for colour in colours
)


def add_thing(thing: Thing) -> None:
    """Build a thing, metres, standing on the origin."""
    mesh = bmesh.new()
    SHAPES[thing.noun](mesh)
    paint = add_material(thing.colour, linear(COLOURS[thing.colour]), Roughness=0.45)
    add_mesh(thing.noun, mesh, [paint], edges_from_deg=EDGES_FROM_DEG)


def add_turned(mesh: bmesh.types.BMesh, profile: tuple[Ring, ...]) -> None:
    """Add what was turned on a lathe."""
    lathe(mesh, profile, steps=STEPS)


def add_mug(mesh: bmesh.types.BMesh) -> None:
    """Add a mug and its handle."""
    lathe(mesh, MUG, steps=STEPS)
    tube(mesh, smooth_path(HANDLE, steps=5), round_section(0.006, sides=12))


def add_ball(mesh: bmesh.types.BMesh) -> None:
    """Add a ball."""
    bmesh.ops.create_uvsphere(
        mesh,
        u_segments=STEPS,
        v_segments=STEPS // 2,
        radius=BALL_M,
        matrix=Matrix.Translation((0.0, 0.0, BALL_M)),
    )


def add_box(mesh: bmesh.types.BMesh) -> None:
    """Add a box with blunt edges."""
    sides = Matrix.Diagonal((*BOX_M, 1.0))
    bmesh.ops.create_cube(
        mesh, size=1.0, matrix=Matrix.Translation((0.0, 0.0, BOX_M[2] / 2)) @ sides
    )
    edges: list[bmesh.types.BMVert | bmesh.types.BMEdge | bmesh.types.BMFace] = [*mesh.edges]
    bmesh.ops.bevel(mesh, geom=edges, offset=0.002, segments=1, affect="EDGES")


SHAPES: dict[str, Callable[[bmesh.types.BMesh], None]] = {
    "mug": add_mug,
    "bowl": partial(add_turned, profile=BOWL),
    "bottle": partial(add_turned, profile=BOTTLE),
    "can": partial(add_turned, profile=CAN),
    "ball": add_ball,
    "box": add_box,
}


def linear(digits: str) -> Colour:
    """Return a colour of sRGB, as hexadecimal digits, in scene-linear light."""
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return of_screen(red), of_screen(green), of_screen(blue)


def of_screen(value: float) -> float:
    """Return the light of a value of sRGB, 0..1."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
