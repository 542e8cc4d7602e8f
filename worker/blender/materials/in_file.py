"""What shaders take of the world: as their file has it, wherever its model stands and turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from worker.blender.materials.emission import active_nodes

Socket = Any
"""Its stubs know no sockets by their kind."""
Numbers = NDArray[np.float64]
MatrixOf = Callable[[bpy.types.Object], Numbers]

ROWS = ("viewfarm_x", "viewfarm_y", "viewfarm_z")
"""Properties of whatever shows a model: the rows of `file_from_world`."""
COLOUR = "viewfarm_colour"
"""Property of an object: its own colour, and the node that reads it."""
GROUP = "viewfarm in its file"

PLACES = frozenset(
    {
        ("ShaderNodeNewGeometry", "Position"),
        ("ShaderNodeObjectInfo", "Location"),
        ("ShaderNodeParticleInfo", "Location"),
    }
)
"""Outputs that are points of the world."""
DIRECTIONS = frozenset(
    {
        ("ShaderNodeNewGeometry", "Normal"),
        ("ShaderNodeNewGeometry", "True Normal"),
        ("ShaderNodeNewGeometry", "Tangent"),
        ("ShaderNodeNewGeometry", "Incoming"),
        ("ShaderNodeTexCoord", "Reflection"),
    }
)
"""Outputs that are directions of the world."""
SHADING = frozenset(
    {"ShaderNodeNormalMap", "ShaderNodeBump", "ShaderNodeBevel", "ShaderNodeTangent"}
)
"""Nodes that make directions of the world for shaders."""
AXES = {"WORLD": (1.0, 1.0, 1.0), "BLENDER_WORLD": (1.0, -1.0, -1.0)}
"""Signs of x, y and z in normal maps that hold directions of the world."""
SHADED_BY = frozenset({"Normal", "Coat Normal", "Tangent", "Displacement"})
"""Inputs that want directions as they are in the scene."""


def show_as_in_file(
    materials: Iterable[bpy.types.Material],
    objects: Iterable[bpy.types.Object],
    matrix_of: MatrixOf,
) -> None:
    """Let materials take places, directions and colours of objects as their file has them.

    Blender tells shaders where a model stands in the scene, and of what an empty shows the
    empty's colour.

    Args:
        materials: Those of a model that an empty shows, with `stand` for where it does.
        objects: Those that wear them.
        matrix_of: `file_from_object` of an object of the file.
    """
    trees = active_trees(materials)
    for tree in trees:
        settle(tree, matrix_of)
        turn_maps(tree)
    if any(node.name == COLOUR for tree in trees for node in tree.nodes):
        for item in objects:
            colour: Any = item.color  # its stubs know no numbers in it
            item[COLOUR] = tuple(colour)


def stand(parent: bpy.types.Object, world_from_file: Numbers) -> None:
    """Note on what shows a model where it does, by a matrix of 4 x 4."""
    rows = np.linalg.inv(world_from_file)[:3]
    for name, row in zip(ROWS, rows, strict=True):
        parent[name] = row.tolist()


def active_trees(owners: Iterable[bpy.types.Material | bpy.types.Light]) -> list[Any]:
    """Return the node trees of materials or lamps, with those of the groups that lead to
    their outputs, each once.
    """
    trees: dict[int, Any] = {}
    for owner in owners:
        if owner.node_tree is None:
            continue
        trees.setdefault(owner.node_tree.session_uid, owner.node_tree)
        for node in active_nodes(owner.node_tree):
            if isinstance(node, bpy.types.ShaderNodeGroup) and node.node_tree is not None:
                trees.setdefault(node.node_tree.session_uid, node.node_tree)
    return list(trees.values())


def settle(tree: Any, matrix_of: MatrixOf) -> None:
    """Put what is of the file in place of what is of the scene."""
    is_plain = all(leads_to_shading(link) for link in links_from(tree, SHADING))
    for link in list(tree.links):
        node, output, to = link.from_node, link.from_socket, link.to_socket
        if link.is_muted or takes_world(link.to_node):
            continue
        kind = node.bl_idname, output.name
        if kind in PLACES:
            tree.links.new(in_file(tree, output, "Point"), to)
        elif kind in DIRECTIONS and is_plain and not leads_to_shading(link):
            tree.links.new(in_file(tree, output, "Direction"), to)
        elif kind[0] == "ShaderNodeObjectInfo" and kind[1] in ("Color", "Alpha"):
            tree.links.new(own_colour(tree).outputs[kind[1]], to)
        elif kind == ("ShaderNodeTexCoord", "Object") and node.object is not None:
            tree.links.new(seen_from(tree, node.object, matrix_of), to)
        elif kind[0] == "ShaderNodeVectorTransform" and is_to_world(node):
            which = "Point" if node.vector_type == "POINT" else "Direction"
            tree.links.new(in_file(tree, output, which), to)


def links_from(tree: Any, kinds: frozenset[str]) -> Iterator[Any]:
    """Yield the links that leave nodes of some kinds."""
    return (link for link in tree.links if link.from_node.bl_idname in kinds)


def leads_to_shading(link: Any) -> bool:
    """Tell whether a direction ends, or may end, where the scene's own are wanted."""
    waiting, seen = [link], set()
    while waiting:
        each = waiting.pop()
        to = each.to_socket
        if to.name in SHADED_BY or (each.to_node.bl_idname == "NodeGroupOutput"):
            return True
        if each.to_node not in seen and not takes_world(each.to_node):
            seen.add(each.to_node)
            outputs = (output for output in each.to_node.outputs if output.type == "VECTOR")
            waiting += [further for output in outputs for further in output.links]
    return False


def takes_world(node: Any) -> bool:
    """Tell whether a node wants its input as the scene has it."""
    return bool(node.bl_idname == "ShaderNodeVectorTransform" and node.convert_from == "WORLD")


def is_to_world(node: Any) -> bool:
    """Tell whether a node makes places or directions of the world of others."""
    return bool(node.convert_to == "WORLD" and node.convert_from != "WORLD")


def in_file(tree: Any, output: Socket, which: str) -> Socket:
    """Return an output of the world as the file has it."""
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = bpy.data.node_groups.get(GROUP) or add_group()
    tree.links.new(output, node.inputs[0])
    return node.outputs[which]


def turn_maps(tree: Any) -> None:
    """Turn the normal maps that hold directions of the world."""
    for node in [node for node in tree.nodes if node.bl_idname == "ShaderNodeNormalMap"]:
        if node.space in AXES and node.inputs["Color"].is_linked:
            turn_map(tree, node.inputs["Color"], AXES[node.space])


def turn_map(tree: Any, colour: Socket, signs: tuple[float, float, float]) -> None:
    """Turn the directions of the file that a normal map gets as colours into the scene."""
    both = np.array(signs)
    seen = add_scaled(tree, colour.links[0].from_socket, 2 * both, -both)
    turned = in_file(tree, seen, "World")
    tree.links.new(add_scaled(tree, turned, both / 2, np.full(3, 0.5)), colour)


def own_colour(tree: Any) -> Any:
    """Return the node that tells the colour of an object, whatever shows it."""
    if (known := tree.nodes.get(COLOUR)) is not None:
        return known
    node = tree.nodes.new("ShaderNodeAttribute")
    node.name = node.attribute_name = COLOUR
    node.attribute_type = "OBJECT"
    return node


def seen_from(tree: Any, item: bpy.types.Object, matrix_of: MatrixOf) -> Socket:
    """Return the point that is shaded, in the coordinates of an object of the file."""
    geometry = tree.nodes.new("ShaderNodeNewGeometry")
    point = in_file(tree, geometry.outputs["Position"], "Point")
    join = tree.nodes.new("ShaderNodeCombineXYZ")
    rows = np.linalg.pinv(matrix_of(item))[:3]
    for socket, row in zip(join.inputs, rows, strict=True):
        dot = add_dot(tree, point, row[:3])
        tree.links.new(add_sum(tree, dot, float(row[3])), socket)
    return join.outputs[0]


def add_group() -> Any:
    """Make the group of nodes that takes the world's coordinates to the file's."""
    group: Any = bpy.data.node_groups.new(GROUP, "ShaderNodeTree")
    group.interface.new_socket("World", in_out="INPUT", socket_type="NodeSocketVector")
    for name in ("Point", "Direction", "World"):
        group.interface.new_socket(name, in_out="OUTPUT", socket_type="NodeSocketVector")
    start, end = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
    parts = group.nodes.new("ShaderNodeSeparateXYZ")
    group.links.new(start.outputs[0], parts.inputs[0])
    back: Any = (0.0, 0.0, 0.0)  # sums of rows, since models are but turned and scaled
    point, direction = (group.nodes.new("ShaderNodeCombineXYZ") for _ in range(2))
    for place, name in enumerate(ROWS):
        row = group.nodes.new("ShaderNodeAttribute")
        row.attribute_type, row.attribute_name = "INSTANCER", name
        dot = add_dot(group, start.outputs[0], row.outputs["Vector"])
        group.links.new(dot, direction.inputs[place])
        group.links.new(add_sum(group, dot, row.outputs["Alpha"]), point.inputs[place])
        back = add_scaled(group, row.outputs["Vector"], parts.outputs[place], back)
    group.links.new(point.outputs[0], end.inputs["Point"])
    for name, vector in (("Direction", direction.outputs[0]), ("World", back)):
        unit = group.nodes.new("ShaderNodeVectorMath")
        unit.operation = "NORMALIZE"
        group.links.new(vector, unit.inputs[0])
        group.links.new(unit.outputs["Vector"], end.inputs[name])
    return group


def add_scaled(tree: Any, vector: Socket, factor: Any, shift: Any) -> Socket:
    """Return a vector times another one, or a number, and shifted; both may be known."""
    node = tree.nodes.new("ShaderNodeVectorMath")
    node.operation = "MULTIPLY_ADD"
    for socket, value in zip(node.inputs, (vector, factor, shift), strict=False):
        feed(tree, socket, value)
    return node.outputs["Vector"]


def add_dot(tree: Any, one: Socket, other: Any) -> Socket:
    """Return the dot product of two vectors, the second of which may be known."""
    node = tree.nodes.new("ShaderNodeVectorMath")
    node.operation = "DOT_PRODUCT"
    tree.links.new(one, node.inputs[0])
    feed(tree, node.inputs[1], other)
    return node.outputs["Value"]


def add_sum(tree: Any, one: Socket, other: Any) -> Socket:
    """Return the sum of two numbers, the second of which may be known."""
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = "ADD"
    tree.links.new(one, node.inputs[0])
    feed(tree, node.inputs[1], other)
    return node.outputs[0]


def feed(tree: Any, socket: Socket, value: Any) -> None:
    """Give an input an output, or what is known."""
    if isinstance(value, bpy.types.NodeSocket):
        tree.links.new(value, socket)
    else:
        socket.default_value = value
