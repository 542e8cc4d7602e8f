"""A stoneware cup: its handle has a hole."""

from __future__ import annotations

import bmesh

from worker.blender.samples.materials import add_bumps, add_material, add_speckles
from worker.blender.samples.shapes import (
    Ring,
    add_mesh,
    lathe,
    round_section,
    smooth_path,
    smooth_profile,
    tube,
)

CLAY, GLAZE, INSIDE = range(3)

PROFILE = (
    Ring(0.0, 0.004, CLAY),
    Ring(0.026, 0.004, CLAY),
    Ring(0.030, 0.0, CLAY),
    Ring(0.034, 0.002, CLAY),
    Ring(0.0385, 0.012, CLAY),
    Ring(0.0415, 0.025, GLAZE),
    Ring(0.0430, 0.050, GLAZE),
    Ring(0.0425, 0.075, GLAZE),
    Ring(0.0420, 0.092, GLAZE),
    Ring(0.0405, 0.0945, INSIDE),
    Ring(0.0388, 0.092, INSIDE),
    Ring(0.0392, 0.070, INSIDE),
    Ring(0.0390, 0.040, INSIDE),
    Ring(0.0360, 0.016, INSIDE),
    Ring(0.026, 0.009, INSIDE),
    Ring(0.0, 0.008, INSIDE),
)
HANDLE = (
    (0.038, 0.0, 0.080),
    (0.054, 0.0, 0.084),
    (0.069, 0.0, 0.076),
    (0.074, 0.0, 0.058),
    (0.069, 0.0, 0.040),
    (0.056, 0.0, 0.028),
    (0.038, 0.0, 0.024),
)
COFFEE_LEVEL = 0.078


def add_cup() -> None:
    """Build the cup, metres, standing on the origin."""
    clay = add_material("clay", (0.38, 0.17, 0.085), Roughness=0.85)
    add_bumps(clay, scale=900.0, strength=0.15)
    glaze = add_material("glaze", (0.018, 0.17, 0.19), Roughness=0.28, Coat_Weight=0.6)
    add_speckles(glaze, (0.01, 0.035, 0.045), scale=420.0, share=0.36)
    inside = add_material("inside", (0.72, 0.66, 0.55), Roughness=0.22, Coat_Weight=0.5)
    add_speckles(inside, (0.30, 0.20, 0.12), scale=420.0, share=0.33)
    coffee = add_material("coffee", (0.035, 0.012, 0.004), Roughness=0.06)

    body = bmesh.new()
    lathe(body, smooth_profile(PROFILE, steps=3), steps=48)
    add_mesh("body", body, [clay, glaze, inside], subdivisions=1)
    handle = bmesh.new()
    section = round_section(0.0075, sides=14, flatness=0.62)
    tube(handle, smooth_path(HANDLE, steps=6), section)
    add_mesh("handle", handle, [glaze], subdivisions=1)
    drink = bmesh.new()
    lathe(drink, [Ring(0.0, COFFEE_LEVEL), Ring(0.0395, COFFEE_LEVEL)], steps=48)
    add_mesh("coffee", drink, [coffee])
