"""Numbers of objects and materials that shaders take: those of their file, not those of labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy

from worker.blender.curves import drop_curves
from worker.blender.materials.trees import trees_of

NUMBER = "viewfarm_number"
"""Property of an object: the number that its file gives it, and the node that reads it."""
PATH = "pass_index"


def keep_numbers(
    materials: Iterable[bpy.types.Material], objects: Iterable[bpy.types.Object]
) -> None:
    """Let materials take the numbers of objects and of themselves as they are now; from now on they
    may have others, which nothing moves.

    A group of nodes that several materials share takes the number of the first.
    """
    paints, items = list(materials), list(objects)
    takes_objects = False
    for paint in paints:
        for tree in trees_of([paint]):
            takes_objects |= settle(tree, paint)
    for item in items if takes_objects else ():
        if item.get(NUMBER) is None:  # a baked file has it, from before labels had numbers
            item[NUMBER] = item.pass_index
    for block in (*paints, *items):
        drop_curves(block, PATH)


def settle(tree: Any, paint: bpy.types.Material) -> bool:
    """Put numbers of the file in place of those of labels; tell whether any is of an object."""
    takes_objects = False
    for link in list(tree.links):
        if link.from_node.bl_idname != "ShaderNodeObjectInfo" or link.is_muted:
            continue
        if link.from_socket.name == "Object Index":
            tree.links.new(number_of_object(tree), link.to_socket)
            takes_objects = True
        elif link.from_socket.name == "Material Index":
            node = tree.nodes.new("ShaderNodeValue")
            node.outputs[0].default_value = paint.pass_index
            tree.links.new(node.outputs[0], link.to_socket)
    return takes_objects or tree.nodes.get(NUMBER) is not None


def number_of_object(tree: Any) -> Any:
    """Return the output that tells the number of the object that is shaded."""
    node = tree.nodes.get(NUMBER)
    if node is None:
        node = tree.nodes.new("ShaderNodeAttribute")
        node.name = node.attribute_name = NUMBER
        node.attribute_type = "OBJECT"
    return node.outputs["Fac"]
