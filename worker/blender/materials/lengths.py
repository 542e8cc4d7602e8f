"""Lengths in materials and lamps: longer where a model is shown larger than its file has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import bpy

from worker.blender.materials.in_file import active_trees, feed
from worker.blender.materials.moving import follower, moves

Socket = Any
"""Its stubs know no sockets by their kind."""
SIZE = "viewfarm size"
LENGTH, PER_LENGTH = ("MULTIPLY", 1), ("DIVIDE", 1)
AREA, PER_AREA = ("MULTIPLY", 2), ("DIVIDE", 2)
"""What is done to a number with the size of a unit of the file in the scene, how many times."""
Way = tuple[str, int]

INPUTS: dict[str, dict[str, Way]] = {
    "ShaderNodeAmbientOcclusion": {"Distance": LENGTH},
    "ShaderNodeBevel": {"Radius": LENGTH},
    "ShaderNodeBsdfPrincipled": {"Subsurface Scale": LENGTH},
    "ShaderNodeBump": {"Distance": LENGTH},
    "ShaderNodeDisplacement": {"Scale": LENGTH},
    "ShaderNodeEmission": {"Strength": PER_LENGTH},
    "ShaderNodeLightFalloff": {"Smooth": AREA},
    "ShaderNodeSubsurfaceScattering": {"Scale": LENGTH},
    "ShaderNodeVectorDisplacement": {"Scale": LENGTH},
    "ShaderNodeVolumeAbsorption": {"Density": PER_LENGTH},
    "ShaderNodeVolumeCoefficients": {
        "Absorption Coefficients": PER_LENGTH,
        "Scatter Coefficients": PER_LENGTH,
        "Emission Coefficients": PER_LENGTH,
    },
    "ShaderNodeVolumePrincipled": {
        "Density": PER_LENGTH,
        "Emission Strength": PER_LENGTH,
        "Blackbody Intensity": PER_LENGTH,
    },
    "ShaderNodeVolumeScatter": {"Density": PER_LENGTH},
    "ShaderNodeWireframe": {"Size": LENGTH},
}
"""What nodes take for lengths of the scene, by kind and name."""
OUTPUTS: dict[tuple[str, str], Way] = {
    ("ShaderNodeCameraData", "View Distance"): PER_LENGTH,
    ("ShaderNodeCameraData", "View Z Depth"): PER_LENGTH,
    ("ShaderNodeLightFalloff", "Constant"): PER_AREA,
    ("ShaderNodeLightFalloff", "Linear"): PER_LENGTH,
    ("ShaderNodeLightPath", "Ray Length"): PER_LENGTH,
    ("ShaderNodeTexCoord", "Camera"): PER_LENGTH,
}
"""What nodes give in lengths of the scene."""
OF_OBJECT = frozenset({"ShaderNodeDisplacement", "ShaderNodeVectorDisplacement"})
"""Nodes that mean lengths of the object, unless they say that of the world."""


class Lengths(NamedTuple):
    """The lengths in the materials of a model."""

    tree: Any = None
    """Holds the size of a unit of the file; None: there are no lengths."""

    def scale(self, size: float) -> None:
        """Make lengths as long as a unit of the file is in the scene."""
        if self.tree is None:
            return
        value = self.tree.nodes[SIZE].outputs[0]
        if value.default_value != size:
            value.default_value = size


def find_lengths(owners: Iterable[bpy.types.Material | bpy.types.Light]) -> Lengths:
    """Return the lengths in nodes of materials or lamps, as in their file until they are scaled."""
    tree: Any = None
    for each in active_trees(owners):
        sockets, links = lengths_into(each), lengths_from(each)
        if not sockets and not links:
            continue
        tree = tree or add_tree()
        size = each.nodes.new("ShaderNodeGroup")
        size.node_tree = tree
        for socket, way in sockets:
            put_between(each, source_of(socket), socket, way, size.outputs[0])
        for link in links:
            way = OUTPUTS[link.from_node.bl_idname, link.from_socket.name]
            put_between(each, link.from_socket, link.to_socket, way, size.outputs[0])
    return Lengths(tree)


def lengths_into(tree: Any) -> list[tuple[Socket, Way]]:
    """Return the inputs that take lengths, and what is done to them."""
    return [
        (node.inputs[name], way)
        for node in tree.nodes
        if means_the_scene(node)
        for name, way in INPUTS.get(node.bl_idname, {}).items()
        if name in node.inputs
    ]


def lengths_from(tree: Any) -> list[Any]:
    """Return the links from outputs that give lengths."""
    return [
        link
        for link in tree.links
        if not link.is_muted and (link.from_node.bl_idname, link.from_socket.name) in OUTPUTS
    ]


def means_the_scene(node: Any) -> bool:
    """Tell whether the lengths of a node count, and are lengths of the scene."""
    if node.bl_idname in OF_OBJECT:
        return bool(node.space == "WORLD")
    if node.bl_idname == "ShaderNodeEmission":
        return ends_of(node) == {"Volume"}
    if node.bl_idname == "ShaderNodeWireframe":
        return not node.use_pixel_size
    if node.bl_idname == "ShaderNodeBsdfPrincipled":
        weight = node.inputs["Subsurface Weight"]
        return bool(weight.is_linked or weight.default_value > 0.0 or moves(weight))
    return True


def ends_of(node: Any) -> set[str]:
    """Return the names of the inputs in which a shader ends, past what mixes it with others."""
    found: set[str] = set()
    for link in node.outputs[0].links:
        is_joint = link.to_node.bl_idname in ("ShaderNodeMixShader", "ShaderNodeAddShader")
        found |= ends_of(link.to_node) if is_joint else {link.to_socket.name}
    return found


def source_of(socket: Socket) -> Any:
    """Return the output that feeds an input, or its own value."""
    if socket.is_linked:
        return socket.links[0].from_socket
    if moves(socket):
        return follower(socket)
    value = socket.default_value
    return value if isinstance(value, float) else tuple(value)


def put_between(tree: Any, value: Any, to: Socket, way: Way, size: Socket) -> None:
    """Let an input get a value times, or by, a size."""
    operation, times = way
    for _ in range(times):
        node = tree.nodes.new("ShaderNodeMath" if to.type == "VALUE" else "ShaderNodeVectorMath")
        node.operation = operation
        feed(tree, node.inputs[0], value)
        tree.links.new(size, node.inputs[1])
        value = node.outputs[0]
    tree.links.new(value, to)


def add_tree() -> Any:
    """Make the group of nodes that holds a size."""
    tree: Any = bpy.data.node_groups.new(SIZE, "ShaderNodeTree")
    tree.interface.new_socket("Size", in_out="OUTPUT", socket_type="NodeSocketFloat")
    value, end = tree.nodes.new("ShaderNodeValue"), tree.nodes.new("NodeGroupOutput")
    value.name = SIZE
    value.outputs[0].default_value = 1.0
    tree.links.new(value.outputs[0], end.inputs[0])
    return tree
