"""Nodes that play what a modifier did: its shapes as they were baked, between frames too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy

from worker.blender import simulations

SHAPES = "viewfarm shapes"
"""Name of the modifier and its nodes."""
PAINTED = {"PAINT": ("FLOAT_COLOR", "CORNER"), "WEIGHT": ("FLOAT", "POINT")}
"""Kind of painted surface -> type and domain of what it writes."""


def add_keeper(item: Any, modifier: Any) -> Any:
    """Add the nodes that keep the shape that a modifier gives, right after it."""
    keeper = item.modifiers.new(SHAPES, "NODES")
    keeper.node_group = keeping_nodes(attributes_of(modifier))
    stack = item.modifiers
    stack.move(stack.find(keeper.name), stack.find(modifier.name) + 1)
    return stack[keeper.name]


def attributes_of(modifier: Any) -> list[tuple[str, str, str]]:
    """Return name, type and domain of what a modifier writes beside where points are."""
    if modifier.type != "DYNAMIC_PAINT":
        return []
    found = []
    for surface in simulations.painted(modifier):
        names = ((surface.output_name_a, surface.use_output_a),
                 (surface.output_name_b, surface.use_output_b))  # fmt: skip
        if surface.surface_type in PAINTED:
            kind = PAINTED[surface.surface_type]
            found += [(name, *kind) for name, used in names if used and name]
    return found


def keeping_nodes(attributes: Iterable[tuple[str, str, str]]) -> Any:
    """Return nodes whose zone notes the shape of each frame; its points go where they were."""
    tree: Any = bpy.data.node_groups.new(SHAPES, "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    begin, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    first = tree.nodes.new("GeometryNodeSimulationInput")
    last = tree.nodes.new("GeometryNodeSimulationOutput")
    first.pair_with_output(last)
    for node in (first, last):
        tree.links.new(begin.outputs[0], node.inputs["Geometry"])
    noted = last.outputs["Geometry"]
    place = tree.nodes.new("GeometryNodeSetPosition")
    tree.links.new(begin.outputs[0], place.inputs["Geometry"])
    position = tree.nodes.new("GeometryNodeInputPosition").outputs[0]
    value = sampled(tree, noted, position, "FLOAT_VECTOR", "POINT")
    tree.links.new(value, place.inputs["Position"])
    shape = place.outputs[0]
    for name, kind, domain in attributes:
        read = tree.nodes.new("GeometryNodeInputNamedAttribute")
        read.data_type, read.inputs["Name"].default_value = kind, name
        store = tree.nodes.new("GeometryNodeStoreNamedAttribute")
        store.data_type, store.domain, store.inputs["Name"].default_value = kind, domain, name
        tree.links.new(shape, store.inputs["Geometry"])
        value = sampled(tree, noted, read.outputs["Attribute"], kind, domain)
        tree.links.new(value, store.inputs["Value"])
        shape = store.outputs[0]
    tree.links.new(shape, end.inputs[0])
    return tree


def sampled(tree: Any, geometry: Any, value: Any, kind: str, domain: str) -> Any:
    """Return the value of each element of another geometry, by its place."""
    sample = tree.nodes.new("GeometryNodeSampleIndex")
    sample.data_type, sample.domain = kind, domain
    tree.links.new(geometry, sample.inputs["Geometry"])
    tree.links.new(value, sample.inputs["Value"])
    tree.links.new(tree.nodes.new("GeometryNodeInputIndex").outputs[0], sample.inputs["Index"])
    return sample.outputs[0]
