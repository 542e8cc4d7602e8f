"""Files that are not what their names say, or mean harm."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import numpy as np
import OpenEXR
import pytest

from farm.errors import AssetError, DeviceError, TaskError
from tests.support.blender.scenes import add_box, asset_of
from tests.support.blender.shots import shoot, some_view
from worker.blender.settings import choose_device
from worker.device.device import Device

REFUSED_MODELS = {
    "zero_byte.blend": "empty",
    "html_error_page.blend": "web page",
    "truncated.blend": "cannot read it",
    "truncated_zstd.blend": "cannot read it",
    "modifier_bomb.blend": "'Suzanne' would make about",
    "draco_unsupported_chess.glb": "Draco",
}
HARMLESS_MODELS = (
    "autorun_script.blend",
    "benign_complex_driver.blend",
    "missing_libs_snail_leaf.blend",
    "output_path_hijack.blend",
    "path_traversal_image.blend",
    "python_driver.blend",
)
REFUSED_HDRS = {
    "zero_byte.exr": "empty",
    "jpeg_renamed.exr": "JPEG",
    "json_error.hdr": "JSON",
    "huge_header_60000x60000.exr": "60000 x 60000",
    "huge_header_60000x60000.hdr": "60000 x 60000",
}


@pytest.mark.parametrize("name", REFUSED_MODELS)
def test_a_bad_model_is_one_sentence_that_names_the_file(blender, sample_assets, name):
    model = asset_of(sample_assets / "hostile" / name)

    with pytest.raises(AssetError, match=REFUSED_MODELS[name]) as raised:
        blender.load_model(model, file_lights=False)

    assert str(raised.value).startswith(model.path)
    assert "\n" not in str(raised.value)
    assert "Traceback" not in str(raised.value)


@pytest.mark.parametrize("name", REFUSED_HDRS)
def test_a_bad_environment_is_one_sentence_that_names_the_file(blender, sample_assets, name):
    hdr = asset_of(sample_assets / "hostile" / name, "hdr")

    with pytest.raises(AssetError, match=REFUSED_HDRS[name]) as raised:
        blender.load_hdr(hdr)

    assert str(raised.value).startswith(hdr.path)


@pytest.mark.parametrize("name", HARMLESS_MODELS)
def test_a_model_that_means_harm_renders_and_does_none(blender, sample_assets, sky, name):
    before = {item.name for item in Path("/tmp").iterdir() if "PWNED" in item.name}

    passes, _ = shoot(blender, asset_of(sample_assets / "hostile" / name), sky, some_view())

    assert passes.alpha.mean() > 0.01
    after = {item.name for item in Path("/tmp").iterdir() if "PWNED" in item.name}
    assert after == before


def test_the_next_model_renders_after_a_bad_one(blender, statue, sky, tmp_path):
    broken = tmp_path / "broken.blend"
    broken.write_bytes(b"BLENDER-v300" + os.urandom(5000))
    with pytest.raises(AssetError):
        blender.load_model(asset_of(broken), file_lights=False)

    passes, _ = shoot(blender, statue, sky, some_view())

    assert passes.alpha.mean() > 0.05


def test_a_damaged_environment_is_named(blender, sky, tmp_path):
    damaged = tmp_path / "damaged.exr"
    whole = Path(sky.path).read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(AssetError, match=r"damaged.exr: .*damaged"):
        blender.load_hdr(asset_of(damaged, "hdr"))


def test_an_environment_of_several_layers_is_not_called_damaged(blender, tmp_path):
    path = tmp_path / "layers.exr"
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    grey = np.full((8, 16), 0.5, np.float32)
    names = [f"{layer}.{each}" for layer in ("Left.Combined", "Right.Combined") for each in "RGB"]
    OpenEXR.File(header, dict.fromkeys(names, grey)).write(str(path))

    with pytest.raises(AssetError, match=r"layers.exr: it has several layers or parts \(Left"):
        blender.load_hdr(asset_of(path, "hdr"))


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl", ".gltf", ".fbx", ".usdc", ".usdz"])
def test_garbage_under_any_models_name_is_one_sentence(blender, tmp_path, suffix):
    path = tmp_path / f"garbage{suffix}"
    path.write_bytes(b"no model at all\n" * 20)

    with pytest.raises(TaskError) as raised:
        blender.load_model(asset_of(path), file_lights=False)

    assert str(path) in str(raised.value)
    assert "Traceback" not in str(raised.value)
    assert not bpy.data.meshes


def test_a_file_that_only_links_to_missing_files_names_them(blender, tmp_path):
    library = tmp_path / "library.blend"
    linking = tmp_path / "linking.blend"
    item = add_box(blender.scene)
    item.data.materials.clear()
    bpy.data.libraries.write(str(library), {item}, fake_user=True)
    blender.free_model()
    with bpy.data.libraries.load(str(library), link=True) as (source, target):
        target.objects = source.objects
    scene = bpy.data.scenes.new("Scene")
    scene.collection.objects.link(target.objects[0])
    scene.view_layers[0].update()
    bpy.data.libraries.write(str(linking), {scene}, path_remap="RELATIVE_ALL")
    blender.free_model()
    library.unlink()

    with pytest.raises(AssetError, match=r"linking.blend: nothing to render: .*library.blend"):
        blender.load_model(asset_of(linking), file_lights=False)


def test_a_gpu_that_is_not_there_is_an_error_and_never_a_cpu_render(blender):
    preferences = bpy.context.preferences.addons["cycles"].preferences
    preferences.refresh_devices()
    if any(item.type == "CUDA" for item in preferences.devices):
        pytest.skip("this machine has a CUDA device")

    with pytest.raises(DeviceError, match=r"cuda:0 .* Cycles lists CPU "):
        choose_device(blender.scene, preferences, Device("cuda", 0))
