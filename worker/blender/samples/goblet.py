"""A wine glass: one sees through it, and it bends what is behind."""

from __future__ import annotations

import bmesh

from worker.blender.samples.materials import add_material
from worker.blender.samples.shapes import Ring, add_mesh, lathe, smooth_profile

OUTSIDE = (
    Ring(0.0, 0.0005),
    Ring(0.020, 0.0008),
    Ring(0.034, 0.0),
    Ring(0.0352, 0.0012),
    Ring(0.034, 0.0022),
    Ring(0.018, 0.0045),
    Ring(0.0060, 0.0095),
    Ring(0.0037, 0.022),
    Ring(0.0033, 0.055),
    Ring(0.0038, 0.082),
    Ring(0.0085, 0.0945),
    Ring(0.0240, 0.106),
    Ring(0.0370, 0.125),
    Ring(0.0410, 0.146),
    Ring(0.0385, 0.172),
    Ring(0.0340, 0.200),
    Ring(0.0310, 0.2155),
)
RIM = (Ring(0.0304, 0.2163), Ring(0.0298, 0.2155))
INSIDE = (
    Ring(0.0327, 0.200),
    Ring(0.0371, 0.172),
    Ring(0.0396, 0.146),
    Ring(0.0355, 0.126),
    Ring(0.0225, 0.1078),
    Ring(0.0080, 0.0995),
    Ring(0.0, 0.0980),
)
OVERLAP = 1.004
"""The wine reaches a hair into the glass: a gap of air would shine like a mirror."""


def add_goblet() -> None:
    """Build the glass, metres, standing on the origin, with wine in it."""
    glass = add_material(
        "glass", (0.985, 0.995, 0.99), Roughness=0.0, IOR=1.5, Transmission_Weight=1.0
    )
    wine = add_material(
        "wine", (0.50, 0.012, 0.03), Roughness=0.0, IOR=1.34, Transmission_Weight=1.0
    )

    vessel = bmesh.new()
    lathe(vessel, smooth_profile(OUTSIDE + RIM + INSIDE, steps=2), steps=40)
    add_mesh("vessel", vessel, [glass], subdivisions=1)
    drink = bmesh.new()
    lathe(drink, wine_profile(), steps=40)
    add_mesh("wine", drink, [wine], subdivisions=1)


def wine_profile() -> list[Ring]:
    """Return the lower part of the glass's inside, closed by a level surface."""
    wall = smooth_profile(INSIDE[2:], steps=2)
    rings = [Ring(ring.radius * OVERLAP, ring.height - 0.0002) for ring in wall]
    top = rings[0]
    edge = Ring(top.radius - 0.0006, top.height)  # keeps the level's edge sharp when subdivided
    return [
        Ring(0.0, top.height),
        Ring(top.radius / 2, top.height),
        edge,
        *rings[:-1],
        Ring(0.0, rings[-1].height),
    ]
