"""How much of the light behind it a material lets straight through, told by nodes of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import bpy

from worker.blender.materials.emission import active_nodes
from worker.blender.materials.moving import follower, moves

UNKNOWN = frozenset(
    {
        "ShaderNodeShaderToRGB",
        "ShaderNodeScript",
        "ShaderNodeUVAlongStroke",
        "ShaderNodeEeveeSpecular",
    }
)
"""Nodes that Cycles leaves out: to it, nothing is linked to an input that one of them leads to."""

Socket = Any
"""A socket of a node; the stubs do not know that most have a value."""
Colour = tuple[float, ...]
Level = Socket | Colour
"""The share that is let through, by colour: known, or told by the socket."""

NOTHING: Colour = (0.0, 0.0, 0.0)
VECTOR = "NodeSocketVector"
CAMERA_RAY = {
    "Is Camera Ray": 1.0,
    "Is Shadow Ray": 0.0,
    "Is Diffuse Ray": 0.0,
    "Is Glossy Ray": 0.0,
    "Is Transmission Ray": 0.0,
}
"""What a Light Path node says of the rays that labels come from."""


class UndecidedError(Exception):
    """There is a node between a material's shaders of which it is not known what it does."""


@dataclass(frozen=True, eq=False)
class Scope:
    """A node tree that takes nodes more, and the group node through which it is seen."""

    tree: Any
    group: Any = None
    around: Scope | None = None
    """Where the group node stands."""
    handed: dict[str, Socket] = field(default_factory=dict)
    """By identifier, levels that come in beside the group's own inputs."""

    def add(self, kind: str, **settings: Any) -> Any:
        """Return a new node."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        return node

    def feed(self, socket: Socket, value: Any) -> None:
        """Give an input of a new node its value, or the output that it comes from."""
        if is_socket(value):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value


def may_let_through(material: bpy.types.Material | bpy.types.World) -> bool:
    """Tell at a glance whether a material may let anything straight through."""
    tree = material.node_tree
    return tree is not None and any(is_clear(node) for node in active_nodes(tree))


def is_clear(node: bpy.types.Node) -> bool:
    """Tell whether a node may let anything straight through."""
    if isinstance(node, bpy.types.ShaderNodeBsdfPrincipled):
        inputs: Any = node.inputs
        alpha = inputs["Alpha"]
        return bool(alpha.is_linked or alpha.default_value < 1.0 or moves(alpha))
    return isinstance(node, bpy.types.ShaderNodeBsdfTransparent)


def level_of(scope: Scope, shader: Socket) -> Level:
    """Return how much is let through by what an input for shaders gets, as Cycles adds it up.

    Raises:
        UndecidedError: Only Cycles knows.
    """
    output = source(shader)
    if output is None:
        return NOTHING
    kind = output.node.bl_idname
    if kind in MAKERS:
        return MAKERS[kind](scope, output)
    if not kind.startswith("ShaderNode"):
        raise UndecidedError(kind)
    return NOTHING


def source(socket: Socket) -> Socket | None:
    """Return the output that an input gets its value from, past reroutes and muted nodes."""
    while links := [link for link in socket.links if link.is_valid and not link.is_muted]:
        output = links[0].from_socket
        node = output.node
        if node.mute:
            inside = [link.from_socket for link in node.internal_links if link.to_socket == output]
            if not inside:
                return None
            socket = inside[0]
        elif node.bl_idname == "NodeReroute":
            socket = node.inputs[0]
        else:
            return None if node.bl_idname in UNKNOWN else output
    return None


def value_of(scope: Scope, socket: Socket) -> Any:
    """Return the value of an input where it is known, else the output that it comes from."""
    output = source(socket)
    if output is None:
        return own_value(socket)
    if output.node.bl_idname == "ShaderNodeLightPath" and output.name in CAMERA_RAY:
        return CAMERA_RAY[output.name]
    if output.node.bl_idname == "NodeGroupInput" and scope.around is not None:
        outer = twin_of(output, scope.group.inputs)
        known = output if outer is None else value_of(scope.around, outer)
        return output if is_socket(known) else known
    return output


def own_value(socket: Socket) -> Any:
    """Return the value of an input that nothing is linked to; an output where it moves."""
    return follower(socket) if moves(socket) else socket.default_value


def is_socket(value: Any) -> bool:
    """Tell whether a value is told by a socket."""
    return isinstance(value, bpy.types.NodeSocket)


def twin_of(socket: Socket, sockets: Any) -> Socket | None:
    """Return the one of some sockets that stands for the same of a group as `socket`."""
    return next((each for each in sockets if each.identifier == socket.identifier), None)


def as_number(value: Any) -> float:
    """Return a known value as a number."""
    return float(value) if isinstance(value, int | float) else sum(tuple(value)[:3]) / 3


def as_colour(value: Any) -> Level:
    """Return a known value as a colour; a socket stays what it is."""
    if is_socket(value):
        return value
    return (float(value),) * 3 if isinstance(value, int | float) else tuple(value)[:3]


def through_transparent(scope: Scope, output: Socket) -> Level:
    """Return what a Transparent BSDF lets through: its colour."""
    return as_colour(value_of(scope, output.node.inputs["Color"]))


def through_principled(scope: Scope, output: Socket) -> Level:
    """Return what a Principled BSDF lets through: what its alpha leaves."""
    alpha = value_of(scope, output.node.inputs["Alpha"])
    if not is_socket(alpha):
        return as_colour(1.0 - within(as_number(alpha)))
    rest = scope.add("ShaderNodeMath", operation="SUBTRACT", use_clamp=True)
    scope.feed(rest.inputs[0], 1.0)
    scope.feed(rest.inputs[1], alpha)
    return rest.outputs[0]


def through_mix(scope: Scope, output: Socket) -> Level:
    """Return what a Mix Shader lets through."""
    factor, one, other = output.node.inputs
    share = value_of(scope, factor)
    if not is_socket(share):
        share = within(as_number(share))
        if share in (0.0, 1.0):
            return level_of(scope, other if share else one)
    levels = level_of(scope, one), level_of(scope, other)
    if levels == (NOTHING, NOTHING):
        return NOTHING
    node = scope.add("ShaderNodeMix", data_type="VECTOR")
    by_name = {each.identifier: each for each in (*node.inputs, *node.outputs)}
    for name, value in zip(("Factor_Float", "A_Vector", "B_Vector"), (share, *levels), strict=True):
        scope.feed(by_name[name], value)
    return by_name["Result_Vector"]


def through_sum(scope: Scope, output: Socket) -> Level:
    """Return what an Add Shader lets through."""
    one, other = (level_of(scope, shader) for shader in output.node.inputs)
    if NOTHING in (one, other):
        return other if one == NOTHING else one
    node = scope.add("ShaderNodeVectorMath", operation="ADD")
    scope.feed(node.inputs[0], one)
    scope.feed(node.inputs[1], other)
    return node.outputs[0]


def through_switch(scope: Scope, output: Socket) -> Level:
    """Return what a Menu Switch lets through, whose choice is known."""
    menu, *shaders = output.node.inputs
    choice = value_of(scope, menu)
    for item, shader in zip(output.node.enum_items, shaders, strict=False):
        if item.name == choice and output.type == "SHADER":
            return level_of(scope, shader)
    raise UndecidedError(output.node.bl_idname)


def through_group(scope: Scope, output: Socket) -> Level:
    """Return what a group lets through, told by a copy of it with one output more."""
    group = output.node
    if group.node_tree is None:
        return NOTHING
    inner = Scope(group.node_tree.copy(), group, scope)
    ends = [node for node in inner.tree.nodes if node.bl_idname == "NodeGroupOutput"]
    end: Any = next((node for node in ends if node.is_active_output), None)
    shader = twin_of(output, end.inputs) if end is not None else None
    level = level_of(inner, shader) if shader is not None else NOTHING
    if not is_socket(level):
        return level
    told = inner.tree.interface.new_socket("let through", in_out="OUTPUT", socket_type=VECTOR)
    inner.tree.links.new(level, twin_of(told, end.inputs))
    copy = scope.add(group.bl_idname, node_tree=inner.tree)
    for socket, value in inputs_of(group, copy, inner):
        scope.feed(socket, value)
    return twin_of(told, copy.outputs)


def inputs_of(group: Any, copy: Any, inner: Scope) -> Iterator[tuple[Socket, Any]]:
    """Yield each input of a group's copy, with what it is to get."""
    for socket in copy.inputs:
        original = twin_of(socket, group.inputs)
        if original is None:
            yield socket, inner.handed[socket.identifier]
        elif (output := source(original)) is not None:
            yield socket, output
        elif hasattr(original, "default_value"):
            yield socket, own_value(original)


def through_input(scope: Scope, output: Socket) -> Level:
    """Return what is let through by a shader that is handed into a group."""
    outer = twin_of(output, scope.group.inputs) if scope.around is not None else None
    if scope.around is None or outer is None:
        return NOTHING
    level = level_of(scope.around, outer)
    if not is_socket(level):
        return level
    node = output.node
    told = scope.tree.interface.new_socket("let through", in_out="INPUT", socket_type=VECTOR)
    scope.handed[told.identifier] = level
    return twin_of(told, node.outputs)


def within(share: float) -> float:
    """Return a share, held within 0..1."""
    return min(1.0, max(0.0, share))


MAKERS: dict[str, Callable[[Scope, Socket], Level]] = {
    "ShaderNodeBsdfTransparent": through_transparent,
    "ShaderNodeBsdfPrincipled": through_principled,
    "ShaderNodeMixShader": through_mix,
    "ShaderNodeAddShader": through_sum,
    "ShaderNodeGroup": through_group,
    "GeometryNodeMenuSwitch": through_switch,
    "NodeGroupInput": through_input,
}
"""By kind of node; other shaders let nothing straight through."""
