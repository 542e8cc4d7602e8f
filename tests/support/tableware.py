"""Things for tables in many shapes, sizes, colours and materials, with their words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from farm.spec.words import AssetWords
from tests.support.known_things import (
    METALS,
    SHADES,
    Look,
    Numbers,
    Skin,
    clear,
    cube,
    glb,
    grid,
    linear,
    paint,
    striped,
)

AROUND = 40
"""Corners of a thing that was turned on a lathe."""


class Shape(NamedTuple):
    """What a noun looks like."""

    skin: Callable[[], Skin]
    words: AssetWords
    sizes: tuple[float, ...] = (1.0, 1.45)
    """Factors: of each colour one is taken."""


def turned(profile: Sequence[tuple[float, float]]) -> Callable[[], Skin]:
    """Return what a lathe makes of a profile: radii and heights in millimetres, from below."""

    def skin() -> Skin:
        radii, heights = np.array(profile, dtype=float).T / 1000
        steps = np.linspace(0, 1, len(profile))

        def at(u: Numbers, v: Numbers) -> Numbers:
            turn, out = 2 * math.pi * u, np.interp(v, steps, radii)
            height = np.interp(v, steps, heights)
            return np.column_stack([out * np.cos(turn), height, -out * np.sin(turn)])

        return grid(AROUND, len(profile) - 1, at)

    return skin


def block(x: float, y: float, z: float) -> Callable[[], Skin]:
    """Return a box of these sides, millimetres; y is up."""

    def skin() -> Skin:
        made = cube()
        sides = np.array((x, y, z)) / 1000 / np.ptp(made.corners, axis=0)
        return made._replace(corners=made.corners * sides)

    return skin


def ring(radius: float, thickness: float) -> Callable[[], Skin]:
    """Return a ring that lies, millimetres."""

    def at(u: Numbers, v: Numbers) -> Numbers:
        turn, tube = 2 * math.pi * u, 2 * math.pi * v
        out = (radius + thickness * np.cos(tube)) / 1000
        height = thickness * np.sin(tube) / 1000
        return np.column_stack([out * np.cos(turn), height, out * np.sin(turn)])

    return lambda: grid(AROUND, 16, at)


def called(noun: str, hypernym: str | None = None, **more: object) -> AssetWords:
    """Return words that a person has confirmed."""
    return AssetWords(noun=noun, hypernym=hypernym, confirmed=True, **more)  # type: ignore[arg-type]


CUP = [(0, 0), (32, 0), (36, 85), (33, 85), (29, 4), (0, 4)]
BOWL = [(0, 0), (35, 0), (62, 30), (70, 55), (66, 55), (58, 32), (32, 5), (0, 5)]
SHAPES: dict[str, Shape] = {
    "cup": Shape(turned(CUP), called("cup", "container", synonyms=("beaker",))),
    "bowl": Shape(turned(BOWL), called("bowl", "container"), (1.0, 0.7)),
    "bottle": Shape(
        turned([(0, 0), (32, 0), (34, 110), (13, 150), (12, 190), (0, 190)]),
        called("bottle", "container"), (1.0, 0.7),
    ),
    "plate": Shape(
        turned([(0, 0), (50, 0), (80, 14), (78, 17), (48, 5), (0, 5)]), called("plate")
    ),
    "can": Shape(turned([(0, 0), (33, 0), (33, 115), (0, 115)]), called("can", "container")),
    "candle": Shape(turned([(0, 0), (20, 0), (20, 100), (0, 104)]), called("candle")),
    "cone": Shape(turned([(0, 0), (40, 0), (0, 95)]), called("cone", "toy")),
    "ball": Shape(
        turned([(40 * math.sin(math.pi * a / 16), 40 - 40 * math.cos(math.pi * a / 16))
                for a in range(17)]),
        called("ball", "toy", symmetric=True),
    ),
    "ring": Shape(ring(35, 9), called("ring", "toy")),
    "cube": Shape(block(60, 60, 60), called("cube", "toy", symmetric=True)),
    "box": Shape(block(120, 70, 85), called("box", "container", plural="boxes")),
    "book": Shape(block(150, 25, 110), called("book")),
    "brick": Shape(block(100, 35, 50), called("brick", "toy")),
    "knife": Shape(block(160, 8, 22), called("knife", "utensil", plural="knives")),
}  # fmt: skip
"""By noun."""


def looks() -> Iterator[tuple[str, Look]]:
    """Yield colours and materials with their names, the plain ones most often."""
    for term, shades in SHADES.items():
        for number, shade in enumerate(shades.split()[:2]):
            yield f"{term}{number}", Look(paint(linear(shade), roughness=0.5), term)
    for number, shade in enumerate(METALS[:2]):
        material = paint(linear(shade), metallic=1.0, roughness=0.1 + 0.3 * number)
        yield f"metal{number}", Look(material, None, frozenset({"metal"}))
    for number, look in enumerate(striped()):
        if number % 3 == 0:
            yield f"striped{number}", look
    yield "glass", next(clear())
    for term in ("red", "blue"):
        yield f"shiny{term}", Look(paint(linear(SHADES[term].split()[0]), roughness=0.1), term)


def write_tableware(folder: Path, *, each: int = 8) -> Path:
    """Write `each` things of every shape, and `words.yaml` beside the folder; return that file."""
    folder.mkdir(parents=True, exist_ok=True)
    painted, lines = list(looks()), []
    for place, (noun, shape) in enumerate(SHAPES.items()):
        for number in range(each):
            name, look = painted[(place * 5 + number * 3) % len(painted)]
            size = shape.sizes[(place + number) % len(shape.sizes)]
            skin = shape.skin()
            file = folder / f"{name}_{noun}_{number}.glb"
            file.write_bytes(glb(skin._replace(corners=skin.corners * size), look))
            words = words_of(shape.words, name, number)
            lines.append(f"{file.name}: {words.model_dump_json(exclude_defaults=True)}\n")
    listing = folder.parent / "words.yaml"
    listing.write_text("".join(lines))
    return listing


def words_of(words: AssetWords, look: str, number: int) -> AssetWords:
    """Return the words of one thing: of some a person has said more, of some nobody anything."""
    if number % 8 == 7:
        return words.model_copy(update={"confirmed": False, "synonyms": ()})
    if look.startswith("brown"):
        return words.model_copy(update={"material": "wooden"})
    return words
