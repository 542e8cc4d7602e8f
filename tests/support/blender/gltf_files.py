"""glTF files made with code: boxes in a row, each a node with a mesh and a material of its own."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from farm.spec.asset import Asset
from tests.support.blender.scenes import asset_of

CORNERS = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
TRIANGLES = np.array([
    (0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1),
    (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3),
])  # fmt: skip
SECONDS = np.array([0.0, 1.0])
TUPLES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


def some_boxes(count: int, *, apart: float = 10.0) -> dict[str, Any]:
    """A file of boxes of size 1 along x; all are in its one scene."""
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": list(range(count))}],
        "nodes": [
            {"mesh": at, "name": f"box{at}", "translation": [apart * at, 0, 0]}
            for at in range(count)
        ],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": at}]}
            for at in range(count)
        ],
        "materials": [
            {"pbrMetallicRoughness": {"baseColorFactor": colour}}
            for colour in (([0.8, 0.1, 0.1, 1.0], [0.1, 0.1, 0.8, 1.0]) * count)[:count]
        ],
        **numbers(CORNERS, TRIANGLES),
    }


def numbers(*arrays: np.ndarray) -> dict[str, Any]:
    """Buffers, views and accessors of arrays (N, M), each its own; whole numbers are indices."""
    buffers, views, accessors = [], [], []
    for at, array in enumerate(arrays):
        whole = array.dtype.kind == "i"
        flat = array.astype("<u4").reshape(-1, 1) if whole else array.astype("<f4")
        flat = flat.reshape(len(flat), -1)
        text = base64.b64encode(flat.tobytes()).decode()
        uri = f"data:application/octet-stream;base64,{text}"
        buffers.append({"uri": uri, "byteLength": flat.nbytes})
        views.append({"buffer": at, "byteLength": flat.nbytes})
        accessors.append({
            "bufferView": at,
            "componentType": 5125 if whole else 5126,
            "count": len(flat),
            "type": TUPLES[flat.shape[1]],
            "min": flat.min(axis=0).tolist(),
            "max": flat.max(axis=0).tolist(),
        })  # fmt: skip
    return {"buffers": buffers, "bufferViews": views, "accessors": accessors}


def animate(file: dict[str, Any], *pointers: str, values: np.ndarray) -> None:
    """Animate what pointers name, from and to `values` (2, M)."""
    file |= numbers(CORNERS, TRIANGLES, SECONDS.reshape(-1, 1), values)
    file["animations"] = [{
        "samplers": [{"input": 2, "output": 3}],
        "channels": [
            {"sampler": 0, "target": {
                "path": "pointer", "extensions": {"KHR_animation_pointer": {"pointer": pointer}},
            }}
            for pointer in pointers
        ],
    }]  # fmt: skip
    use(file, "KHR_animation_pointer")


def use(file: dict[str, Any], *names: str, required: bool = False) -> None:
    """Note extensions in the file."""
    for key in ("extensionsUsed", "extensionsRequired")[: 2 if required else 1]:
        file[key] = [*file.get(key, []), *names]


def hide(file: dict[str, Any], *nodes: int, required: bool = False) -> None:
    """Hide nodes."""
    use(file, "KHR_node_visibility", required=required)
    for at in nodes:
        file["nodes"][at]["extensions"] = {"KHR_node_visibility": {"visible": False}}


def write_gltf(folder: Path, file: dict[str, Any]) -> Asset:
    """Write the file."""
    path = folder / "boxes.gltf"
    path.write_text(json.dumps(file))
    return asset_of(path)
