"""A chair of bent wire: a hundred thin rods with air between them."""

from __future__ import annotations

import math
from collections.abc import Callable

import bmesh
from mathutils import Vector

from worker.blender.samples.materials import add_bumps, add_material
from worker.blender.samples.shapes import (
    Point,
    add_mesh,
    add_vertex,
    round_section,
    skin,
    smooth_path,
    tube,
)

SPINE: tuple[Point, ...] = (
    (0.0, 0.245, 0.425),
    (0.0, 0.150, 0.442),
    (0.0, 0.000, 0.420),
    (0.0, -0.130, 0.418),
    (0.0, -0.205, 0.490),
    (0.0, -0.245, 0.620),
    (0.0, -0.290, 0.790),
)
"""Middle of the shell, from the front of the seat to the top of the back; metres, +Y in front."""
WIDTHS = (0.20, 0.235, 0.255, 0.262, 0.262, 0.250, 0.225)
"""Half the shell's width at each point of the spine."""
HOLLOW = 0.045
"""How much the sides rise above the middle."""
SQUARENESS = 5
"""Outline of the shell: 2 is an ellipse, more is squarer."""
WIRES_ACROSS, WIRES_ALONG = 19, 15
LEG_RADIUS = 0.0062
WIRE = round_section(0.0026, sides=6)
RIM = round_section(0.0048, sides=8)
LEG = round_section(LEG_RADIUS, sides=10)
STEPS = 26

Surface = Callable[[float, float], Vector]
"""(across, along), each -1..1 -> a point of the shell."""


def add_chair() -> None:
    """Build the chair, metres, standing on the origin."""
    steel = add_material("steel", (0.55, 0.56, 0.58), Metallic=1.0, Roughness=0.16)
    cloth = add_material("cloth", (0.78, 0.25, 0.012), Roughness=0.9, Sheen_Weight=0.15)
    add_bumps(cloth, scale=700.0, strength=0.35)

    shell = bmesh.new()
    add_wires(shell, shell_point)
    rim = [shell_point(*outline(2 * math.pi * step / 96)) for step in range(96)]
    tube(shell, rim, RIM, closed=True)
    add_mesh("shell", shell, [steel])
    legs = bmesh.new()
    add_legs(legs)
    add_mesh("legs", legs, [steel])
    cushion = bmesh.new()
    add_cushion(cushion)
    add_mesh("cushion", cushion, [cloth], subdivisions=1)


def shell_point(across: float, along: float) -> Vector:
    """Return a point of the shell; both run from -1 to 1, `along` from the front to the top."""
    place = (along + 1) / 2 * (len(SPINE) - 1)
    span = min(int(place), len(SPINE) - 2)
    middle = spine_point(place)
    direction = (spine_point(place + 0.05) - spine_point(place - 0.05)).normalized()
    up = Vector((0, direction.z, -direction.y))  # away from the spine, to where one sits
    share = place - span
    half = WIDTHS[span] * (1 - share) + WIDTHS[span + 1] * share
    return middle + Vector((across * half, 0, 0)) + up * (HOLLOW * across**2)


SPINE_CURVE = smooth_path(SPINE, steps=16)


def spine_point(place: float) -> Vector:
    """Return a point of the spine; `place` counts the points of `SPINE`."""
    exact = min(max(place * 16, 0.0), len(SPINE_CURVE) - 1.0)
    index = min(int(exact), len(SPINE_CURVE) - 2)
    return SPINE_CURVE[index].lerp(SPINE_CURVE[index + 1], exact - index)


def outline(angle: float) -> tuple[float, float]:
    """Return (across, along) on the rounded rectangle that bounds the shell."""
    power = 2 / SQUARENESS
    cosine, sine = math.cos(angle), math.sin(angle)
    return (
        math.copysign(abs(cosine) ** power, cosine),
        math.copysign(abs(sine) ** power, sine),
    )


def reach(position: float) -> float:
    """Return how far a wire at `position` runs to either side before it meets the rim."""
    return float((1 - abs(position) ** SQUARENESS) ** (1 / SQUARENESS))


def add_wires(mesh: bmesh.types.BMesh, surface: Surface) -> None:
    """Weave the shell: wires across lie on the wires along."""
    for along in evenly(WIRES_ACROSS):
        end = reach(along)
        tube(mesh, [surface(end * t, along) for t in ticks()], WIRE)
    for across in evenly(WIRES_ALONG):
        end = reach(across)
        tube(mesh, [surface(across, end * t) for t in ticks()], WIRE)


def evenly(count: int) -> list[float]:
    """Return `count` positions between -1 and 1, without the ends."""
    return [-1 + 2 * (index + 1) / (count + 1) for index in range(count)]


def ticks() -> list[float]:
    """Return positions from -1 to 1, with the ends."""
    return [-1 + 2 * index / STEPS for index in range(STEPS + 1)]


def add_legs(mesh: bmesh.types.BMesh) -> None:
    """Stand the shell on two bent sledges, braced to each other."""
    for side in (-1, 1):
        corners: tuple[Point, ...] = (
            (side * 0.135, 0.130, 0.418),
            (side * 0.190, 0.165, 0.220),
            (side * 0.232, 0.196, 0.022),
            (side * 0.236, 0.170, LEG_RADIUS),
            (side * 0.238, 0.000, LEG_RADIUS),
            (side * 0.236, -0.215, LEG_RADIUS),
            (side * 0.232, -0.241, 0.022),
            (side * 0.190, -0.170, 0.220),
            (side * 0.135, -0.085, 0.398),
        )
        tube(mesh, smooth_path(corners, steps=8), LEG)
    for y, z in ((0.130, 0.418), (-0.085, 0.398)):
        brace = [Vector((x, y, z)) for x in (-0.150, 0.0, 0.150)]
        tube(mesh, brace, LEG)


def add_cushion(mesh: bmesh.types.BMesh) -> None:
    """Lay a round-cornered pad on the seat."""
    rings, steps = 9, 40
    levels = [(ring / rings, 1.0) for ring in range(1, rings)]
    levels += [(1.0, 0.55), (1.0, 0.2)]
    levels += [(ring / rings, 0.0) for ring in range(rings - 1, 0, -1)]
    loops = [
        [cushion_point(spread, 2 * math.pi * step / steps, height) for step in range(steps)]
        for spread, height in levels
    ]
    verts = [[add_vertex(mesh, point) for point in loop] for loop in loops]
    skin(mesh, verts)
    mesh.faces.new(verts[0])
    mesh.faces.new(verts[-1])


def cushion_point(spread: float, angle: float, height: float) -> Vector:
    """Return a point of the pad: `spread` from its middle to its edge, `height` 0 or 1."""
    across, along = outline(angle)
    place = (spread * across * 0.80, -0.48 + spread * along * 0.40)
    plump = 0.016 + 0.020 * (1 - spread**4)
    return shell_point(*place) + Vector((0, 0, 0.004 + height * plump))
