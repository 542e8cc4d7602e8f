"""Small things for a table, whose colours, shapes and sizes are known, with their words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path

from farm.spec.job import Job, JobSpec, make_job
from farm.spec.recipes.tabletop import RecipeSpec
from farm.spec.words import AssetWords
from tests.builders import an_asset

Corner = tuple[float, float, float]
Mesh = tuple[list[Corner], list[tuple[int, ...]]]
"""Corners in metres, y up as in OBJ files, and the corners of each face, from 0."""

COLOURS = {
    "red": (0.6, 0.02, 0.02),
    "green": (0.03, 0.4, 0.05),
    "blue": (0.02, 0.05, 0.6),
    "yellow": (0.8, 0.65, 0.02),
    "white": (0.85, 0.85, 0.85),
    "black": (0.01, 0.01, 0.01),
}
"""Linear Rec.709, as files of materials have it."""


def box(x: float, y: float, z: float) -> Mesh:
    """A box around the origin."""
    signs = (-0.5, 0.5)
    corners = [(a * x, b * y, c * z) for a in signs for b in signs for c in signs]
    faces: list[tuple[int, ...]] = [
        (0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3),
    ]  # fmt: skip
    return corners, faces


def can(radius: float, height: float, sides: int = 32) -> Mesh:
    """A cylinder around the origin that stands."""
    turns = [2 * math.pi * side / sides for side in range(sides)]
    rings = [
        (radius * math.cos(turn), y, radius * math.sin(turn))
        for y in (-height / 2, height / 2)
        for turn in turns
    ]
    walls = [
        (side, sides + side, sides + (side + 1) % sides, (side + 1) % sides)
        for side in range(sides)
    ]
    return rings, [*walls, tuple(range(sides)), tuple(range(2 * sides - 1, sides - 1, -1))]


def ball(radius: float, sides: int = 24, rings: int = 12) -> Mesh:
    """A sphere around the origin."""
    corners = [(0.0, radius, 0.0), (0.0, -radius, 0.0)]
    for ring in range(1, rings):
        down = math.pi * ring / rings
        for side in range(sides):
            turn = 2 * math.pi * side / sides
            out = radius * math.sin(down)
            corners.append((out * math.cos(turn), radius * math.cos(down), out * math.sin(turn)))
    faces: list[tuple[int, ...]] = []
    last = 2 + (rings - 2) * sides
    for side in range(sides):
        other = (side + 1) % sides
        faces += [(0, 2 + other, 2 + side), (1, last + side, last + other)]
        for ring in range(rings - 2):
            top, low = 2 + ring * sides, 2 + (ring + 1) * sides
            faces.append((top + side, top + other, low + other, low + side))
    return corners, faces


SHAPES: dict[str, Callable[[], Mesh]] = {
    "box": lambda: box(0.08, 0.06, 0.1),
    "can": lambda: can(0.035, 0.11),
    "ball": lambda: ball(0.04),
}
"""What things are there, by noun."""


def write_obj(file: Path, mesh: Mesh, colour: Corner) -> Path:
    """Write a mesh of one colour as an OBJ file, with its file of materials."""
    corners, faces = mesh
    kd = " ".join(f"{part:g}" for part in colour)
    file.with_suffix(".mtl").write_text(f"newmtl paint\nKd {kd}\nNs 50\n")
    lines = [f"mtllib {file.stem}.mtl", f"o {file.stem}", "usemtl paint"]
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in corners]
    lines += ["f " + " ".join(str(corner + 1) for corner in face) for face in faces]
    file.write_text("\n".join([*lines, ""]))
    return file


def write_things(
    folder: Path, *, colours: Iterable[str] = COLOURS, shapes: Iterable[str] = SHAPES
) -> Path:
    """Write one thing of each colour and shape, such as `red_box.obj`; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes = list(shapes)
    for colour in colours:
        for shape in shapes:
            write_obj(folder / f"{colour}_{shape}.obj", SHAPES[shape](), COLOURS[colour])
    return folder


def words_of_things(things: Path) -> dict[str, AssetWords]:
    """What the things in a folder are called, confirmed."""
    return {
        file.name: AssetWords(noun=file.stem.split("_")[-1], hypernym="thing", confirmed=True)
        for file in sorted(things.glob("*.obj"))
    }


def write_words(file: Path, things: Path) -> Path:
    """Write `words.yaml` for the things in a folder."""
    lines = [
        f"{name}: {{noun: {words.noun}, hypernym: {words.hypernym}, confirmed: true}}"
        for name, words in words_of_things(things).items()
    ]
    file.write_text("\n".join([*lines, ""]))
    return file


def a_tabletop_job(*, objects: int = 8, hdrs: int = 2, nouns: int = 2, **recipe: object) -> Job:
    """A job of so many objects `thing00.obj`..., of nouns `kind0`... in turn; none of it exists."""
    names = [f"thing{number:02d}.obj" for number in range(objects)]
    words = {
        name: AssetWords(noun=f"kind{number % nouns}", confirmed=True)
        for number, name in enumerate(names)
    }
    assets = [an_asset(name).model_copy(update={"role": "objects"}) for name in names]
    skies = [an_asset(f"sky{number:02d}.hdr", kind="hdr") for number in range(hdrs)]
    spec = JobSpec(
        assets={"objects": ("things",)}, recipe=RecipeSpec(**({"words": words} | recipe))
    )
    return make_job(spec, [*assets, *skies])
