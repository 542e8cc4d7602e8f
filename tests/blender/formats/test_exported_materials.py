"""Maps that an export writes as glTF has them, by a reader of glTF: Blender's own."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import farm.dataset
from tests.support.blender.gltf_files import numbers, use
from tests.support.blender.scenes import asset_of
from tests.support.blender.shots import some_view
from tests.support.datasets import write_dataset
from tests.unit.dataset.export.pictures import run
from tests.unit.dataset.export.scenes.shared import change_records, put_pass

SIDE = 32
SHEET = np.array([(-0.5, -0.5, 0.0), (0.5, -0.5, 0.0), (0.5, 0.5, 0.0), (-0.5, 0.5, 0.0)])
PLACES = np.array([(0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
"""In a texture, from its upper left corner."""
HALF_STEP = 0.5 / 255
STEEPEST = 2.4 / 1.055
"""How much more light the brightest step of sRGB is than a step of 255."""
BRIGHTEST = 6.0
PAINTED = ("base_color", "roughness", "metallic", "emission", "transmission", "opacity")


def any_surface() -> dict[str, np.ndarray]:
    """What some surface says of itself: each pixel another thing; in a corner there is nothing."""
    rng = np.random.default_rng(5)

    def shares(*shape: int) -> np.ndarray:
        return rng.uniform(0.0, 1.0, (SIDE, SIDE, *shape))

    normals = shares(3) - (0.5, 0.5, -0.6)
    found = {
        "base_color": shares(3), "roughness": shares(), "metallic": shares(),
        "emission": BRIGHTEST * shares(3), "transmission": shares(),
        "opacity": 0.6 + 0.4 * shares(),  # what is thinner, labels look through
        "normal": normals / np.linalg.norm(normals, axis=-1, keepdims=True),
    }  # fmt: skip
    for pixels in found.values():
        pixels[:9, :7] = 0.0
    return {name: pixels.astype(np.float32) for name, pixels in found.items()}


def write_surface(folder: Path, surface: dict[str, Any]) -> None:
    """Write a view that has these passes."""
    write_dataset(folder, views=1, size=(SIDE, SIDE), passes=("rgb", "mask"))

    def give(_at: int, line: dict[str, Any]) -> None:
        for name, pixels in surface.items():
            put_pass(folder, line, name, pixels)

    change_records(folder, give)


def textured(folder: Path, stem: str, **places: str) -> dict[str, Any]:
    """The parts of a glTF file for a square sheet: its corners, and textures of exported maps."""
    pictures = [(folder / name / f"{stem}.png").read_bytes() for name in places.values()]
    return {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{
            "attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2, "material": 0,
        }]}],
        "images": [
            {"uri": f"data:image/png;base64,{base64.b64encode(data).decode()}"}
            for data in pictures
        ],
        "samplers": [{"magFilter": 9728, "minFilter": 9728, "wrapS": 33071, "wrapT": 33071}],
        "textures": [{"source": at, "sampler": 0} for at in range(len(pictures))],
        **numbers(SHEET, PLACES, np.array([(0, 1, 2), (0, 2, 3)])),
    }  # fmt: skip


def painted_sheet(folder: Path, stem: str) -> dict[str, Any]:
    """A glTF file of a sheet with the exported maps of a view, but its normals, all over it."""
    names = ("base_color", "metallic_roughness", "emissive", "transmission")
    file = textured(folder, stem, **dict(zip(names, names, strict=True)))
    base_color, rough, emissive, transmission = ({"index": at} for at in range(len(names)))
    strength = json.loads((folder / "emissive_strength.json").read_text())[stem]
    file["materials"] = [{
        "pbrMetallicRoughness": {
            "baseColorTexture": base_color, "metallicRoughnessTexture": rough,
        },
        "emissiveTexture": emissive, "emissiveFactor": [1, 1, 1], "alphaMode": "BLEND",
        "extensions": {
            "KHR_materials_emissive_strength": {"emissiveStrength": strength},
            "KHR_materials_transmission": {
                "transmissionFactor": 1, "transmissionTexture": transmission,
            },
        },
    }]  # fmt: skip
    use(file, "KHR_materials_emissive_strength", "KHR_materials_transmission")
    return file


def embossed_sheet(folder: Path, stem: str) -> dict[str, Any]:
    """A glTF file of a matt sheet with the exported normals of a view: its own face the camera."""
    file = textured(folder, stem, normal="normal")
    matt = {"metallicFactor": 0, "roughnessFactor": 1}
    file["materials"] = [{
        "pbrMetallicRoughness": matt, "normalTexture": {"index": 0},
        "extensions": {"KHR_materials_specular": {"specularFactor": 0}},
    }]  # fmt: skip
    use(file, "KHR_materials_specular")
    return file


@pytest.fixture(scope="module")
def surface() -> dict[str, np.ndarray]:
    return any_surface()


@pytest.fixture(scope="module")
def look(labelled, sky, surface, tmp_path_factory):
    """See a sheet from before it, a pixel of its textures in each of the picture."""
    folder = tmp_path_factory.mktemp("maps")
    write_surface(folder / "d", surface)
    run(folder / "d", folder / "o", "materials")
    [view] = farm.dataset.open(folder / "d")
    front = some_view(yaw=180.0, pitch=0.0, distance=2.0)
    flat = front.camera.model_copy(update={"orthographic_width": 1.0})

    def render(make, *passes):
        path = folder / f"{make.__name__}.gltf"
        path.write_text(json.dumps(make(folder / "o/train", view.name)))
        return labelled(
            asset_of(path), sky, front.model_copy(update={"camera": flat}),
            passes=("rgb", "mask", *passes), resolution_px=(SIDE, SIDE),
        )  # fmt: skip

    return render


@pytest.fixture(scope="module")
def painted(look):
    return look(painted_sheet, *PAINTED)


@pytest.mark.parametrize("name", PAINTED)
def test_a_reader_of_gltf_finds_the_number_that_was_exported(painted, surface, name):
    found, wanted = painted[name].astype(float), surface[name].astype(float)
    room = {"base_color": STEEPEST, "emission": BRIGHTEST * STEEPEST}.get(name, 1.0) * HALF_STEP

    np.testing.assert_allclose(found, wanted, atol=1.02 * room)


def test_a_reader_of_gltf_finds_the_normals_that_were_exported(look, surface):
    """Those of a sheet that faces the camera are in the camera's frame."""
    found, wanted = look(embossed_sheet, "normal")["normal"], surface["normal"]
    there = np.any(wanted != 0, axis=-1)

    angles = np.degrees(np.arccos(np.clip((found * wanted).sum(axis=-1), -1, 1)))
    assert angles[there].max() < 1.0
