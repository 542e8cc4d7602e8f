"""Hashes of what Blender evaluated: geometry, particles, and the values of curves and drivers."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import bpy
import numpy as np

from worker.blender.curves import actions_of, curves_of
from worker.blender.materials.moving import FOLLOWER
from worker.blender.materials.trees import trees_of

Evaluated = Any
"""What a depsgraph holds; its stubs promise less than Blender has."""
FILMS = {"SEQUENCE", "MOVIE"}
"""Kinds of pictures that change with time."""
FIELDS: dict[str, tuple[str, Any, int]] = {
    "BOOLEAN": ("value", np.bool_, 1),
    "BYTE_COLOR": ("color", np.float32, 4),
    "FLOAT": ("value", np.float32, 1),
    "FLOAT2": ("vector", np.float32, 2),
    "FLOAT4": ("vector", np.float32, 4),
    "FLOAT4X4": ("value", np.float32, 16),
    "FLOAT_COLOR": ("color", np.float32, 4),
    "FLOAT_VECTOR": ("vector", np.float32, 3),
    "INT": ("value", np.int32, 1),
    "INT16_2D": ("value", np.int32, 2),
    "INT32_2D": ("value", np.int32, 2),
    "INT8": ("value", np.int32, 1),
    "QUATERNION": ("value", np.float32, 4),
}
"""Kind of an attribute -> where its numbers are, what they are, and how many each point has."""
UNSEEN = (".select", ".uv_select", ".hide", ".edge_verts", ".corner_edge")
"""How the names of attributes begin that no render shows, or that follow from others."""
UNRENDERED = {"NONE", "HALO"}
"""Ways to show particles that Cycles does not know."""


class Hash:
    """Of numbers, in turn."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, *values: object) -> None:
        """Take values: arrays by their bytes, others as they are written."""
        for value in values:
            data = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
            self._sum = zlib.crc32(data, self._sum)

    def __str__(self) -> str:
        return f"{self._sum:08x}"


def hashed(*values: object) -> str:
    """Return a hash of values."""
    total = Hash()
    total.add(*values)
    return str(total)


def shows(now: Evaluated) -> bool:
    """Tell whether an evaluated object has anything that is rendered, at this moment."""
    if any(each.settings.render_type not in UNRENDERED for each in now.particle_systems):
        return True
    found = now.evaluated_geometry()
    if found.mesh is not None and len(found.mesh.polygons):
        return True
    if found.curves is not None and now.type != "CURVE":  # which Cycles renders by its faces alone
        return True
    parts = (found.pointcloud, found.volume, found.instances_pointcloud())
    return any(part is not None for part in parts)


def add_geometry(total: Hash, found: Any) -> None:
    """Take all that a geometry set shows: points, faces, attributes, instances and what these are.

    Objects that it shows many times are left out: these speak for themselves.
    """
    if found.mesh is not None:
        starts = np.empty(len(found.mesh.polygons), np.int32)
        found.mesh.polygons.foreach_get("loop_start", starts)
        total.add(starts)
    for part in (found.mesh, found.curves, found.pointcloud):
        if part is not None:
            add_attributes(total, part.attributes)
    if (copies := found.instances_pointcloud()) is not None:  # whose places Blender leaves unset
        add_attributes(total, [each for each in copies.attributes if each.name != "position"])
    if found.volume is not None:
        total.add(found.volume.grids.frame, len(found.volume.grids))
    for shown in found.instance_references():
        if isinstance(shown, bpy.types.GeometrySet):
            add_geometry(total, shown)


def add_attributes(total: Hash, attributes: Iterable[Any]) -> None:
    """Take the attributes of geometry, by name; where its points are is one of them."""
    for attribute in sorted(attributes, key=lambda each: str(each.name)):
        if attribute.data_type in FIELDS and not attribute.name.startswith(UNSEEN):
            field, kind, width = FIELDS[attribute.data_type]
            values = np.empty(len(attribute.data) * width, kind)
            attribute.data.foreach_get(field, values)
            total.add(attribute.name, values)


def add_particles(total: Hash, now: Evaluated, depsgraph: Any) -> None:
    """Take the particles of an evaluated object, as far as they are rendered."""
    for each in now.particle_systems:
        settings = each.settings
        if settings.render_type in UNRENDERED:
            continue
        total.add(*values_of(settings.original, depsgraph))
        if settings.type == "HAIR":  # it follows from the mesh and from its settings
            continue
        for name, width in (("location", 3), ("rotation", 4), ("size", 1)):
            values = np.empty(len(each.particles) * width, np.float32)
            each.particles.foreach_get(name, values)
            total.add(values)
        total.add([particle.alive_state for particle in each.particles])


def values_of(block: bpy.types.ID, depsgraph: Any) -> Iterator[object]:
    """Yield what curves and drivers make of a data-block and its nodes now, and of which films.

    What labels have added to its nodes is left out.
    """
    for owner, now in owners(block, block.evaluated_get(depsgraph), set()):
        yield from values_by_path(now, paths_of(owner))
        if isinstance(owner, bpy.types.NodeTree):
            for node in owner.nodes:
                if (made := now.nodes.get(node.name)) is not None:
                    yield from values_of_node(made, depsgraph)


def values_by_path(now: Any, paths: set[str]) -> Iterator[object]:
    """Yield paths and what is there, of those that lead anywhere."""
    for path in sorted(paths):
        try:
            value = now.path_resolve(path)
        except ValueError:  # a curve of something that is gone
            continue
        is_many = hasattr(value, "__len__") and not isinstance(value, str)
        yield path, tuple(value) if is_many else value


def values_of_node(node: Any, depsgraph: Any) -> Iterator[object]:
    """Yield the frame of a node's film, and where the object stands by which it takes places."""
    image = getattr(node, "image", None)
    if image is not None and image.source in FILMS:
        yield node.name, node.image_user.frame_current
    if isinstance(node, bpy.types.ShaderNodeTexCoord) and node.object is not None:
        yield node.name, rows_of(node.object.evaluated_get(depsgraph).matrix_world)


def rows_of(matrix: Any) -> tuple[tuple[float, ...], ...]:
    """Return the rows of a matrix."""
    return tuple(tuple(row) for row in matrix)


def owners(block: Any, now: Any, met: set[int]) -> Iterator[tuple[Any, Any]]:
    """Yield a data-block, its nodes and the groups of these, each with what Blender made of it."""
    yield block, now
    tree = block if isinstance(block, bpy.types.NodeTree) else getattr(block, "node_tree", None)
    if tree is None or tree.session_uid in met:
        return
    met.add(tree.session_uid)
    made = now if tree is block else now.node_tree
    if tree is not block:
        yield tree, made
    for node in tree.nodes:
        group = getattr(node, "node_tree", None)
        now_node = made.nodes.get(node.name)
        if group is not None and now_node is not None and group.session_uid not in met:
            yield from owners(group, now_node.node_tree, met)


def paths_of(owner: Any) -> set[str]:
    """Return which values of a data-block curves or drivers set."""
    if owner.animation_data is None:
        return set()
    curves = [curve for action, slot in actions_of(owner) for curve in curves_of(action, slot)]
    paths = {curve.data_path for curve in (*curves, *owner.animation_data.drivers)}
    return {path for path in paths if FOLLOWER not in path}


def has_films(block: bpy.types.ID) -> bool:
    """Tell whether the nodes of a data-block show a film, of which Blender's graph says nothing."""
    images = (getattr(node, "image", None) for node in nodes_of(block))
    return any(image is not None and image.source in FILMS for image in images)


def nodes_of(block: Any) -> Iterator[Any]:
    """Yield the nodes of a data-block, in groups too."""
    for tree in trees_of([block]):
        yield from tree.nodes
