"""Colours that a model's points carry: shown where there is no material."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, Literal

import bpy
import numpy as np
from numpy.typing import NDArray

from worker.blender.materials.emission import active_nodes

NAME = "vertex colours"
"""Name of the materials that show them."""
USD_COLOUR, USD_OPACITY = "displayColor", "displayOpacity"
OPAQUE = 254 / 255
"""What is as opaque as this is wholly so."""

Opacity = Literal["", "alpha", "displayOpacity"]
Coloured = bpy.types.Mesh | bpy.types.Curves | bpy.types.PointCloud


def show(objects: Iterable[bpy.types.Object], *, with_alpha: bool) -> None:
    """Let surfaces without a material show the colours of their points.

    Args:
        objects: What came with the model.
        with_alpha: The fourth number of a colour is its opacity; some programs keep others there.
    """
    paints: dict[tuple[str, Opacity], bpy.types.Material] = {}
    for item in objects:
        if not isinstance(item.data, Coloured) or not (colour := colour_of(item.data)):
            continue
        opacity = opacity_of(item.data, colour, with_alpha=with_alpha)
        if not bare_slots(item) and item.material_slots:
            continue
        paint = paints.get((colour, opacity)) or add_paint(colour, opacity)
        paints[colour, opacity] = paint
        dress(item, paint)


def undress(objects: Iterable[bpy.types.Object], made_up: Container[str]) -> None:
    """Take materials that an importer made up, having found none, from what has colours."""
    for item in objects:
        if not isinstance(item.data, Coloured) or not colour_of(item.data):
            continue
        for slot in item.material_slots:
            if slot.material is not None and slot.material.name in made_up:
                slot.material = None


def colour_of(data: Coloured) -> str:
    """Return the name of the colours that are rendered; none where there are none."""
    if not isinstance(data, bpy.types.Mesh):  # Blender knows no colours of these, but USD does
        return USD_COLOUR if USD_COLOUR in data.attributes else ""
    colours = data.color_attributes
    if not len(colours):
        return ""
    return colours[max(0, colours.render_color_index)].name


def opacity_of(data: Coloured, colour: str, *, with_alpha: bool) -> Opacity:
    """Return what makes some of a surface clear; where all of it would be, nothing is meant."""
    if USD_OPACITY in data.attributes and is_partly_clear(data.attributes[USD_OPACITY], "value", 1):
        return "displayOpacity"
    if with_alpha and is_partly_clear(data.attributes[colour], "color", 4):
        return "alpha"
    return ""


def is_partly_clear(attribute: bpy.types.Attribute, field: str, width: int) -> bool:
    """Tell whether opacities say that something is clear, and not all of it."""
    opacities = values_of(attribute, field, width)[:, -1]
    return bool(opacities.size and opacities.min() < OPAQUE and opacities.max() > 0.0)


def values_of(attribute: Any, field: str, width: int) -> NDArray[np.float32]:
    """Return the values of an attribute, (N, width)."""
    values = np.empty(len(attribute.data) * width, dtype=np.float32)
    attribute.data.foreach_get(field, values)
    return values.reshape(-1, width)


def bare_slots(item: bpy.types.Object) -> list[bpy.types.MaterialSlot]:
    """Return the slots without a material that some of an object's faces use."""
    slots = list(item.material_slots)
    bare = [place for place, slot in enumerate(slots) if slot.material is None]
    if not bare or not isinstance(item.data, bpy.types.Mesh):
        return [slots[place] for place in bare]
    faces = np.empty(len(item.data.polygons), dtype=np.int32)
    item.data.polygons.foreach_get("material_index", faces)
    used = set(np.unique(np.clip(faces, 0, len(slots) - 1)).tolist())
    return [slots[place] for place in bare if place in used]


def dress(item: bpy.types.Object, paint: bpy.types.Material) -> None:
    """Paint what of an object has no material."""
    data: Any = item.data
    if not item.material_slots:
        data.materials.append(paint)
    for slot in bare_slots(item):
        slot.material = paint


def add_paint(colour: str, opacity: Opacity) -> bpy.types.Material:
    """Add a matt material of a colour that each point has."""
    material = bpy.data.materials.new(NAME)
    tree: Any = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 1.0
    shader.inputs["Specular IOR Level"].default_value = 0.0
    source = tree.nodes.new("ShaderNodeVertexColor")
    source.layer_name = colour
    tree.links.new(source.outputs["Color"], shader.inputs["Base Color"])
    if opacity == "alpha":
        tree.links.new(source.outputs["Alpha"], shader.inputs["Alpha"])
    elif opacity:
        other = tree.nodes.new("ShaderNodeAttribute")
        other.attribute_name = opacity
        tree.links.new(other.outputs["Fac"], shader.inputs["Alpha"])
    return material


def are_shown(materials: Iterable[bpy.types.Material], meshes: Iterable[bpy.types.Mesh]) -> bool:
    """Tell whether any of these materials shows colours that the points of meshes carry."""
    named = {colours.name for mesh in meshes for colours in mesh.color_attributes}
    return any(
        isinstance(node, bpy.types.ShaderNodeVertexColor)
        or (isinstance(node, bpy.types.ShaderNodeAttribute) and node.attribute_name in named)
        for material in materials
        if material.node_tree is not None
        for node in active_nodes(material.node_tree)
    )
