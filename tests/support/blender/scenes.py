"""Models and environments made with code."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import OpenEXR

from farm.spec.asset import Asset, AssetKind
from worker.blender.guards import disarm


def asset_of(path: Path, kind: AssetKind = "model") -> Asset:
    data = path.read_bytes()
    return Asset(
        kind=kind,
        role=f"{kind}s",
        id=path.stem[:8],
        name=path.name,
        path=str(path),
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
    )


@contextlib.contextmanager
def blend_file(path: Path) -> Iterator[bpy.types.Scene]:
    """Yield a scene to fill; it is saved to `path`, and nothing of it stays."""
    before = {block.session_uid for block in disarm.all_ids()}
    scene = bpy.data.scenes.new("Scene")
    yield scene
    scene.view_layers[0].update()  # Blender crashes when it writes collections out of step
    bpy.data.libraries.write(str(path), {scene}, fake_user=True)
    disarm.keep_only(before)


def add_box(
    scene: bpy.types.Scene,
    *,
    size: tuple[float, float, float] = (1.0, 1.0, 1.0),
    at: tuple[float, float, float] = (0.0, 0.0, 0.0),
    name: str = "box",
    material: bpy.types.Material | None = None,
) -> bpy.types.Object:
    corners = [
        (x * size[0] / 2 + at[0], y * size[1] / 2 + at[1], z * size[2] / 2 + at[2])
        for x in (-1, 1)
        for y in (-1, 1)
        for z in (-1, 1)
    ]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], faces)
    if material is not None:
        mesh.materials.append(material)
    item = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(item)
    return item


def a_material(*, glow: float = 0.0, colour: tuple[float, ...] = (0.8, 0.3, 0.1, 1.0)):
    material = bpy.data.materials.new("paint")
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = colour
    shader.inputs["Emission Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    shader.inputs["Emission Strength"].default_value = glow
    return material


def fill_statue(scene: bpy.types.Scene, *, glow: float = 0.0) -> None:
    """Two boxes that look different from every side."""
    add_box(scene, size=(1.0, 0.4, 0.6), material=a_material())
    paint = a_material(glow=glow, colour=(0.2, 0.4, 0.8, 1.0))
    add_box(scene, size=(0.2, 0.2, 0.5), at=(0.3, 0.1, 0.5), name="chimney", material=paint)


def write_sky(path: Path, pixels: np.ndarray) -> Asset:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"RGB": pixels}).write(str(path))
    return asset_of(path, "hdr")
