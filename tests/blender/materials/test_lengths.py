"""A model in millimetres or in miles looks as one of 1 unit: lengths in materials go with it."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.shots import some_view

VIEW = some_view(yaw=200.0, pitch=25.0, distance=2.2)
PASSES = ("linear", "normal", "index")


def node(tree, kind, **settings):
    made = tree.nodes.new(f"ShaderNode{kind}")
    for name, value in settings.items():
        setattr(made, name, value)
    return made


def noise(tree):
    made = node(tree, "TexNoise")
    made.inputs["Scale"].default_value = 3.0
    return made.outputs[0]


def principled(tree):
    return tree.nodes["Principled BSDF"]


def bump(tree, size):
    made = node(tree, "Bump")
    made.inputs["Distance"].default_value = 0.3 * size
    tree.links.new(noise(tree), made.inputs["Height"])
    tree.links.new(made.outputs[0], principled(tree).inputs["Normal"])


def linked_bump(tree, size):
    """Its distance comes from a node, within a group."""
    group = bpy.data.node_groups.new("bumps", "ShaderNodeTree")
    group.interface.new_socket("Normal", in_out="OUTPUT", socket_type="NodeSocketVector")
    end, made, value = (
        group.nodes.new("NodeGroupOutput"),
        node(group, "Bump"),
        node(group, "Value"),
    )
    value.outputs[0].default_value = 0.3 * size
    group.links.new(value.outputs[0], made.inputs["Distance"])
    group.links.new(noise(group), made.inputs["Height"])
    group.links.new(made.outputs[0], end.inputs[0])
    around = node(tree, "Group", node_tree=group)
    tree.links.new(around.outputs[0], principled(tree).inputs["Normal"])


def wax(tree, size):
    principled(tree).inputs["Subsurface Weight"].default_value = 1.0
    principled(tree).inputs["Subsurface Scale"].default_value = 0.3 * size


def tinted_glass(tree, size):
    for name, value in (("Transmission Weight", 1.0), ("Roughness", 0.0), ("IOR", 1.1)):
        principled(tree).inputs[name].default_value = value
    made = node(tree, "VolumeAbsorption")
    made.inputs["Color"].default_value = (0.2, 0.9, 0.3, 1.0)
    made.inputs["Density"].default_value = 4.0 / size
    tree.links.new(made.outputs[0], output(tree).inputs["Volume"])


def smoke(tree, size):
    made = node(tree, "VolumePrincipled")
    made.inputs["Density"].default_value = 6.0 / size
    made.inputs["Emission Strength"].default_value = 1.0 / size
    tree.links.new(made.outputs[0], output(tree).inputs["Volume"])
    tree.links.remove(output(tree).inputs["Surface"].links[0])


def embers(tree, size):
    """Light within, and a surface that shines as it ever does."""
    made, thin, both = node(tree, "Emission"), node(tree, "VolumeScatter"), node(tree, "AddShader")
    made.inputs["Strength"].default_value = 2.0 / size
    thin.inputs["Density"].default_value = 1.0 / size
    tree.links.new(made.outputs[0], both.inputs[0])
    tree.links.new(thin.outputs[0], both.inputs[1])
    tree.links.new(both.outputs[0], output(tree).inputs["Volume"])
    shine, clear = node(tree, "Emission"), node(tree, "BsdfTransparent")
    shine.inputs["Strength"].default_value = 0.1
    half = node(tree, "MixShader")
    tree.links.new(shine.outputs[0], half.inputs[1])
    tree.links.new(clear.outputs[0], half.inputs[2])
    tree.links.new(half.outputs[0], output(tree).inputs["Surface"])


def wires(tree, size):
    made = node(tree, "Wireframe")
    made.inputs["Size"].default_value = 0.05 * size
    tree.links.new(made.outputs[0], principled(tree).inputs["Base Color"])


def corners(tree, size):
    made = node(tree, "AmbientOcclusion")
    made.inputs["Distance"].default_value = 0.3 * size
    tree.links.new(made.outputs["AO"], principled(tree).inputs["Base Color"])


def round_edges(tree, size):
    made = node(tree, "Bevel")
    made.inputs["Radius"].default_value = 0.1 * size
    tree.links.new(made.outputs[0], principled(tree).inputs["Normal"])


def by_distance(tree, size):
    made, share = node(tree, "CameraData"), node(tree, "Math", operation="DIVIDE")
    share.inputs[1].default_value = 4.0 * size
    tree.links.new(made.outputs["View Distance"], share.inputs[0])
    tree.links.new(share.outputs[0], principled(tree).inputs["Base Color"])


def output(tree):
    return tree.get_output_node("CYCLES")


KINDS = (
    bump, linked_bump, wax, tinted_glass, smoke, embers, wires, corners, round_edges, by_distance,
)  # fmt: skip


def corner_of_a_room(path, make, size):
    """Two boxes that meet at an inner edge."""
    with blend_file(path) as scene:
        paint = a_material()
        make(paint.node_tree, size)
        add_box(scene, size=(size, size, size / 2), material=paint)
        at = (0.0, 0.0, size / 2)
        add_box(scene, name="top", size=(size / 2,) * 3, at=at, material=paint)
    return asset_of(path)


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("size", [0.02, 50.0])
def test_models_of_any_size_look_alike(labelled, sky, tmp_path, make, size):
    settings = {"passes": PASSES, "samples": 8}
    one = corner_of_a_room(tmp_path / "one.blend", make, 1.0)
    other = corner_of_a_room(tmp_path / "other.blend", make, size)

    expected = labelled(one, sky, VIEW, **settings)
    seen = labelled(other, sky, VIEW, **settings)

    light = expected["linear"].astype(np.float64)
    assert np.abs(seen["linear"] - light).mean() < 0.01 * light.mean()
    assert np.abs(seen["normal"] - expected["normal"]).mean() < 0.01
