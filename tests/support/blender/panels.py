"""A panel of four colours in every format, written by hand: 2 x 2 patches that share no corner."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence

import numpy as np

PAINTS = ((255, 0, 0), (128, 128, 128), (0, 255, 0), (20, 60, 200))
"""As sRGB's bytes: top left, top right, bottom left, bottom right. The grey tells sRGB apart."""
SHARES = np.array(PAINTS) / 255
LINEAR = np.array([[1, 0, 0], [0.2159, 0.2159, 0.2159], [0, 1, 0], [0.0070, 0.0452, 0.5776]])
"""The bytes above as shares of light (IEC 61966-2-1)."""
SIDES = ((0, 0), (1, 0), (1, 1), (0, 1))
CORNERS = [
    (x + left, y + bottom) for left, bottom in ((0, 1), (1, 1), (0, 0), (1, 0)) for x, y in SIDES
]
FACES = [tuple(range(first, first + 4)) for first in range(0, 16, 4)]

Row = Sequence[object]


def words(*values: object) -> str:
    return " ".join(str(value) for value in values)


def panel_obj(rows: Sequence[Row], *, material: str = "") -> bytes:
    """An .obj that has `rows` of numbers after its corners; .obj files have +Y up."""
    lines = [words("v", x, y, 0, *rows[place // 4]) for place, (x, y) in enumerate(CORNERS)]
    lines += [material, *(words("f", *(corner + 1 for corner in face)) for face in FACES)]
    return "\n".join([*lines, ""]).encode()


def panel_ply(kinds: dict[str, str], rows: Sequence[Row], *, of: str = "vertex") -> bytes:
    """A .ply with further properties of its vertices or faces: name -> type."""
    properties = [f"property {kind} {name}" for name, kind in kinds.items()]
    head = ["ply", "format ascii 1.0", f"element vertex {len(CORNERS)}"]
    head += [f"property float {axis}" for axis in "xyz"]
    head += properties if of == "vertex" else []
    head += [f"element face {len(FACES)}", "property list uchar int vertex_indices"]
    head += properties if of == "face" else []
    extra = rows if of == "vertex" else [()] * 4
    body = [words(x, 0, z, *extra[place // 4]) for place, (x, z) in enumerate(CORNERS)]
    extra = rows if of == "face" else [()] * 4
    body += [words(4, *face, *extra[place]) for place, face in enumerate(FACES)]
    return "\n".join([*head, "end_header", *body, ""]).encode()


def panel_usd(values: Sequence[Row], interpolation: str, more: str = "") -> bytes:
    """A .usda with `displayColor`."""
    indices = [corner for face in FACES for corner in face]
    points = [(x, 0, z) for x, z in CORNERS]
    colours = ", ".join(str(tuple(map(float, value))) for value in values)
    return f"""#usda 1.0
(
    upAxis = "Z"
)
def Mesh "panel" {{
    int[] faceVertexCounts = [4, 4, 4, 4]
    int[] faceVertexIndices = {indices}
    point3f[] points = {points}
    uniform token subdivisionScheme = "none"
    color3f[] primvars:displayColor = [{colours}] (
        interpolation = "{interpolation}"
    )
    {more}
}}
""".encode()


def panel_glb(*, factor: float | None = None) -> bytes:
    """A .glb whose bytes of `COLOR_0` are linear, as the format says."""
    points = np.array([(x, y, 0) for x, y in CORNERS], "<f4").tobytes()
    corners = np.array([[a, b, c, a, c, d] for a, b, c, d in FACES], "<u2").tobytes()
    colours = np.repeat([(*paint, 255) for paint in PAINTS], 4, axis=0).astype("u1").tobytes()
    parts, starts = (points, corners, colours), (0, len(points), len(points) + len(corners))
    primitive: dict[str, object] = {"attributes": {"POSITION": 0, "COLOR_0": 2}, "indices": 1}
    whole: dict[str, object] = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}], "buffers": [{"byteLength": sum(map(len, parts))}],
        "bufferViews": [{"buffer": 0, "byteOffset": start, "byteLength": len(part)}
                        for part, start in zip(parts, starts, strict=True)],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 16, "type": "VEC3",
             "min": [0, 0, 0], "max": [2, 2, 0]},
            {"bufferView": 1, "componentType": 5123, "count": 24, "type": "SCALAR"},
            {"bufferView": 2, "componentType": 5121, "count": 16, "type": "VEC4",
             "normalized": True},
        ],
    }  # fmt: skip
    if factor is not None:
        paint = {"baseColorFactor": [factor] * 3 + [1], "metallicFactor": 0, "roughnessFactor": 1}
        primitive["material"] = 0
        whole["materials"] = [{"pbrMetallicRoughness": paint}]
    text, blob = json.dumps(whole).encode(), b"".join(parts)
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(blob))
    text_head, blob_head = (
        struct.pack("<I4s", len(part), kind) for part, kind in ((text, b"JSON"), (blob, b"BIN\0"))
    )
    return b"".join((head, text_head, text, blob_head, blob))
