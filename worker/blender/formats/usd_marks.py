"""The surfaces of USD meshes after their import: subdivided, with holes, as marks of theirs say."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import bpy

from worker.blender.formats.subdivision import faces_of, finest_level, left_out, subdivide

CAGE, HOLE, MOMENTS = "viewfarm_cage", "viewfarm_hole", "viewfarm_moments"
"""Marks that come through the importer: of meshes to be subdivided, of faces that are holes, and of
what comes and goes over time."""


def finish(objects: Iterable[bpy.types.Object]) -> tuple[str, ...]:
    """Give marked meshes their surface; return what had to be left out."""
    objects = list(objects)
    for item in objects:
        come_and_go(item)
    items: list[Any] = [item for item in objects if isinstance(item.data, bpy.types.Mesh)]
    cages = {item.data for item in items if CAGE in item.data}
    faces = faces_of(item for item in items if item.data in cages)
    levels = finest_level(faces)
    for item in items:
        subdivide(item, levels if item.data in cages else 0)
        cut_holes(item)
    for mesh in cages:
        del mesh[CAGE]
    return () if levels else left_out(faces)


def come_and_go(item: Any) -> None:
    """Hide an object at the moments at which its file does."""
    owners = (each for each in (item, item.data) if each is not None and MOMENTS in each)
    for owner in owners:
        moments = json.loads(owner[MOMENTS])
        for time, hidden in moments:
            item.hide_render = bool(hidden)
            item.keyframe_insert("hide_render", frame=time)
        item.hide_render = False  # it is to be taken along
        return


def cut_holes(item: Any) -> None:
    """Take the faces that are holes out of a mesh, after its subdivision: they bend it."""
    if HOLE in item.data.attributes:
        modifier = item.modifiers.new(HOLE, "NODES")
        modifier.node_group = bpy.data.node_groups.get(HOLE) or holes_tree()


def holes_tree() -> bpy.types.NodeTree:
    """Return geometry nodes that delete the marked faces."""
    tree: Any = bpy.data.node_groups.new(HOLE, "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    source, marked, delete, result = map(
        tree.nodes.new,
        (
            "NodeGroupInput",
            "GeometryNodeInputNamedAttribute",
            "GeometryNodeDeleteGeometry",
            "NodeGroupOutput",
        ),
    )
    marked.data_type, delete.domain = "BOOLEAN", "FACE"
    marked.inputs["Name"].default_value = HOLE
    tree.links.new(source.outputs[0], delete.inputs["Geometry"])
    tree.links.new(marked.outputs["Attribute"], delete.inputs["Selection"])
    tree.links.new(delete.outputs[0], result.inputs[0])
    made: bpy.types.NodeTree = tree
    return made
