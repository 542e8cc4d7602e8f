"""What the samples are made of."""

from __future__ import annotations

from typing import Any

import bpy

Colour = tuple[float, float, float]
"""Scene-linear red, green, blue."""


def add_material(name: str, colour: Colour, **inputs: float) -> bpy.types.Material:
    """Make a material of one Principled BSDF; `inputs` are named as there, `_` for a space."""
    material = bpy.data.materials.new(name)
    surface = principled(material)
    surface.inputs["Base Color"].default_value = (*colour, 1.0)
    for key, value in inputs.items():
        surface.inputs[key.replace("_", " ")].default_value = value
    return material


def principled(material: bpy.types.Material) -> Any:
    """Return a material's surface node."""
    return node_tree(material).nodes["Principled BSDF"]


def node_tree(material: bpy.types.Material) -> Any:
    """Return a material's nodes; untyped, for what a node has depends on its name."""
    return material.node_tree


def add_speckles(
    material: bpy.types.Material, colour: Colour, *, scale: float, share: float
) -> None:
    """Strew spots of another colour over a material, as in stoneware."""
    tree = node_tree(material)
    surface = principled(material)
    base = tuple(surface.inputs["Base Color"].default_value)
    noise = add_noise(tree, scale=scale, detail=2.0)
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].position = share
    ramp.color_ramp.elements[0].color = (*colour, 1.0)
    ramp.color_ramp.elements[1].position = share + 0.04
    ramp.color_ramp.elements[1].color = base
    tree.links.new(noise.outputs["Factor"], ramp.inputs["Factor"])
    tree.links.new(ramp.outputs["Color"], surface.inputs["Base Color"])


def add_bumps(material: bpy.types.Material, *, scale: float, strength: float) -> None:
    """Roughen a material's surface, as of cloth or clay."""
    tree = node_tree(material)
    noise = add_noise(tree, scale=scale, detail=3.0)
    bump = tree.nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = strength
    bump.inputs["Distance"].default_value = 1.0 / scale
    tree.links.new(noise.outputs["Factor"], bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], principled(material).inputs["Normal"])


def add_noise(tree: Any, *, scale: float, detail: float) -> Any:
    """Add noise in the object's own coordinates."""
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = detail
    tree.links.new(coordinates.outputs["Object"], noise.inputs["Vector"])
    return noise
