"""Two hundred small things whose colours and materials are known, because they are written here."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.tabletop import SHAPES as PLAIN_SHAPES
from tests.support.tabletop import write_obj

Numbers = NDArray[np.float64]

SHADES = {
    "red": "c00000 e01010 9c1010 d62828",
    "green": "107a10 2e9e3c 145214 6cc24a",
    "blue": "1030c0 2060d0 102a70 5aa0e6",
    "yellow": "f0d010 ffe94a e6c200 fff176",
    "orange": "f07800 ff8c1a e0701a ffa040",
    "brown": "5a3317 7a4a24 452a14 8b5a2b",
    "pink": "f08cb0 ff9ec8 e667a0 ffc0d4",
    "purple": "6a1e96 8a3ab8 4a1466 a468cc",
    "black": "050505 101010 181818 0c0c14",
    "white": "f4f4f4 fafafa eeeeee f2f0ea",
    "grey": "707070 8a8a8a a0a0a0 5c5c60",
}
"""Of each basic term four shades that nobody calls otherwise; six hexadecimal digits of sRGB."""
METALS = ("d4af37", "c0c0c0", "b87333", "8a8d8f")
TEXTURE_PX = 64
SIZE_M = 0.09


class Known(NamedTuple):
    """A thing, and what is true of it."""

    file: Path
    colour: str | None
    """The basic term; None where it has no one colour, or its material hides it."""
    materials: frozenset[str]


class Look(NamedTuple):
    """How a thing is painted."""

    material: dict[str, Any]
    """As glTF has it."""
    colour: str | None
    materials: frozenset[str] = frozenset()
    textures: tuple[NDArray[np.uint8], ...] = ()
    """(H, W, 3), by the numbers that the material gives them."""


def write_known_things(folder: Path) -> list[Known]:
    """Write all of them; those beside each other differ."""
    folder.mkdir(parents=True, exist_ok=True)
    looks = [*plain(), *painted(), *striped(), *metals(), *clear(), *glossy(), *glowing()]
    shapes = list(MESHES)
    things = []
    for number, look in enumerate(looks):
        file = folder / f"thing_{number:03d}.glb"
        file.write_bytes(glb(MESHES[shapes[number % len(shapes)]](), look))
        things.append(Known(file, look.colour, look.materials))
    return things + list(from_obj(folder))


def plain() -> Iterator[Look]:
    """Yield matt paints, given as numbers."""
    for term, shade in shades():
        yield Look(paint(linear(shade), roughness=0.5), term)


def painted() -> Iterator[Look]:
    """Yield textures of one colour that is not the same everywhere."""
    rng = np.random.default_rng(7)
    for term, shade in shades():
        colour = np.array(levels(shade), dtype=np.float64)
        noise = rng.normal(1.0, 0.04, (TEXTURE_PX, TEXTURE_PX, 1))
        texture = np.clip(colour * noise, 0, 255).astype(np.uint8)
        yield Look(paint(texture=0, roughness=0.6), term, textures=(texture,))


def striped() -> Iterator[Look]:
    """Yield stripes: most of one colour, which is said, and half of each, where none is."""
    pairs = [("red", "white"), ("blue", "yellow"), ("green", "black"), ("white", "blue"),
             ("yellow", "purple"), ("black", "orange")]  # fmt: skip
    for first, second in pairs:
        for share, colour in ((0.85, first), (0.5, None)):
            across = (np.arange(TEXTURE_PX) / TEXTURE_PX * 4) % 1.0 < share
            one, other = (np.array(levels(SHADES[each].split()[0])) for each in (first, second))
            row = np.where(across[:, None], one, other).astype(np.uint8)
            texture = np.broadcast_to(row, (TEXTURE_PX, TEXTURE_PX, 3))
            yield Look(paint(texture=0, roughness=0.7), colour, textures=(texture,))


def metals() -> Iterator[Look]:
    """Yield metals, given as numbers and as a texture; half of them are polished."""
    for shade in METALS:
        for roughness in (0.1, 0.4):
            said = {"metal"} | ({"shiny"} if roughness < 0.2 else set())
            yield Look(paint(linear(shade), metallic=1.0, roughness=roughness), None,
                       frozenset(said))  # fmt: skip
            packed = np.zeros((TEXTURE_PX, TEXTURE_PX, 3), np.uint8)
            packed[..., 1], packed[..., 2] = round(roughness * 255), 255
            material = paint(linear(shade), packed=0)
            yield Look(material, None, frozenset(said), textures=(packed,))
    for shade in METALS:  # half of it is bare, half painted: neither is said
        packed = np.zeros((TEXTURE_PX, TEXTURE_PX, 3), np.uint8)
        packed[..., 1] = 128
        packed[:, ::2, 2] = 255
        yield Look(paint(linear(shade), packed=0), None, textures=(packed,))


def clear() -> Iterator[Look]:
    """Yield glass, and plastic that is there by seven tenths."""
    for shade in ("ffffff", "e8f4ff", "c8ffd0", "ffe0c0"):
        for roughness in (0.0, 0.3):
            said = {"glass"} | ({"shiny"} if roughness < 0.2 else set())
            material = paint(linear(shade), roughness=roughness)
            material["extensions"] = {"KHR_materials_transmission": {"transmissionFactor": 1.0}}
            yield Look(material, None, frozenset(said))
    for term in ("red", "blue", "green", "yellow", "white", "orange"):
        material = paint((*linear(SHADES[term].split()[0])[:3], 0.7), roughness=0.5)
        yield Look(material | {"alphaMode": "BLEND"}, None, frozenset({"see-through"}))


def glossy() -> Iterator[Look]:
    """Yield varnished paints."""
    for term, (shade, *_) in ((term, text.split()) for term, text in SHADES.items()):
        yield Look(paint(linear(shade), roughness=0.1), term, frozenset({"shiny"}))
    for term, (_, shade, *_) in ((term, text.split()) for term, text in SHADES.items()):
        yield Look(paint(linear(shade), roughness=0.05), term, frozenset({"shiny"}))


def glowing() -> Iterator[Look]:
    """Yield what gives light of its own, whose albedo nobody sees."""
    for term in ("red", "green", "blue", "white"):
        material = paint((0.0, 0.0, 0.0, 1.0), roughness=0.5)
        yield Look(material | {"emissiveFactor": list(linear(SHADES[term].split()[0])[:3])}, None)


def from_obj(folder: Path) -> Iterator[Known]:
    """Yield the same of OBJ files, whose paints say less."""
    shapes = list(PLAIN_SHAPES)
    for number, (term, shade) in enumerate(list(shades())[:40]):
        file = folder / f"thing_obj_{number:02d}.obj"
        mesh = PLAIN_SHAPES[shapes[number % len(shapes)]]()
        yield Known(write_obj(file, mesh, linear(shade)[:3]), term, frozenset())


def shades() -> Iterator[tuple[str, str]]:
    """Yield each shade with its term, the terms by turns."""
    columns = [text.split() for text in SHADES.values()]
    for row in zip(*columns, strict=True):
        yield from zip(SHADES, row, strict=True)


def levels(shade: str) -> tuple[int, int, int]:
    """Return the three bytes of a shade."""
    return int(shade[:2], 16), int(shade[2:4], 16), int(shade[4:], 16)


def linear(shade: str) -> tuple[float, float, float, float]:
    """Return a shade as linear light, and that it is solid."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (level / 255 for level in levels(shade))
    )
    return red, green, blue, 1.0


def paint(
    colour: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0),
    *,
    metallic: float = 0.0,
    roughness: float = 1.0,
    texture: int | None = None,
    packed: int | None = None,
) -> dict[str, Any]:
    """Return a material of glTF; textures are named by their numbers."""
    numbers: dict[str, Any] = {"baseColorFactor": list(colour), "roughnessFactor": roughness}
    numbers["metallicFactor"] = metallic if packed is None else 1.0
    if texture is not None:
        numbers["baseColorTexture"] = {"index": texture}
    if packed is not None:
        numbers["metallicRoughnessTexture"] = {"index": packed}
    return {"pbrMetallicRoughness": numbers}


class Skin(NamedTuple):
    """A mesh with texture coordinates."""

    corners: Numbers
    """(N, 3), metres, y up."""
    uv: Numbers
    """(N, 2)."""
    triangles: NDArray[np.int64]
    """(M, 3)."""


def grid(across: int, down: int, at: Callable[[Numbers, Numbers], Numbers]) -> Skin:
    """Return a sheet of texture that is bent to where `at` takes its (u, v)."""
    u, v = np.meshgrid(np.linspace(0, 1, across + 1), np.linspace(0, 1, down + 1))
    flat = np.column_stack([u.ravel(), v.ravel()])
    first = (np.arange(down)[:, None] * (across + 1) + np.arange(across)).ravel()
    below = first + across + 1
    triangles = np.concatenate([
        np.column_stack([first, below, first + 1]),
        np.column_stack([first + 1, below, below + 1]),
    ])  # fmt: skip
    return Skin(at(flat[:, 0], flat[:, 1]), flat, triangles)


def ball() -> Skin:
    """A sphere."""

    def at(u: Numbers, v: Numbers) -> Numbers:
        turn, down = 2 * math.pi * u, math.pi * v
        out = np.sin(down)
        return np.column_stack([out * np.cos(turn), np.cos(down), out * np.sin(turn)]) * SIZE_M / 2

    return grid(32, 16, at)


def tube() -> Skin:
    """A can whose wall and ends are one sheet."""

    def at(u: Numbers, v: Numbers) -> Numbers:
        turn = 2 * math.pi * u
        out = np.interp(v, [0.0, 0.2, 0.8, 1.0], [0.0, 0.04, 0.04, 0.0])
        y = np.interp(v, [0.0, 0.2, 0.8, 1.0], [0.06, 0.06, -0.06, -0.06])
        return np.column_stack([out * np.cos(turn), y, out * np.sin(turn)])

    return grid(32, 10, at)


def cube() -> Skin:
    """A box, each of whose faces shows the whole texture."""
    sides = []
    for axis in range(3):
        for sign in (-1.0, 1.0):

            def at(u: Numbers, v: Numbers, axis: int = axis, sign: float = sign) -> Numbers:
                points = np.empty((len(u), 3))
                points[:, axis] = 0.5 * sign
                points[:, (axis + 1) % 3] = u - 0.5
                points[:, (axis + 2) % 3] = (v - 0.5) * -sign
                return points * SIZE_M

            sides.append(grid(1, 1, at))
    starts = np.cumsum([0, *(len(side.corners) for side in sides[:-1])])
    return Skin(
        np.concatenate([side.corners for side in sides]),
        np.concatenate([side.uv for side in sides]),
        np.concatenate([side.triangles + start for side, start in zip(sides, starts, strict=True)]),
    )


MESHES: dict[str, Callable[[], Skin]] = {"ball": ball, "cube": cube, "can": tube}


def glb(skin: Skin, look: Look) -> bytes:
    """Return a thing as a binary glTF file with one mesh and one material."""
    arrays: list[tuple[bytes, dict[str, Any]]] = [
        (skin.corners.astype("<f4").tobytes(), accessor(skin.corners, "VEC3", 5126)),
        (skin.uv.astype("<f4").tobytes(), accessor(skin.uv, "VEC2", 5126)),
        (skin.triangles.astype("<u4").tobytes(), accessor(skin.triangles.reshape(-1, 1), "SCALAR",
                                                          5125)),
    ]  # fmt: skip
    views, start = [], 0
    for data, _ in arrays:
        views.append({"buffer": 0, "byteOffset": start, "byteLength": len(data)})
        start += len(data)
    body = b"".join(data for data, _ in arrays)
    head: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "thing"}],
        "meshes": [{"primitives": [
            {"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2, "material": 0}
        ]}],
        "materials": [look.material | {"name": "paint", "doubleSided": True}],
        "accessors": [{"bufferView": at, **each} for at, (_, each) in enumerate(arrays)],
        "bufferViews": views,
        "buffers": [{"byteLength": len(body)}],
    }  # fmt: skip
    if used := sorted(look.material.get("extensions", ())):
        head["extensionsUsed"] = used
    if look.textures:
        head["images"] = [{"uri": png(texture)} for texture in look.textures]
        head["textures"] = [{"source": at} for at in range(len(look.textures))]
    return binary(json.dumps(head).encode(), body)


def accessor(values: NDArray[Any], kind: str, component: int) -> dict[str, Any]:
    """Return what tells how numbers (N, M) are read."""
    low, high = values.min(axis=0), values.max(axis=0)
    return {
        "type": kind, "componentType": component, "count": len(values),
        "min": low.astype("f4").astype(float).tolist(),
        "max": high.astype("f4").astype(float).tolist(),
    }  # fmt: skip


def png(texture: NDArray[np.uint8]) -> str:
    """Return a texture as the address of a PNG within the file."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(texture)).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def binary(head: bytes, body: bytes) -> bytes:
    """Return the two chunks of a binary glTF file, each filled up to four bytes."""
    head += b" " * (-len(head) % 4)
    body += b"\0" * (-len(body) % 4)
    chunks = b"".join(
        len(data).to_bytes(4, "little") + kind + data
        for kind, data in ((b"JSON", head), (b"BIN\0", body))
    )
    return b"glTF" + (2).to_bytes(4, "little") + (12 + len(chunks)).to_bytes(4, "little") + chunks
