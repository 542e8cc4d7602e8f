"""Meshes from profiles and paths."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import bmesh
import bpy
from mathutils import Matrix, Quaternion, Vector

Point = tuple[float, float, float]


class Ring(NamedTuple):
    """A circle of a turned shape, and the material from here to the next."""

    radius: float
    height: float
    material: int = 0


def add_mesh(
    name: str,
    mesh: bmesh.types.BMesh,
    materials: Sequence[bpy.types.Material],
    *,
    subdivisions: int = 0,
    edges_from_deg: float | None = None,
) -> None:
    """Turn `mesh` into a smooth object of the first scene, and free it.

    Args:
        name: Of the object.
        mesh: Its mesh.
        materials: By the faces' numbers.
        subdivisions: Times that it is made finer.
        edges_from_deg: Faces that meet at this angle or more have an edge between them.
    """
    bmesh.ops.recalc_face_normals(mesh, faces=mesh.faces[:])
    for face in mesh.faces:
        face.smooth = True
    data = bpy.data.meshes.new(name)
    mesh.to_mesh(data)
    mesh.free()
    if edges_from_deg is not None:
        data.set_sharp_from_angle(angle=math.radians(edges_from_deg))
    for material in materials:
        data.materials.append(material)
    thing = bpy.data.objects.new(name, data)
    bpy.data.scenes[0].collection.objects.link(thing)
    if subdivisions:
        modifier: Any = thing.modifiers.new("subdivision", "SUBSURF")
        modifier.levels = modifier.render_levels = subdivisions


def lathe(mesh: bmesh.types.BMesh, profile: Sequence[Ring], *, steps: int) -> None:
    """Turn a profile around +Z; a radius of 0 closes it."""
    rings = [turn(mesh, ring, steps) for ring in profile]
    for ring, lower, upper in zip(profile, rings, rings[1:], strict=False):
        for step in range(steps):
            corners = [around(lower, step), around(lower, step + 1)]
            corners += [around(upper, step + 1), around(upper, step)]
            face = mesh.faces.new(list(dict.fromkeys(corners)))  # a pole is one corner, not two
            face.material_index = ring.material


def turn(mesh: bmesh.types.BMesh, ring: Ring, steps: int) -> list[bmesh.types.BMVert]:
    """Add the vertices of one ring."""
    if ring.radius == 0:
        return [mesh.verts.new((0, 0, ring.height))]
    angles = [2 * math.pi * step / steps for step in range(steps)]
    return [
        mesh.verts.new((ring.radius * math.cos(angle), ring.radius * math.sin(angle), ring.height))
        for angle in angles
    ]


def add_vertex(mesh: bmesh.types.BMesh, point: Vector) -> bmesh.types.BMVert:
    """Add one vertex."""
    return mesh.verts.new((point.x, point.y, point.z))


def around(ring: list[bmesh.types.BMVert], step: int) -> bmesh.types.BMVert:
    """Return the vertex at `step`, counted around the ring."""
    return ring[step % len(ring)]


def tube(
    mesh: bmesh.types.BMesh,
    path: Sequence[Vector],
    section: Sequence[Vector],
    *,
    closed: bool = False,
) -> None:
    """Lay a tube of the given cross-section along a path."""
    rings = [
        [add_vertex(mesh, place @ corner) for corner in section]
        for place in path_frames(path, closed=closed)
    ]
    skin(mesh, [*rings, rings[0]] if closed else rings)
    if not closed:
        mesh.faces.new(rings[0][::-1])
        mesh.faces.new(rings[-1])


def skin(mesh: bmesh.types.BMesh, rings: Sequence[list[bmesh.types.BMVert]]) -> None:
    """Join rings of equally many vertices by a skin of quads."""
    for lower, upper in itertools.pairwise(rings):
        for side in range(len(lower)):
            mesh.faces.new(
                [
                    around(lower, side),
                    around(lower, side + 1),
                    around(upper, side + 1),
                    around(upper, side),
                ]
            )


def round_section(radius: float, *, sides: int, flatness: float = 1.0) -> list[Vector]:
    """Return a cross-section for a tube, in its XY plane; `flatness` squeezes its Y."""
    angles = [2 * math.pi * side / sides for side in range(sides)]
    return [
        Vector((radius * math.cos(angle), radius * flatness * math.sin(angle), 0))
        for angle in angles
    ]


def path_frames(path: Sequence[Vector], *, closed: bool) -> list[Matrix]:
    """Return a frame at each point, +Z along the path, that turns no more than the path does."""
    tangents = [tangent(path, index, closed=closed) for index in range(len(path))]
    rotation = tangents[0].to_track_quat("Z", "Y")
    frames = []
    before = tangents[0]
    for point, direction in zip(path, tangents, strict=True):
        turned: Quaternion = before.rotation_difference(direction)
        rotation = turned @ rotation
        frames.append(
            Matrix.Translation((point.x, point.y, point.z)) @ rotation.to_matrix().to_4x4()
        )
        before = direction
    return frames


def tangent(path: Sequence[Vector], index: int, *, closed: bool) -> Vector:
    """Return the direction of a path at one of its points."""
    last = len(path) - 1
    if closed:
        return (path[(index + 1) % len(path)] - path[index - 1]).normalized()
    return (path[min(index + 1, last)] - path[max(index - 1, 0)]).normalized()


def smooth_path(points: Sequence[Point], *, steps: int, closed: bool = False) -> list[Vector]:
    """Return a curve through `points` (Catmull-Rom), with `steps` pieces between each two."""
    knots = [Vector(point) for point in points]
    count = len(knots)
    if not closed:
        knots = [2 * knots[0] - knots[1], *knots, 2 * knots[-1] - knots[-2]]
    spans = range(count) if closed else range(1, count)
    curve = [
        catmull_rom([knots[(span + offset) % len(knots)] for offset in (-1, 0, 1, 2)], step / steps)
        for span in spans
        for step in range(steps)
    ]
    return curve if closed else [*curve, knots[-2]]


def catmull_rom(knots: Sequence[Vector], share: float) -> Vector:
    """Return the point `share` of the way from the second knot to the third."""
    before, start, end, after = knots
    return 0.5 * (
        2 * start
        + (end - before) * share
        + (2 * before - 5 * start + 4 * end - after) * share**2
        + (3 * start - before - 3 * end + after) * share**3
    )


def smooth_profile(rings: Sequence[Ring], *, steps: int) -> list[Ring]:
    """Return a profile through `rings` without corners; it starts and ends as they do."""
    curve = smooth_path([(ring.radius, 0, ring.height) for ring in rings], steps=steps)
    materials = [ring.material for ring in rings for _ in range(steps)]
    return [
        Ring(max(point.x, 0.0), point.z, material)
        for point, material in zip(curve, materials, strict=False)
    ]
