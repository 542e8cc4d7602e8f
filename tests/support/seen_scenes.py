"""Views as the generator of sentences knows them, laid out by tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from farm.expressions.seen import SeenObject, SeenScene
from farm.spec.words import AssetWords

TABLE = 0
PX_PER_M = 500.0
MIDDLE_PX = 256.0


def called(noun: str, *synonyms: str, **known: Any) -> AssetWords:
    """Words that a person has confirmed."""
    return AssetWords(noun=noun, synonyms=synonyms, **{"confirmed": True, **known})


def a_thing(
    place: int,
    words: AssetWords | None,
    at_m: tuple[float, ...] = (0.0, 0.0),
    *,
    colour: str | None = None,
    size_m: float = 0.1,
    height_m: float | None = None,
    **known: Any,
) -> SeenObject:
    """A thing on the table, wholly seen by the camera of `a_view`.

    Args:
        place: In the record.
        words: What it is called.
        at_m: x right, y away.
        colour: Of it, and the only term that anybody would say.
        size_m: Longest side.
        height_m: Of its top over the table; as high as it is long where not given.
        **known: Fields of `SeenObject` that are to be otherwise.
    """
    x, y = at_m[:2]
    height = size_m if height_m is None else height_m
    u, v = MIDDLE_PX + PX_PER_M * x, MIDDLE_PX - PX_PER_M * y
    half = PX_PER_M * size_m / 2
    centre = np.array([x, y, height / 2])
    fields: dict[str, Any] = {
        "place": place,
        "words": words,
        "is_surface": False,
        "colour": colour,
        "colours": frozenset({colour} if colour else ()),
        "materials": frozenset(),
        "pose": None,
        "size_m": size_m,
        "height_m": height,
        "centre_m": centre,
        "seen_m": centre,
        "mean_px": np.array([u, v]),
        "point_px": (u, v),
        "box_px": (u - half, v - half, u + half, v + half),
        "area_px": (2 * half) ** 2,
        "visible_fraction": 1.0,
        "on": frozenset({TABLE}),
        "inside": frozenset(),
        "maybe_materials": frozenset(),
    }
    return SeenObject(**{**fields, **known})


def the_table() -> SeenObject:
    """What all lies on."""
    return a_thing(TABLE, None, size_m=2.0, is_surface=True, on=frozenset())


def a_view(*things: SeenObject, **known: Any) -> SeenScene:
    """A view of things on a table, by a camera high above that sees +x right and +y away."""
    camera = np.eye(4)
    camera[:3, 3] = (0.0, 0.0, 10.0)
    fields: dict[str, Any] = {
        "objects": (the_table(), *things),
        "world_from_camera": camera,
        "fraction": 0.4,
        "pixels": 200,
    }
    return SeenScene(**{**fields, **known})


VOCABULARY = (
    called("mug", "cup", hypernym="container"),
    called("bowl", hypernym="container"),
    called("can", "tin", hypernym="container"),
    called("apple", hypernym="fruit"),
    called("orange", hypernym="fruit"),
    called("scissors", plural="scissors", hypernym="tool"),
    called("tape measure", hypernym="tool"),
    called("box of tissues", plural="boxes of tissues"),
    called("knife", hypernym="utensil"),
    called("toy car", "car", hypernym="toy"),
)
SEEN_COLOURS = ("red", "green", "blue", "yellow", "orange", "white")


FOCAL_PX, SIDE_PX = 420.0, 512.0


def drawn_view(rng: np.random.Generator, count: int = 10, kinds: int = 4) -> SeenScene:
    """A view of things on a grid, of a few kinds, as the recipe sets and shows them.

    Some stand on another one, some are partly hidden; the camera stands around the table.
    """
    cells = [(x, y) for x in range(-2, 3) for y in range(-2, 3)]
    chosen = rng.permutation(len(cells))[:count]
    nouns = rng.permutation(len(VOCABULARY))[:kinds]
    things = [
        _drawn_thing(place, cells[cell], VOCABULARY[nouns[rng.integers(kinds)]], rng)
        for place, cell in enumerate(chosen, start=1)
    ]
    if count > 2 and rng.random() < 0.4:
        things[1] = _put_onto(things[1], things[0])
    camera = _drawn_camera(rng)
    shown = tuple(_shown(each, camera, rng) for each in things)
    return a_view(*shown, world_from_camera=camera, focal_px=FOCAL_PX)


def _drawn_camera(rng: np.random.Generator) -> np.ndarray:
    """A camera that looks at the middle of the table, rolled a little: (4, 4)."""
    around, up = np.radians(rng.uniform(0, 360)), np.radians(rng.uniform(25, 75))
    back = np.array([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)])
    right = np.cross([0.0, 0.0, 1.0], back) / np.cos(up)
    above, roll = np.cross(back, right), np.radians(rng.uniform(-10, 10))
    camera = np.eye(4)
    camera[:3, 0] = np.cos(roll) * right + np.sin(roll) * above
    camera[:3, 1] = np.cos(roll) * above - np.sin(roll) * right
    camera[:3, 2] = back
    camera[:3, 3] = 1.3 * back
    return camera


def _shown(thing: SeenObject, camera: np.ndarray, rng: np.random.Generator) -> SeenObject:
    """A thing as a camera sees it: a little of its near side counts for where it is seen."""
    near = camera[:3, 3] - thing.centre_m
    seen = thing.centre_m + 0.2 * thing.size_m * near / np.linalg.norm(near)
    x, y, z = camera[:3, :3].T @ (seen + rng.normal(0, 0.005, 3) - camera[:3, 3])
    middle = np.array([SIDE_PX / 2 - FOCAL_PX * x / z, SIDE_PX / 2 + FOCAL_PX * y / z])
    half = FOCAL_PX * thing.size_m / -z / 2
    low, high = middle - half, middle + half
    return replace(
        thing,
        seen_m=seen,
        mean_px=middle,
        point_px=(float(middle[0]), float(middle[1])),
        box_px=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        area_px=float(0.7 * (2 * half) ** 2 * thing.visible_fraction),
    )


def _put_onto(thing: SeenObject, below: SeenObject) -> SeenObject:
    """A thing that stands on another one."""
    centre = below.centre_m + np.array([0.01, 0.0, (below.height_m + thing.height_m) / 2])
    height = below.height_m + thing.height_m
    return replace(
        thing, centre_m=centre, seen_m=centre, height_m=height, on=frozenset({below.place})
    )


def _drawn_thing(
    place: int, cell: tuple[int, int], words: AssetWords, rng: np.random.Generator
) -> SeenObject:
    at = (0.18 * cell[0] + rng.uniform(-0.05, 0.05), 0.18 * cell[1] + rng.uniform(-0.05, 0.05))
    colour = str(rng.choice(SEEN_COLOURS)) if rng.random() < 0.85 else None
    metal = colour is None
    made = frozenset({"metal"}) if metal else frozenset({"shiny"} if rng.random() < 0.1 else ())
    size = float(rng.choice([0.07, 0.1, 0.14]))
    height = size * float(rng.choice([0.4, 1.0]))
    pose = str(rng.choice(["upright", "lying"])) if rng.random() < 0.5 else None
    fraction = 1.0 if rng.random() < 0.7 else float(rng.uniform(0.2, 1.0))
    return a_thing(
        place, words, at, colour=colour, size_m=size, height_m=height, materials=made,
        maybe_materials=made, pose=pose, visible_fraction=fraction,
    )  # fmt: skip
