"""Small models, each another one, for benchmarks of many objects.

    python -m bench.small_models FOLDER [--kind glb|blend] [--count 200]

A GLB is a vase of its own: some hundred faces, a colour or a picture of 64 pixels. A .blend has
some thousand faces, three parts with a material each, and a picture of 512 pixels that is packed.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDES, RINGS = 24, 16
"""Faces around a vase and along it."""
JSON, BIN = 0x4E4F534A, 0x004E4942
"""Kinds of the chunks of a GLB."""
ARRAY, FLOAT, WHOLE = "arrays", 5126, 5125
PICTURE_PX, BLEND_PICTURE_PX = 64, 512
Rows = NDArray[Any]


def main() -> None:
    """Write the models."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", choices=WRITERS, default="glb")
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    write_models(options.folder, options.kind, options.count)


def write_models(folder: Path, kind: str, count: int) -> None:
    """Write so many models of a kind into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        WRITERS[kind](folder / f"model{number:05d}.{kind}", number)


def write_glb(path: Path, number: int) -> None:
    """Write a vase; every second one has a picture on it."""
    points, turns, triangles = vase(number)
    picture = png(number, PICTURE_PX) if number % 2 else b""
    arrays = [(points, "VEC3", FLOAT), (turns, "VEC2", FLOAT), (triangles, "SCALAR", WHOLE)]
    views, accessors, data = [], [], b""
    for place, (array, kind, component) in enumerate(arrays):
        part = array.tobytes()
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": len(part)})
        accessors.append({
            "bufferView": place, "componentType": component, "type": kind, "count": len(array),
        })  # fmt: skip
        data += part
    accessors[0] |= {"min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist()}
    colour = [*np.random.default_rng(number).uniform(0.1, 0.9, 3).tolist(), 1.0]
    surface: dict[str, Any] = {"baseColorFactor": colour, "roughnessFactor": 0.5}
    file: dict[str, Any] = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "vase"}],
        "meshes": [{"primitives": [{
            "attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2, "material": 0,
        }]}],
        "materials": [{"name": "glaze", "pbrMetallicRoughness": surface}],
    }  # fmt: skip
    if picture:
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": len(picture)})
        data += picture
        surface["baseColorTexture"] = {"index": 0}
        file |= {
            "textures": [{"source": 0}],
            "images": [{"bufferView": 3, "mimeType": "image/png", "name": "glaze"}],
        }
    data += bytes(-len(data) % 4)
    file |= {"bufferViews": views, "accessors": accessors, "buffers": [{"byteLength": len(data)}]}
    text = json.dumps(file).encode()
    text += b" " * (-len(text) % 4)
    body = chunk(JSON, text) + chunk(BIN, data)
    path.write_bytes(b"glTF" + whole(2, 12 + len(body)) + body)


def chunk(kind: int, data: bytes) -> bytes:
    """Return a chunk of a GLB."""
    return whole(len(data), kind) + data


def whole(*numbers: int) -> bytes:
    """Return whole numbers as a GLB has them."""
    return np.array(numbers, dtype="<u4").tobytes()


def vase(number: int) -> tuple[Rows, Rows, Rows]:
    """Return points (N, 3), texture coordinates (N, 2) and corners of triangles of a vase."""
    rng = np.random.default_rng(number)
    waves = rng.uniform(-0.3, 0.3, 3)
    v, u = np.mgrid[0 : 1 : (RINGS + 1) * 1j, 0 : 1 : (SIDES + 1) * 1j]
    radius = 0.5 + sum(wave * np.sin((at + 1) * math.pi * v) for at, wave in enumerate(waves))
    radius = np.maximum(radius, 0.05)
    height = rng.uniform(0.5, 2.0)
    turn = 2 * math.pi * u
    points = np.stack([radius * np.cos(turn), height * v, -radius * np.sin(turn)], axis=-1)
    corner = np.arange(RINGS * (SIDES + 1)).reshape(RINGS, SIDES + 1)[:, :-1].reshape(-1)
    after, above = corner + 1, corner + SIDES + 1
    triangles = np.stack([corner, after, above, after, above + 1, above], axis=-1).reshape(-1)
    return (
        points.reshape(-1, 3).astype("<f4"),
        np.stack([u, v], axis=-1).reshape(-1, 2).astype("<f4"),
        triangles.astype("<u4"),
    )


def png(number: int, side_px: int) -> bytes:
    """Return a picture of coloured squares."""
    import imagecodecs

    squares = np.random.default_rng(number).integers(40, 255, (8, 8, 3), dtype=np.uint8)
    pixels = np.kron(squares, np.ones((side_px // 8, side_px // 8, 1), dtype=np.uint8))
    return bytes(imagecodecs.png_encode(pixels))


def write_blend(path: Path, number: int) -> None:
    """Write a vase on a stand under a lid, each with a picture."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    for part in range(3):
        points, turns, triangles = vase(3 * number + part)
        mesh = bpy.data.meshes.new(f"part{part}")
        mesh.from_pydata((points * 0.5 + [0, part, 0]).tolist(), [], triangles.reshape(-1, 3))
        layer: Any = mesh.uv_layers.new()
        layer.uv.foreach_set("vector", turns[triangles].astype(np.float32).reshape(-1))
        mesh.materials.append(painted(path.parent, 3 * number + part))
        item = bpy.data.objects.new(f"part{part}", mesh)
        smooth: Any = item.modifiers.new("smooth", "SUBSURF")
        smooth.render_levels = smooth.levels = 1
        scene: Any = bpy.context.scene
        scene.collection.objects.link(item)
    bpy.ops.wm.save_as_mainfile(filepath=str(path.resolve()), compress=True)


def painted(folder: Path, number: int) -> Any:
    """Return a material with a picture that the file holds."""
    import bpy

    file = folder / "glaze.png"
    file.write_bytes(png(number, BLEND_PICTURE_PX))
    image: Any = bpy.data.images.load(str(file.resolve()), check_existing=False)
    image.pack()
    file.unlink()
    material: Any = bpy.data.materials.new(f"glaze{number}")
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    tree.links.new(node.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Base Color"])
    return material


WRITERS = {"glb": write_glb, "blend": write_blend}

if __name__ == "__main__":
    main()
