"""Whether a material gives light of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import bpy

from worker.blender.materials.moving import moves


def any_shines(materials: Iterable[bpy.types.Material]) -> bool:
    """Tell whether any of these materials emits light."""
    return any(shines(material) for material in materials)


def shines(material: bpy.types.Material) -> bool:
    """Tell whether a material emits; in doubt, as behind a link, yes."""
    tree = material.node_tree
    return tree is not None and any(emits(node) for node in active_nodes(tree))


def only_shines(material: bpy.types.Material) -> bool:
    """Tell whether a material's surface is an Emission node and nothing else."""
    outputs = (
        [node for node in material.node_tree.nodes if is_output(node)]
        if (material.node_tree is not None)
        else []
    )
    links = [link for node in outputs for link in node.inputs["Surface"].links or ()]
    return bool(links) and all(
        isinstance(link.from_node, bpy.types.ShaderNodeEmission) for link in links
    )


def active_nodes(tree: bpy.types.NodeTree) -> Iterator[bpy.types.Node]:
    """Yield the nodes that lead to the tree's output, and those inside of their groups."""
    waiting = [node for node in tree.nodes if is_output(node)]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, bpy.types.ShaderNodeGroup) and node.node_tree is not None:
            yield from active_nodes(node.node_tree)
        for socket in node.inputs:
            for link in socket.links or ():
                before = link.from_node
                if before is None or link.is_muted or not link.is_valid or before in seen:
                    continue
                seen.add(before)
                waiting.append(before)


def is_output(node: bpy.types.Node) -> bool:
    """Tell whether Cycles starts from this node."""
    ends = (
        bpy.types.ShaderNodeOutputMaterial
        | bpy.types.ShaderNodeOutputWorld
        | bpy.types.ShaderNodeOutputLight
    )
    if isinstance(node, ends):
        return node.is_active_output and node.target in {"ALL", "CYCLES"}
    return isinstance(node, bpy.types.NodeGroupOutput) and node.is_active_output


def emits(node: bpy.types.Node) -> bool:
    """Tell whether a node adds light."""
    if node.mute:
        return False
    if isinstance(node, bpy.types.ShaderNodeEmission):
        return positive(node, "Strength") and coloured(node, "Color")
    if isinstance(node, bpy.types.ShaderNodeBsdfPrincipled):
        return positive(node, "Emission Strength") and coloured(node, "Emission Color")
    if isinstance(node, bpy.types.ShaderNodeVolumePrincipled):
        glows = positive(node, "Emission Strength") and coloured(node, "Emission Color")
        return glows or positive(node, "Blackbody Intensity")
    if isinstance(node, bpy.types.ShaderNodeVolumeCoefficients):
        return coloured(node, "Emission Coefficients")
    return False


def positive(node: bpy.types.Node, name: str) -> bool:
    """Tell whether a number socket is linked or above zero."""
    socket = node.inputs.get(name)
    return socket is not None and bool(
        socket.is_linked or socket.default_value > 0.0 or moves(socket)
    )


def coloured(node: bpy.types.Node, name: str) -> bool:
    """Tell whether a colour socket is linked or not black."""
    socket = node.inputs.get(name)
    if socket is None:
        return False
    is_lit = any(socket.default_value[part] > 0.0 for part in range(3))
    return bool(socket.is_linked or is_lit or moves(socket))
