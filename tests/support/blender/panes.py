"""Sheets that are half clear in many ways, one behind the other, whose every label is known."""

from __future__ import annotations

import bpy
import numpy as np

from farm.spec.record import ViewRecord
from tests.support.blender.rays import Solid, shifted
from tests.support.blender.scenes import a_material

SIDE = 1.0
BACK_SIDE = 0.6
BACK_Z = -0.5
FRONT_Z = 0.5
TEXTURE_PX = 8


def add_sheet(
    scene: bpy.types.Scene, name: str, material: bpy.types.Material, *, z: float, side: float = SIDE
) -> bpy.types.Object:
    """A square that faces up, with texture coordinates from 0 to 1."""
    half = side / 2
    mesh = bpy.data.meshes.new(name)
    corners = [(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    layer = mesh.uv_layers.new(name="UVMap")
    for place, at in enumerate([(0, 0), (1, 0), (1, 1), (0, 1)]):
        layer.data[place].uv = at
    mesh.materials.append(material)
    item = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(item)
    return item


def sheet(record: ViewRecord, *, z: float, side: float = SIDE) -> Solid:
    """The same square in the world of a record."""
    world_from_model = np.array(record.objects[0].world_from_file)
    return Solid("sheet", world_from_model @ shifted(0, 0, z) @ np.diag([side, side, 1.0, 1.0]))


def paint(alpha: float = 1.0) -> bpy.types.Material:
    """Principled BSDF with an alpha."""
    material = a_material()
    shader(material).inputs["Alpha"].default_value = alpha
    return material


def shader(material: bpy.types.Material) -> bpy.types.Node:
    return material.node_tree.nodes["Principled BSDF"]


def mixed(alpha: float, *, flipped: bool = False) -> bpy.types.Material:
    """A Mix Shader of nothing and paint."""
    material = paint()
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeMixShader")
    clear = tree.nodes.new("ShaderNodeBsdfTransparent")
    node.inputs[0].default_value = 1 - alpha if flipped else alpha
    sides = (shader(material), clear) if flipped else (clear, shader(material))
    for place, each in enumerate(sides, 1):
        tree.links.new(each.outputs[0], node.inputs[place])
    return shown(material, node.outputs[0])


def shown(material: bpy.types.Material, output: bpy.types.NodeSocket) -> bpy.types.Material:
    """Show a shader on the surface."""
    tree = material.node_tree
    tree.links.new(output, tree.nodes["Material Output"].inputs["Surface"])
    return material


def summed(alpha: float) -> bpy.types.Material:
    """An Add Shader of paint and a coloured Transparent BSDF: what it lets through is the mean."""
    material = paint()
    tree = material.node_tree
    clear = tree.nodes.new("ShaderNodeBsdfTransparent")
    rest = 1 - alpha
    clear.inputs[0].default_value = (rest / 2, rest, 1.5 * rest, 1.0)
    node = tree.nodes.new("ShaderNodeAddShader")
    tree.links.new(clear.outputs[0], node.inputs[0])
    tree.links.new(shader(material).outputs[0], node.inputs[1])
    return shown(material, node.outputs[0])


def wrapped(alpha: float) -> bpy.types.Material:
    """A group that fades the shader that is handed in, by a number that is handed in."""
    material = paint()
    group = bpy.data.node_groups.new("fade", "ShaderNodeTree")
    for name, way, kind in (
        ("What", "INPUT", "NodeSocketShader"),
        ("Much", "INPUT", "NodeSocketFloat"),
        ("Faded", "OUTPUT", "NodeSocketShader"),
    ):
        group.interface.new_socket(name, in_out=way, socket_type=kind)
    start, end = (group.nodes.new(kind) for kind in ("NodeGroupInput", "NodeGroupOutput"))
    clear, mix = (group.nodes.new(f"ShaderNode{kind}") for kind in ("BsdfTransparent", "MixShader"))
    group.links.new(start.outputs["Much"], mix.inputs[0])
    group.links.new(clear.outputs[0], mix.inputs[1])
    group.links.new(start.outputs["What"], mix.inputs[2])
    group.links.new(mix.outputs[0], end.inputs[0])
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = group
    shader(material).inputs["Alpha"].default_value = 0.9
    tree.links.new(shader(material).outputs[0], node.inputs["What"])
    node.inputs["Much"].default_value = alpha / 0.9
    return shown(material, node.outputs[0])


def muted(alpha: float) -> bpy.types.Material:
    """Paint behind a Mix Shader that is switched off, and a reroute."""
    material = paint(alpha)
    tree = material.node_tree
    off, bend = tree.nodes.new("ShaderNodeMixShader"), tree.nodes.new("NodeReroute")
    tree.links.new(shader(material).outputs[0], off.inputs[1])
    off.mute = True
    tree.links.new(off.outputs[0], bend.inputs[0])
    return shown(material, bend.outputs[0])


def for_camera(alpha: float) -> bpy.types.Material:
    """Mixed, by what only shadows should see."""
    material = mixed(alpha)
    tree = material.node_tree
    path = tree.nodes.new("ShaderNodeLightPath")
    factor = tree.nodes["Mix Shader"].inputs[0]
    scaled = tree.nodes.new("ShaderNodeMath")
    scaled.operation = "MULTIPLY"
    tree.links.new(path.outputs["Is Camera Ray"], scaled.inputs[0])
    scaled.inputs[1].default_value = alpha
    tree.links.new(scaled.outputs[0], factor)
    return material


def leaf(alphas: np.ndarray, *, soft: bool) -> bpy.types.Material:
    """A picture with an alpha, (H, W) from the bottom row up."""
    material = paint()
    image = bpy.data.images.new("leaf", *alphas.shape[::-1], alpha=True)
    pixels = np.ones((*alphas.shape, 4), np.float32)
    pixels[..., 3] = alphas
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image, node.interpolation = image, "Linear" if soft else "Closest"
    tree.links.new(node.outputs["Alpha"], shader(material).inputs["Alpha"])
    return material


def glass() -> bpy.types.Material:
    material = a_material()
    shader(material).inputs["Transmission Weight"].default_value = 1.0
    shader(material).inputs["Roughness"].default_value = 0.0
    return material


def fog() -> bpy.types.Material:
    """A volume and no surface."""
    material = a_material()
    tree = material.node_tree
    tree.nodes.remove(shader(material))
    smoke = tree.nodes.new("ShaderNodeVolumeScatter")
    smoke.inputs["Density"].default_value = 2.0
    tree.links.new(smoke.outputs[0], tree.nodes["Material Output"].inputs["Volume"])
    return material
