"""Other colours and surfaces for the materials of models, or other materials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import bpy

from farm.spec.randomise import Paint
from worker.blender.materials.trees import trees_of
from worker.blender.models.model import Model
from worker.blender.randomised.changes import Changes

COLOURS = ("Base Color", "Color")
"""Names of inputs of shaders that are their colour."""
SHADERS = frozenset({"BSDF_PRINCIPLED", "BSDF_DIFFUSE", "BSDF_METALLIC", "BSDF_GLOSSY"})
"""Nodes of which a hue is turned: surfaces that have a colour of their own."""


def paint_models(models: Sequence[Model], paints: Iterable[Paint], changes: Changes) -> None:
    """Change the materials of models.

    Args:
        models: In the order by which paints name them.
        paints: What becomes of each; models that share materials have the same.
        changes: Puts all of it back.
    """
    painted: set[bpy.types.ID] = set()
    for paint in sorted(paints, key=lambda each: each.swap is not None):
        model = models[paint.prop]
        if paint.swap is not None:
            give_materials(model, models[paint.swap].paints, changes)
        elif paint.colour is not None:
            material = plain_material("viewfarm paint", paint.colour, changes)
            set_surface(material.node_tree, paint, changes)
            cover(model, material, changes)
        else:
            for tree in trees_of(model.paints):
                if tree.library is None and tree not in painted:
                    painted.add(tree)
                    repaint(tree, paint, changes)


def repaint(tree: Any, paint: Paint, changes: Changes) -> None:
    """Change the colours and surfaces in a node tree."""
    for node in [node for node in tree.nodes if node.type in SHADERS]:
        colour = next((node.inputs[name] for name in COLOURS if name in node.inputs), None)
        if colour is not None and paint.hue_deg is not None:
            turn_hue(tree, colour, paint.hue_deg, changes)
    set_surface(tree, paint, changes)


def set_surface(tree: Any, paint: Paint, changes: Changes) -> None:
    """Set how rough and how metallic the principled surfaces of a node tree are."""
    for node in [node for node in tree.nodes if node.type == "BSDF_PRINCIPLED"]:
        if paint.roughness is not None:
            changes.set_value(node.inputs["Roughness"], paint.roughness)
        if paint.metallic is not None:
            changes.set_value(node.inputs["Metallic"], paint.metallic)


def turn_hue(tree: Any, socket: Any, hue_deg: float, changes: Changes) -> None:
    """Turn the hue of what feeds an input of a node."""
    node = tree.nodes.new("ShaderNodeHueSaturation")
    node.inputs["Hue"].default_value = (0.5 + hue_deg / 360.0) % 1.0
    source = socket.links[0].from_socket if socket.links else None
    if source is not None:
        tree.links.new(source, node.inputs["Color"])
    else:
        node.inputs["Color"].default_value = socket.default_value
    tree.links.new(node.outputs["Color"], socket)

    def undo() -> None:
        tree.nodes.remove(node)
        if source is not None:
            tree.links.new(source, socket)

    changes.note(undo)


def plain_material(
    name: str, colour: tuple[float, float, float], changes: Changes
) -> bpy.types.Material:
    """Make a material of one colour."""
    material = bpy.data.materials.new(name)
    changes.made(bpy.data.materials, material)
    principled_of(material).inputs["Base Color"].default_value = (*colour, 1.0)
    return material


def principled_of(material: bpy.types.Material) -> Any:
    """Return the principled surface of a material that was made here."""
    tree: Any = material.node_tree
    return next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")


def cover(model: Model, material: bpy.types.Material, changes: Changes) -> None:
    """Show one material on all of a model, and on no other that shares its meshes."""
    for item in local_of(model):
        own_slots(item, changes)
        for slot in item.material_slots:
            put(slot, material, changes, link="OBJECT")


def give_materials(model: Model, materials: Sequence[bpy.types.Material], changes: Changes) -> None:
    """Show a model in other materials, in turn."""
    if not materials:
        return
    for item in local_of(model):
        own_slots(item, changes)
        for place, slot in enumerate(item.material_slots):
            put(slot, materials[place % len(materials)], changes, link="OBJECT")


def local_of(model: Model) -> Iterator[bpy.types.Object]:
    """Yield what is rendered of a model but for objects of linked files: these stay as they are."""
    return (item for item in model.rendered if item.library is None)


def own_slots(item: bpy.types.Object, changes: Changes) -> None:
    """Give an object that has no place for a material one."""
    data: Any = item.data
    if len(item.material_slots) or not hasattr(data, "materials") or data.library is not None:
        return
    data.materials.append(None)
    changes.note(data.materials.clear)


def put(slot: Any, material: bpy.types.Material, changes: Changes, *, link: str) -> None:
    """Put a material into a slot of an object, not of its mesh, which others may show, too."""
    link_before = slot.link
    slot.link = link
    before = slot.material
    slot.material = material

    def undo() -> None:
        slot.material = before
        slot.link = link_before

    changes.note(undo)
