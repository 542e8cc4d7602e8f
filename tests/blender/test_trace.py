"""What the Blender Asset Tracer finds in files that this Blender wrote."""

from pathlib import Path

import bpy
import pytest

from farm.library import hash_file
from farm.library.blend import find_bat
from farm.library.trace import Tracer
from tests.support.blender.scenes import a_material, add_box, blend_file

pytestmark = pytest.mark.skipif(find_bat() is None, reason="needs viewfarm[trace]")


def trace(path: Path) -> tuple[list[str], list[str]]:
    remarks: list[str] = []
    return [file.path for file in Tracer(hash_file, remarks.append)(path)], remarks


def painted(texture: str) -> bpy.types.Material:
    material = a_material()
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    image = bpy.data.images.new("wood", 4, 4)
    image.source = "FILE"
    image.filepath = texture
    node.image = image
    shader = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    return material


def test_textures_of_a_blend_are_found_and_missing_ones_named(blender, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "shared/wood.png").write_bytes(b"wood")
    path = tmp_path / "model/chair.blend"
    with blend_file(path) as scene:
        add_box(scene, material=painted("//../shared/wood.png"))
        add_box(scene, material=painted("//gone.png"))

    files, remarks = trace(path)

    assert files == ["../shared/wood.png"]
    assert remarks == [f"chair.blend needs {tmp_path / 'model/gone.png'}, which does not exist"]


def test_a_blend_cannot_have_a_secret_uploaded(blender, tmp_path):
    (tmp_path / "id_rsa").write_bytes(b"secret")
    path = tmp_path / "chair.blend"
    with blend_file(path) as scene:
        add_box(scene, material=painted(str(tmp_path / "id_rsa")))

    files, remarks = trace(path)

    assert files == []
    assert "is not a texture or a model; it is not uploaded" in remarks[0]


def test_a_real_model_brings_its_textures(sample_assets):
    files, _remarks = trace(sample_assets / "models/classroom/assets/chairs/chairs.blend")

    assert files == [
        f"../../textures/_baseTextures/base_{name}"
        for name in ("bareMetal.png", "bluredMetal.png", "leather.jpg")
    ]


@pytest.mark.parametrize("name", ["truncated", "truncated_zstd", "html_error_page", "zero_byte"])
def test_a_broken_file_goes_alone(sample_assets, name):
    files, _remarks = trace(sample_assets / f"hostile/{name}.blend")

    assert files == []
