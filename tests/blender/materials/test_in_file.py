"""Materials that depend on places, directions or colours of objects look as in their file."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file, write_sky
from tests.support.blender.shots import some_view
from worker.blender.materials.own_numbers import NUMBER, keep_numbers

LOW, SIZE = np.array([3.0, -7.0, 11.0]), np.array([2.0, 1.0, 4.0])
TURNED = [some_view(rotation=0.0), some_view(rotation=130.0)]
PASSES = ("base_color", "position", "normal_world", "index")
RED, GREEN = (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def white(tmp_path_factory):
    return write_sky(tmp_path_factory.mktemp("white") / "white.exr", np.ones((8, 16, 3), "f4"))


def node(tree, kind, **settings):
    made = tree.nodes.new(f"ShaderNode{kind}")
    for name, value in settings.items():
        setattr(made, name, value)
    return made


def scaled(tree, vector, factor, shift):
    """Return a vector times a number or vector, and shifted."""
    made = node(tree, "VectorMath", operation="MULTIPLY_ADD")
    tree.links.new(vector, made.inputs[0])
    made.inputs[1].default_value, made.inputs[2].default_value = factor, shift
    return made.outputs[0]


def place(tree):
    position = node(tree, "NewGeometry").outputs["Position"]
    return scaled(tree, position, 1 / SIZE, -LOW / SIZE)


def place_in_a_group(tree):
    group = bpy.data.node_groups.new("place", "ShaderNodeTree")
    group.interface.new_socket("Place", in_out="OUTPUT", socket_type="NodeSocketVector")
    end = group.nodes.new("NodeGroupOutput")
    group.links.new(place(group), end.inputs[0])
    return node(tree, "Group", node_tree=group).outputs[0]


def place_of_an_object(tree):
    item = bpy.data.objects.new("corner", None)
    item.location, item.scale = LOW, SIZE
    bpy.data.scenes[-1].collection.objects.link(item)
    return node(tree, "TexCoord", object=item).outputs["Object"]


def place_by_transform(tree):
    own = node(tree, "TexCoord").outputs["Object"]
    turn = node(
        tree, "VectorTransform", vector_type="POINT", convert_from="OBJECT", convert_to="WORLD"
    )
    tree.links.new(own, turn.inputs[0])
    return scaled(tree, turn.outputs[0], 1 / SIZE, -LOW / SIZE)


def normal(tree):
    return scaled(tree, node(tree, "NewGeometry").outputs["Normal"], (0.5,) * 3, (0.5,) * 3)


def a_block(path, colour_of):
    """A box whose colour is what nodes say."""
    with blend_file(path) as scene:
        paint = a_material()
        add_box(scene, size=tuple(SIZE), at=tuple(LOW + SIZE / 2), material=paint)
        tree = paint.node_tree
        tree.links.new(colour_of(tree), tree.nodes["Principled BSDF"].inputs["Base Color"])
    return asset_of(path)


@pytest.mark.parametrize("view", TURNED, ids=["as-it-is", "turned"])
@pytest.mark.parametrize(
    "colour_of", [place, place_in_a_group, place_of_an_object, place_by_transform]
)
def test_places_are_those_of_the_file(labelled, white, tmp_path, colour_of, view):
    """However the environment is turned, for which the model turns."""
    block = a_block(tmp_path / "block.blend", colour_of)

    seen = labelled(block, white, view, passes=PASSES)

    hit = seen["index"] > 0
    file_from_world = np.linalg.inv(seen.record.objects[0].world_from_file)
    points = seen["position"][hit] @ file_from_world[:3, :3].T + file_from_world[:3, 3]
    assert hit.sum() > 100
    assert seen["base_color"][hit] == pytest.approx((points - LOW) / SIZE, abs=2e-3)


@pytest.mark.parametrize("view", TURNED, ids=["as-it-is", "turned"])
def test_directions_are_those_of_the_file(labelled, white, tmp_path, view):
    seen = labelled(a_block(tmp_path / "block.blend", normal), white, view, passes=PASSES)

    hit = seen["index"] > 0
    assert seen["base_color"][hit] == pytest.approx(seen["normal_world"][hit] / 2 + 0.5, abs=1e-3)


def test_directions_that_shade_are_those_of_the_scene(labelled, white, tmp_path):
    """A normal that goes back into a shader by way of other nodes shades as it did."""
    path = tmp_path / "block.blend"
    with blend_file(path) as scene:
        paint = a_material()
        add_box(scene, size=tuple(SIZE), material=paint)
        tree = paint.node_tree
        normal = scaled(tree, node(tree, "NewGeometry").outputs["Normal"], (2.0,) * 3, (0.0,) * 3)
        tree.links.new(normal, tree.nodes["Principled BSDF"].inputs["Normal"])

    seen = labelled(asset_of(path), white, TURNED[1], passes=("normal", "normal_geometry"))

    assert seen["normal"] == pytest.approx(seen["normal_geometry"], abs=1e-3)


@pytest.mark.parametrize("view", TURNED, ids=["as-it-is", "turned"])
@pytest.mark.parametrize(("space", "signs"), [("WORLD", (1, 1, 1)), ("BLENDER_WORLD", (1, -1, -1))])
def test_normal_maps_of_the_world_are_turned_with_the_model(
    labelled, white, tmp_path, view, space, signs
):
    path = tmp_path / "block.blend"
    leaning = np.array([0.6, 0.64, 0.48])
    with blend_file(path) as scene:
        paint = a_material()
        add_box(scene, size=tuple(SIZE), material=paint)
        tree = paint.node_tree
        colour, bent = node(tree, "RGB"), node(tree, "NormalMap", space=space)
        colour.outputs[0].default_value = (*(leaning * signs / 2 + 0.5), 1.0)
        tree.links.new(colour.outputs[0], bent.inputs["Color"])
        tree.links.new(bent.outputs[0], tree.nodes["Principled BSDF"].inputs["Normal"])

    seen = labelled(
        asset_of(path), white, view, passes=("normal_world", "normal_geometry", "index")
    )

    up = (seen["index"] > 0) & (seen["normal_world"] @ leaning > 0.5)
    assert up.sum() > 100
    assert np.median(seen["normal_world"][up], axis=0) == pytest.approx(leaning, abs=5e-3)


def test_objects_and_materials_have_the_numbers_of_their_file(labelled, white, tmp_path):
    """Whatever labels call them."""
    path = tmp_path / "pair.blend"
    with blend_file(path) as scene:
        paint = a_material()
        paint.pass_index = 60
        tree = paint.node_tree
        info, join = node(tree, "ObjectInfo"), node(tree, "CombineColor")
        for at, name in enumerate(("Object Index", "Material Index")):
            share = node(tree, "Math", operation="DIVIDE")
            share.inputs[1].default_value = 100.0
            tree.links.new(info.outputs[name], share.inputs[0])
            tree.links.new(share.outputs[0], join.inputs[at])
        tree.links.new(join.outputs[0], tree.nodes["Principled BSDF"].inputs["Base Color"])
        add_box(scene, name="a", material=paint).pass_index = 20
        moving = add_box(scene, name="b", at=(1.5, 0.0, 0.0), material=paint)
        moving.pass_index = 50
        moving.keyframe_insert("pass_index", frame=1)

    seen = labelled(asset_of(path), white, TURNED[0], passes=PASSES)

    for index, own in ((1, 0.2), (2, 0.5)):
        found = seen["base_color"][seen["index"] == index]
        assert len(found) > 20
        assert found == pytest.approx(np.broadcast_to((own, 0.6, 0.0), found.shape), abs=1e-3)


def test_numbers_of_a_file_stay_when_it_is_baked_and_opened_again(write_blend):
    """By then its objects have the numbers of labels."""

    def fill(scene):
        paint = a_material()
        tree = paint.node_tree
        info = node(tree, "ObjectInfo").outputs["Object Index"]
        tree.links.new(info, tree.nodes["Principled BSDF"].inputs["Base Color"])
        item = add_box(scene, material=paint)
        item.pass_index = 20
        keep_numbers([paint], [item])
        item.pass_index = 1
        keep_numbers([paint], [item])
        told.append(item[NUMBER])

    told: list[int] = []
    write_blend(fill)

    assert told == [20]


def test_objects_have_their_own_colours(labelled, white, tmp_path):
    path = tmp_path / "pair.blend"
    with blend_file(path) as scene:
        paint = a_material()
        tree = paint.node_tree
        colour = node(tree, "ObjectInfo").outputs["Color"]
        tree.links.new(colour, tree.nodes["Principled BSDF"].inputs["Base Color"])
        add_box(scene, name="a", material=paint).color = RED
        add_box(scene, name="b", at=(1.5, 0.0, 0.0), material=paint).color = GREEN

    seen = labelled(asset_of(path), white, TURNED[0], passes=PASSES)

    for index, colour in ((1, RED), (2, GREEN)):
        found = seen["base_color"][seen["index"] == index]
        assert len(found) > 20
        assert found == pytest.approx(np.broadcast_to(colour[:3], found.shape), abs=1e-3)
