"""Things for tables, made by numbers: boxes, balls, cans, rings, bowls, as Wavefront OBJ files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from farm.spec.asset import Asset
from farm.spec.recipes.tabletop import Placement, Prop, Setup, Surface
from farm.spec.task import RenderTask
from tests.builders import a_task

Mesh = tuple[np.ndarray, np.ndarray]
"""Corners (N, 3), z up, in metres, and triangles (T, 3)."""


def a_box(x: float, y: float, z: float, at: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    signs = (-0.5, 0.5)
    points = np.array([(a * x, b * y, c * z) for a in signs for b in signs for c in signs])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [three for a, b, c, d in quads for three in ((a, b, c), (a, c, d))]
    return points + at, np.array(faces)


def turned(profile: list[tuple[float, float]], sides: int = 48) -> Mesh:
    """A closed surface of revolution: radii and heights from one end on the axis to the other."""
    inner = profile[1:-1]
    angles = np.arange(sides) / sides * 2 * np.pi
    ring = np.array([[(r * np.cos(a), r * np.sin(a), z) for r, z in inner] for a in angles])
    points = np.concatenate([ring.reshape(-1, 3), [(0, 0, profile[0][1]), (0, 0, profile[-1][1])]])
    count, faces = len(inner), []
    first, last = len(points) - 2, len(points) - 1
    for side in range(sides):
        a, b = side * count, (side + 1) % sides * count
        faces += [(first, b, a), (last, a + count - 1, b + count - 1)]
        for k in range(count - 1):
            faces += [(a + k, b + k, b + k + 1), (a + k, b + k + 1, a + k + 1)]
    return points, np.array(faces)


def a_ball(radius: float, rings: int = 24) -> Mesh:
    angles = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    return turned([(radius * np.cos(a), radius * np.sin(a)) for a in angles])


def a_can(radius: float, height: float, sides: int = 64) -> Mesh:
    low, high = -height / 2, height / 2
    return turned([(0, low), (radius, low), (radius, high), (0, high)], sides)


def a_bowl(radius: float, wall: float, rings: int = 16) -> Mesh:
    angles = np.linspace(0, np.pi / 2, rings)
    inner = radius - wall
    outside = [(radius * np.sin(a), radius - radius * np.cos(a)) for a in angles]
    inside = [(inner * np.sin(a), radius - inner * np.cos(a)) for a in angles[::-1]]
    return turned(outside + inside)


def a_ring(radius: float, tube: float, sides: int = 48, around: int = 24) -> Mesh:
    a, b = (np.arange(count) / count * 2 * np.pi for count in (sides, around))
    far = radius + tube * np.cos(b)
    points = np.stack(
        [np.outer(np.cos(a), far), np.outer(np.sin(a), far),
         np.outer(np.ones(sides), tube * np.sin(b))], axis=-1,
    ).reshape(-1, 3)  # fmt: skip
    faces = []
    for i in range(sides):
        for k in range(around):
            p, q = i * around, (i + 1) % sides * around
            n = (k + 1) % around
            faces += [(p + k, q + k, q + n), (p + k, q + n, p + n)]
    return points, np.array(faces)


def together(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0, *(len(points) for points, _ in meshes)])
    faces = [faces + start for (_, faces), start in zip(meshes, starts, strict=False)]
    return np.concatenate([points for points, _ in meshes]), np.concatenate(faces)


def a_mug(radius: float, height: float, wall: float) -> Mesh:
    """A cup and a handle that is a piece of its own, stuck into the wall."""
    inner = radius - wall
    cup = turned(
        [(0, 0), (radius, 0), (radius, height), (inner, height), (inner, wall), (0, wall)], 48
    )
    ring, faces = a_ring(height * 0.3, wall, 24, 12)
    handle = ring[:, [0, 2, 1]] + (radius + height * 0.18, 0, height / 2)
    return together(cup, (handle, faces[:, ::-1]))


def a_stool(side: float, height: float) -> Mesh:
    leg, reach = side / 8, side * 0.4
    legs = [
        a_box(leg, leg, height * 0.95, (x * reach, y * reach, height * 0.475))
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    return together(a_box(side, side, height * 0.1, (0, 0, height * 0.95)), *legs)


def write_obj(
    path: Path, mesh: Mesh, *, colour: tuple[float, float, float] = (0.6, 0.3, 0.2)
) -> Asset:
    """Write a mesh as an OBJ file, y up."""
    points, faces = mesh
    red, green, blue = colour
    text = f"newmtl paint\nKd {red} {green} {blue}\nNs 20\n"
    path.with_suffix(".mtl").write_text(text)
    lines = [f"mtllib {path.stem}.mtl", f"o {path.stem}", "usemtl paint"]
    lines += [f"v {x:.7f} {z:.7f} {-y:.7f}" for x, y, z in points.tolist()]
    lines += ["f " + " ".join(str(corner + 1) for corner in face) for face in faces.tolist()]
    path.write_text("\n".join(lines) + "\n")
    return model_of(path)


def model_of(path: Path, role: str = "objects") -> Asset:
    data = path.read_bytes()
    return Asset(
        kind="model",
        role=role,
        id=path.stem[:8],
        name=path.name,
        path=str(path),
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
    )


def settling(
    things: list[Asset],
    *draws: list[Placement],
    surface: Asset | None = None,
    table_m: tuple[float, float] = (1.0, 0.7),
    props: list[Prop] | None = None,
    **setup: object,
) -> RenderTask:
    """The task of a maker that settles things, one prop for each unless props are given."""
    assets = list(
        {asset.sha256: asset for asset in (*things, *([surface] if surface else []))}.values()
    )
    place = {asset.sha256: number for number, asset in enumerate(assets)}
    props = props or [Prop(asset=place[thing.sha256]) for thing in things]
    made = Setup(
        surface=Surface(asset=place[surface.sha256] if surface else None, size_m=table_m),
        props=tuple(props),
        draws=tuple(tuple(draw) for draw in draws),
        **setup,
    )
    return a_task().model_copy(update={"assets": tuple(assets), "setup": made, "views": ()})


def drawn(
    count: int, seed: int, *, spread: float = 0.3, table_m: tuple[float, float] = (1.0, 0.7)
) -> list[Placement]:
    """Where things are let go, one above the other, turned anyhow."""
    rng = np.random.default_rng(seed)
    found = []
    for place in range(count):
        w, x, y, z = (turn := rng.normal(size=4)) / np.linalg.norm(turn)
        u, v = rng.uniform(-spread, spread, 2)
        at = (float(u * table_m[0]), float(v * table_m[1]), 0.15 + 0.12 * place)
        found.append(Placement(at_m=at, turn=(float(w), float(x), float(y), float(z))))
    return found
