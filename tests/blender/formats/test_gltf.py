"""glTF: what the file hides is not seen, and what is valid is imported."""

from __future__ import annotations

import numpy as np
import pytest

from farm.errors import AssetError
from tests.support.blender.gltf_files import (
    CORNERS,
    TRIANGLES,
    animate,
    hide,
    numbers,
    some_boxes,
    use,
    write_gltf,
)  # fmt: skip
from tests.support.blender.shots import shoot, some_view

POINTER, LIGHTS = "KHR_animation_pointer", "KHR_lights_punctual"


@pytest.fixture
def load(blender, tmp_path):
    """Write a file and load it."""
    return lambda file, **options: blender.load_model(
        write_gltf(tmp_path, file), **({"file_lights": False} | options)
    )


def width_of(model) -> float:
    return round(float(model.bounds.high[0] - model.bounds.low[0]), 3)


@pytest.mark.parametrize("required", [False, True])
def test_a_hidden_node_is_neither_rendered_nor_labelled(load, required):
    file = some_boxes(3)
    hide(file, 2, required=required)

    model = load(file)

    assert model.objects == ("box0", "box1")
    assert width_of(model) == 11.0
    assert model.unread == ()


def test_what_is_below_a_hidden_node_is_hidden_whatever_it_says(load):
    file = some_boxes(3)
    hide(file, 1)
    file["nodes"][1]["children"] = [2]
    file["nodes"][2]["extensions"] = {"KHR_node_visibility": {"visible": True}}
    file["scenes"][0]["nodes"] = [0, 1]

    assert load(file).objects == ("box0",)


def test_a_node_whose_visibility_is_animated_is_as_it_is_without(load):
    file = some_boxes(3)
    hide(file, 1)
    pointers = (f"/nodes/{at}/extensions/KHR_node_visibility/visible" for at in (0, 1))
    animate(file, *pointers, values=np.array([[1.0], [0.0]]))

    assert load(file).objects == ("box0", "box2")


def test_a_hidden_lamp_and_a_hidden_point_count_for_nothing(load):
    file = some_boxes(1)
    file["extensions"] = {LIGHTS: {"lights": [{"type": "point", "intensity": 100}]}}
    use(file, LIGHTS)
    file["nodes"] += [
        {"name": "lamp", "extensions": {LIGHTS: {"light": 0}}},
        {"name": "keypoint_tip"},
    ]
    file["scenes"][0]["nodes"] = [0, 1, 2]
    seen = load(file, file_lights=True)
    for at in (1, 2):
        file["nodes"][at].setdefault("extensions", {})["KHR_node_visibility"] = {"visible": False}

    hidden = load(file, file_lights=True)

    assert (seen.true_strength, set(seen.keypoints)) == (True, {"tip"})
    assert (hidden.true_strength, set(hidden.keypoints)) == (False, set())


def test_a_visible_mesh_on_a_hidden_skeleton_is_seen(load):
    file = some_boxes(1)
    file["nodes"] += [{"name": "bones", "children": [2]}, {"name": "bone"}]
    file["scenes"][0]["nodes"] = [0, 1]
    hide(file, 1)
    file["skins"] = [{"joints": [2]}]
    file["nodes"][0]["skin"] = 0
    attributes = file["meshes"][0]["primitives"][0]["attributes"]
    attributes |= {"JOINTS_0": 2, "WEIGHTS_0": 3}
    add_weights(file)

    assert load(file).objects == ("box0",)


def add_weights(file) -> None:
    """Tie all corners to the first joint; the accessors 2 and 3."""
    file |= numbers(CORNERS, TRIANGLES, np.zeros((8, 4)), np.tile((1.0, 0.0, 0.0, 0.0), (8, 1)))
    view, joints = file["bufferViews"][2], file["accessors"][2]
    view["byteLength"], joints["componentType"] = 64, 5123


@pytest.mark.parametrize(
    ("scene", "seen"),
    [
        pytest.param(None, ("box0",), id="none is named: the first"),
        pytest.param(0, ("box0",), id="the first"),
        pytest.param(1, ("box1", "box2"), id="another"),
    ],
)
def test_one_scene_is_shown_and_what_is_in_none_is_not(load, scene, seen):
    file = some_boxes(4)
    file["scenes"] = [{"nodes": [0]}, {"nodes": [1, 2]}]
    del file["scene"]
    if scene is not None:
        file["scene"] = scene

    assert load(file).objects == seen


def test_a_file_without_scenes_shows_what_it_has(load):
    file = some_boxes(2)
    del file["scene"], file["scenes"]

    assert load(file).objects == ("box0", "box1")


def test_of_a_models_levels_of_detail_the_first_is_seen(load):
    file = some_boxes(3)
    file["nodes"][0]["extensions"] = {"MSFT_lod": {"ids": [1, 2]}}
    file["scenes"][0]["nodes"] = [0]
    use(file, "MSFT_lod")

    model = load(file)

    assert model.objects == ("box0",)
    assert model.unread == ()


def test_of_a_materials_variants_the_default_is_seen(load):
    file = some_boxes(2)
    file["materials"][0]["name"], file["materials"][1]["name"] = "default", "other"
    file["extensions"] = {"KHR_materials_variants": {"variants": [{"name": "night"}]}}
    use(file, "KHR_materials_variants")
    file["meshes"][0]["primitives"][0]["extensions"] = {
        "KHR_materials_variants": {"mappings": [{"material": 1, "variants": [0]}]}
    }
    file["scenes"][0]["nodes"] = [0]

    assert load(file).materials == ("default",)


def test_a_hidden_box_is_not_in_the_picture(blender, tmp_path, sky):
    file = some_boxes(2, apart=0.0)
    file["nodes"][1]["scale"] = [0.2, 5.0, 0.2]
    hide(file, 1)

    passes, _ = shoot(blender, write_gltf(tmp_path, file), sky, some_view())
    alone, _ = shoot(blender, write_gltf(tmp_path, some_boxes(1)), sky, some_view())

    np.testing.assert_array_equal(passes.alpha, alone.alpha)


@pytest.mark.parametrize(
    ("pointer", "values"),
    [
        ("/materials/0/pbrMetallicRoughness/baseColorFactor", [[1, 0, 0, 1], [1, 0, 0, 1]]),
        ("/materials/0/pbrMetallicRoughness/roughnessFactor", [[0.1], [0.1]]),
        ("/materials/0/emissiveFactor", [[0, 0, 0], [0, 0, 0]]),
        ("/nodes/0/scale", [[1, 1, 1], [1, 1, 1]]),
        ("/cameras/0/perspective/yfov", [[0.5], [0.6]]),
        (f"/extensions/{LIGHTS}/lights/0/intensity", [[5], [5]]),
        (f"/extensions/{LIGHTS}/lights/1/color", [[1, 1, 1], [1, 1, 1]]),
    ],
)
def test_what_is_animated_needs_no_name_and_no_user(load, pointer, values):
    file = some_boxes(1)
    file["materials"][0]["emissiveFactor"] = [0, 0, 0]
    file["cameras"] = [{"type": "perspective", "perspective": {"yfov": 0.5, "znear": 0.1}}]
    file["extensions"] = {LIGHTS: {"lights": [{"type": "point"}, {"type": "point"}]}}
    use(file, LIGHTS)
    file["nodes"].append({"extensions": {LIGHTS: {"light": 1}}})
    file["scenes"][0]["nodes"] = [0, 1]
    del file["nodes"][0]["name"]
    animate(file, pointer, values=np.array(values, dtype=float))

    model = load(file)

    assert model.materials == ("Material_0",)
    assert width_of(model) == 1.0
    assert model.unread == ()


def test_an_animation_that_is_too_much_is_left_out_and_told(load):
    file = some_boxes(2)
    animate(file, "/materials/0/normalTexture/scale", values=np.array([[1.0], [0.5]]))

    model = load(file)

    assert model.objects == ("box0", "box1")
    assert model.unread == ("glTF extension KHR_animation_pointer",)


def test_what_nobody_here_can_read_is_told(load):
    file = some_boxes(1)
    use(file, "KHR_xmp_json_ld", "KHR_materials_ior", "KHR_gaussian_splatting", "ACME_fur")
    use(file, "KHR_texture_basisu")
    file["images"] = [{"uri": "a.ktx2"}, {"uri": "a.png"}]
    beside = {"source": 1, "extensions": {"KHR_texture_basisu": {"source": 0}}}
    file["textures"] = [beside]

    with_another = load(file)
    del beside["source"]
    alone = load(file)

    foreign = ("glTF extension ACME_fur", "glTF extension KHR_gaussian_splatting")
    assert with_another.unread == foreign
    assert alone.unread == (*foreign, "glTF extension KHR_texture_basisu")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("KHR_texture_basisu", "extension KHR_texture_basisu.*save its textures as PNG or JPEG"),
        ("KHR_gaussian_splatting", "extension KHR_gaussian_splatting.*has no surfaces"),
        ("ACME_fur", "requires the glTF extension ACME_fur, which this Blender lacks; save it"),
    ],
)
def test_a_file_that_requires_what_nobody_here_can_read_is_refused_in_a_sentence(load, name, words):
    file = some_boxes(1)
    use(file, name, required=True)

    with pytest.raises(AssetError, match=words):
        load(file)


def compress(file, *, required: bool) -> None:
    """Say that the mesh is compressed both ways; it is beside, too."""
    use(file, "KHR_draco_mesh_compression", "EXT_meshopt_compression", required=required)
    file["meshes"][0]["primitives"][0]["extensions"] = {
        "KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}
    }
    for view in file["bufferViews"]:
        told = {"buffer": 0, "byteLength": 8, "byteStride": 4, "count": 2, "mode": "ATTRIBUTES"}
        view["extensions"] = {"EXT_meshopt_compression": told}


def test_a_file_that_only_offers_compression_is_read_without(load):
    file = some_boxes(1)
    compress(file, required=False)

    assert width_of(load(file)) == 1.0


@pytest.mark.parametrize("name", ["Draco", "Meshopt"])
def test_a_file_that_is_compressed_is_refused_in_a_sentence(load, name):
    file = some_boxes(1)
    compress(file, required=True)
    other = file["bufferViews"] if name == "Draco" else file["meshes"][0]["primitives"]
    for part in other:
        del part["extensions"]

    words = f"its meshes are compressed with {name}, which this Blender lacks; save it without"
    with pytest.raises(AssetError, match=words):
        load(file)


def test_a_file_that_names_what_it_lacks_is_refused_in_a_sentence(load):
    file = some_boxes(1) | {"scene": 4}

    with pytest.raises(AssetError, match=r"it contradicts itself or its format \(IndexError: list"):
        load(file)


def test_what_animates_a_part_that_is_not_there_does_no_harm(load):
    file = some_boxes(1)
    animate(file, "/nodes/9/scale", "/materials/7/alphaCutoff", values=np.ones((2, 3)))

    assert load(file).objects == ("box0",)
