"""How materials treat light, as their nodes tell it."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.support.blender.scenes import write_sky
from worker.blender.guards import disarm
from worker.blender.materials.finish import Finishes
from worker.finish import PLAIN, Finish


def finish_of(material):
    return Finishes().of(material)


@pytest.fixture
def material(blender):
    """A material with nodes, gone afterwards; its Principled BSDF takes numbers by name."""
    before = {block.session_uid for block in disarm.all_ids()}

    def make(**values):
        made = bpy.data.materials.new("paint")
        shader = made.node_tree.nodes["Principled BSDF"]
        for name, value in values.items():
            shader.inputs[name.replace("_", " ")].default_value = value
        return made

    yield make
    disarm.keep_only(before)


def an_image(*, size=(8, 8), colour=(0.25, 0.5, 0.75, 1.0), data=True):
    image = bpy.data.images.new("texture", *size, alpha=True)
    image.colorspace_settings.name = "Non-Color" if data else "sRGB"
    pixels = np.empty((*size, 4), np.float32)
    pixels[:] = colour
    image.pixels.foreach_set(pixels.ravel())
    return image


def link(material, image, *, output="Color", channel=None, factor=None, to="Roughness"):
    """Link a texture to an input, as importers do."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = image
    socket = texture.outputs[output]
    if channel is not None:
        split = nodes.new("ShaderNodeSeparateColor")
        links.new(socket, split.inputs[0])
        socket = split.outputs[channel]
    if factor is not None:
        product = nodes.new("ShaderNodeMath")
        product.operation = "MULTIPLY"
        links.new(socket, product.inputs[0])
        product.inputs[1].default_value = factor
        socket = product.outputs[0]
    links.new(socket, nodes["Principled BSDF"].inputs[to])


def test_the_numbers_of_a_principled_bsdf_are_read(material):
    finish = finish_of(
        material(Metallic=0.9, Roughness=0.25, Transmission_Weight=0.125, Alpha=0.75)
    )

    assert finish == pytest.approx((0.9, 0.125, 0.25, 0.75, False), abs=1e-6)


@pytest.mark.parametrize(
    ("values", "scatters"),
    [
        pytest.param({}, True, id="paint"),
        pytest.param({"Metallic": 1.0}, False, id="metal"),
        pytest.param({"Transmission_Weight": 1.0}, False, id="glass"),
        pytest.param({"Alpha": 0.5}, False, id="clear"),
        pytest.param({"Emission_Strength": 2.0, "Emission_Color": (1, 1, 1, 1)}, False, id="glows"),
    ],
)
def test_what_hides_the_colour_that_is_scattered_is_known(material, values, scatters):
    assert finish_of(material(**values)).scatters is scatters


@pytest.mark.parametrize(
    ("how", "roughness"),
    [
        pytest.param({"output": "Alpha"}, 1.0, id="alpha"),
        pytest.param({"channel": "Red"}, 0.25, id="red"),
        pytest.param({"channel": "Green"}, 0.5, id="green"),
        pytest.param({"channel": "Blue", "factor": 0.5}, 0.375, id="blue, halved"),
        pytest.param({}, 0.2126 * 0.25 + 0.7152 * 0.5 + 0.0722 * 0.75, id="luminance"),
    ],
)
def test_of_a_texture_the_mean_is_taken(material, how, roughness):
    made = material()
    link(made, an_image(), **how)

    assert finish_of(made).roughness == pytest.approx(roughness, abs=0.005)


def test_a_coloured_texture_is_made_linear_first(material):
    made = material()
    link(made, an_image(colour=(0.5, 0.5, 0.5, 1.0), data=False), channel="Red")

    assert finish_of(made).roughness == pytest.approx(0.214, abs=0.003)


def write_texture(path):
    """A texture whose green is a half."""
    if path.suffix == ".exr":
        return write_sky(path, np.full((64, 64, 3), (0.25, 0.5, 0.75), np.float32)).path
    Image.new("RGB", (64, 64), (64, 128, 191)).save(path)
    return str(path)


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "beside"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".exr"])
def test_textures_of_files_are_read_and_not_kept_in_memory(material, tmp_path, suffix, packed):
    image = bpy.data.images.load(write_texture(tmp_path / f"rough{suffix}"))
    image.colorspace_settings.name = "Non-Color"
    if packed:
        image.pack()
    made = material()
    link(made, image, channel="Green")

    assert finish_of(made).roughness == pytest.approx(0.5, abs=0.01)
    assert not image.has_data


def test_what_other_nodes_decide_is_not_known(material):
    made = material()
    nodes, links = made.node_tree.nodes, made.node_tree.links
    links.new(
        nodes.new("ShaderNodeTexNoise").outputs[0], nodes["Principled BSDF"].inputs["Metallic"]
    )
    finish = finish_of(made)

    assert finish.metallic is None
    assert finish.roughness == pytest.approx(0.5)
    assert not finish.scatters


def test_a_texture_that_is_not_there_is_not_known(material):
    made = material()
    link(made, None)

    assert finish_of(made).roughness is None


def mixed(material, kind):
    """A Principled BSDF mixed with another shader."""
    made = material()
    nodes, links = made.node_tree.nodes, made.node_tree.links
    mix = nodes.new("ShaderNodeMixShader")
    links.new(nodes["Principled BSDF"].outputs[0], mix.inputs[1])
    links.new(nodes.new(kind).outputs[0], mix.inputs[2])
    links.new(mix.outputs[0], nodes["Material Output"].inputs["Surface"])
    return made


def test_of_what_is_mixed_only_is_known_whether_it_scatters(material):
    assert finish_of(mixed(material, "ShaderNodeBsdfDiffuse")) == Finish(scatters=True)
    assert finish_of(mixed(material, "ShaderNodeBsdfAnisotropic")) == Finish(scatters=False)
    assert finish_of(mixed(material, "ShaderNodeBsdfGlass")) == Finish(scatters=False)
    assert finish_of(mixed(material, "ShaderNodeEmission")) == Finish(scatters=False)


def test_a_diffuse_bsdf_is_plain_and_nothing_is_unknown(material):
    made = material()
    nodes, links = made.node_tree.nodes, made.node_tree.links
    links.new(nodes.new("ShaderNodeBsdfDiffuse").outputs[0], nodes["Material Output"].inputs[0])
    assert finish_of(made) == PLAIN

    for each in list(links):
        links.remove(each)
    assert finish_of(made) == Finish()
