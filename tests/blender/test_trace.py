"""What the Blender Asset Tracer finds in files that this Blender wrote."""

import warnings
from pathlib import Path

import bpy
import pytest
from PIL import Image

from farm.library import hash_file
from farm.library.dependencies.blend import find_bat
from farm.library.dependencies.trace import Tracer
from tests.support.blender.scenes import a_material, add_box, blend_file
from worker.blender.guards import disarm

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


def film(path: Path, source: str) -> bpy.types.Material:
    material = painted(str(path))
    material.node_tree.nodes["Image Texture"].image.source = source
    return material


@pytest.mark.parametrize("compress", [False, True])
def test_all_that_a_blend_names_is_found(blender, tmp_path, compress):
    """Frames, tiles, absolute paths, and what is named by a file that it links from another."""
    for name in (
        "film/0001.png", "film/0002.png", "film/0003.png", "tiles/w.1001.png", "tiles/w.1002.png",
        "elsewhere/oak.png", "parts/leg.png",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    leg = tmp_path / "parts" / "leg.blend"
    with blend_file(leg) as scene:
        add_box(scene, name="leg", material=painted("//leg.png"))
    path = tmp_path / "model" / "chair.blend"
    path.parent.mkdir()
    before = {block.session_uid for block in disarm.all_ids()}
    scene = bpy.data.scenes.new("Scene")
    add_box(scene, material=film(Path("//../film/0001.png"), "SEQUENCE"))
    add_box(scene, material=film(Path("//../tiles/w.<UDIM>.png"), "TILED"))
    add_box(scene, material=painted(str(tmp_path / "elsewhere" / "oak.png")))
    with bpy.data.libraries.load(str(leg), link=True) as (source, target):
        target.objects = source.objects
    scene.collection.objects.link(target.objects[0])
    scene.view_layers[0].update()
    bpy.data.libraries.write(
        str(path), {scene}, fake_user=True, compress=compress, path_remap="RELATIVE_ALL"
    )
    disarm.keep_only(before)

    files, remarks = trace(path)

    assert remarks == []
    assert files == [
        "../elsewhere/oak.png", "../film/0001.png", "../film/0002.png", "../film/0003.png",
        "../parts/leg.blend", "../parts/leg.png", "../tiles/w.1001.png", "../tiles/w.1002.png",
    ]  # fmt: skip


def test_a_texture_by_an_absolute_path_is_found(blender, tmp_path):
    (tmp_path / "oak.png").write_bytes(b"oak")
    path = tmp_path / "model" / "chair.blend"
    path.parent.mkdir()
    with blend_file(path) as scene:
        add_box(scene, material=painted(str(tmp_path / "oak.png")))

    assert trace(path) == (["../oak.png"], [])


@pytest.mark.parametrize("way", ["RELATIVE", "COPY", "embedded"])
def test_textures_of_an_fbx_that_blender_wrote(blender, tmp_path, way):
    (tmp_path / "shared").mkdir()
    Image.new("RGB", (4, 4), (200, 100, 50)).save(tmp_path / "shared" / "wood.png")
    path = tmp_path / "model" / "chair.fbx"
    path.parent.mkdir()
    scene = bpy.data.scenes.new("Scene")
    before = {block.session_uid for block in disarm.all_ids()}
    item = add_box(scene, material=painted(str(tmp_path / "shared" / "wood.png")))
    with warnings.catch_warnings(), bpy.context.temp_override(scene=scene, selected_objects=[item]):
        warnings.simplefilter("ignore", DeprecationWarning)  # of the exporter's own
        bpy.ops.export_scene.fbx(
            filepath=str(path),
            path_mode="RELATIVE" if way == "RELATIVE" else "COPY",
            embed_textures=way == "embedded",
        )
    disarm.keep_only(before)
    if way == "embedded":
        (tmp_path / "shared" / "wood.png").unlink()

    files, remarks = trace(path)

    assert remarks == []
    expected = {"RELATIVE": ["../shared/wood.png"], "COPY": ["chair.fbm/wood.png"], "embedded": []}
    assert files == expected[way]


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
