"""Points on surfaces that are carried by the meshes which the renderer gets, frame by frame."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.projection import project, rays
from farm.spec.record import CameraRecord, OrthographicRecord
from worker.blender.materials.transparency import may_let_through
from worker.blender.models.measure import ShownObject, has_area
from worker.bounds import transformed
from worker.points.first_hits import Aims, Hits, Indices, Numbers, aims, weights_of
from worker.points.followed import Anchors, Followed, Key, Tracking, in_camera

SKIN = 1e-4
"""Share of the way to a point by which something must be nearer to hide it."""
TRIES = 4
"""Rays for each point that is wanted: some meet nothing that could be followed."""


class Mesh(NamedTuple):
    """The geometry of an evaluated object."""

    points: Numbers
    """(V, 3), in its own coordinates."""
    triangles: Indices
    """(T, 3)."""
    solid: NDArray[np.bool_]
    """(T,): nothing is seen through it."""
    box: Numbers
    """(8, 3), corners of the box around them."""
    shape: int
    """As long as it is the same, its points can be followed."""


class Surface(NamedTuple):
    """A mesh where it stands in the scene."""

    key: Key
    mesh: Mesh
    matrix: Numbers
    """(4, 4), world from mesh."""
    followed: bool
    """It is of the picture, rather than a hole in it."""

    def points(self) -> Numbers:
        """Return its points (V, 3) in the world."""
        return transformed(self.mesh.points, self.matrix)

    def points_of(self, corners: Indices) -> Numbers:
        """Return some of its points (..., 3) in the world."""
        return transformed(self.mesh.points[corners], self.matrix)


class Eye(NamedTuple):
    """What sees a frame."""

    camera: CameraRecord
    size: tuple[int, int]
    """(width, height), pixels."""

    def aims(self, points: Numbers, near: float) -> Aims:
        """Return its rays through points (N, 3) in its frame."""
        parallel = isinstance(self.camera.lens, OrthographicRecord)
        return aims(points, near, parallel=parallel)

    def rays(self, chance: np.random.Generator, count: int) -> Numbers:
        """Return points (N, 3) in its frame, on rays of pixels' centres that are drawn evenly."""
        width, height = self.size
        looked = rays(self.camera, self.size)
        x, y = chance.integers(width, size=count), chance.integers(height, size=count)
        points = looked.origins[y, x] + looked.directions[y, x]
        return points[np.isfinite(points).all(axis=1)]


def choose(
    depsgraph: bpy.types.Depsgraph, eye: Eye, count: int, chance: np.random.Generator
) -> Anchors:
    """Return points of what is seen now, evenly spread over the picture.

    Args:
        depsgraph: Of the render.
        eye: What sees it.
        count: How many points, at most: where nothing is seen there are none.
        chance: What they are drawn from.
    """
    shown = tuple(surfaces(depsgraph))
    near, far = clip_of(depsgraph)
    looked = eye.aims(eye.rays(chance, TRIES * count), near)
    hits = looked.nothing()
    look(looked, hits, shown, eye)
    kept = [
        place
        for place in np.flatnonzero((hits.surface >= 0) & (hits.depth < far)).tolist()
        if shown[hits.surface[place]].followed
    ]
    return anchored(shown, looked, hits, eye, np.array(kept[:count], np.int64))


def anchored(
    shown: Sequence[Surface], looked: Aims, hits: Hits, eye: Eye, places: Indices
) -> Anchors:
    """Return the points at which some of the rays have met surfaces."""
    reached = looked.at(np.where(np.isfinite(hits.depth), hits.depth, 0.0))[places]
    owners = [shown[hits.surface[place]] for place in places]
    corners = [
        owner.mesh.triangles[hits.triangle[place]]
        for owner, place in zip(owners, places, strict=True)
    ]
    local = [
        in_camera(owner.points_of(own), eye.camera)
        for owner, own in zip(owners, corners, strict=True)
    ]
    return Anchors(
        keys=tuple(owner.key for owner in owners),
        corners=np.array(corners, np.int64).reshape(-1, 3),
        weights=weights_of(np.array(local).reshape(-1, 3, 3), reached),
        shapes=np.array([owner.mesh.shape for owner in owners], np.int64),
    )


def follow(depsgraph: bpy.types.Depsgraph, eye: Eye, anchors: Anchors) -> Followed:
    """Return where points are now, and which of them no mesh hides."""
    shown = tuple(surfaces(depsgraph))
    near, far = clip_of(depsgraph)
    world = carried(anchors, shown)
    local = in_camera(world, eye.camera)
    there = np.flatnonzero(is_in_picture(local, eye))
    looked = eye.aims(local[there], near)
    hits = looked.nothing()
    look(looked, hits, shown, eye)
    depths = looked.depths(local[there])
    is_open = np.zeros(len(world), bool)
    is_open[there] = (hits.depth >= depths * (1 - SKIN)) & (depths >= near) & (depths <= far)
    return Followed(world, is_open)


def carried(anchors: Anchors, shown: Sequence[Surface]) -> Numbers:
    """Return where the points (N, 3) are now; NaN where they cannot be followed."""
    world = np.full((len(anchors), 3), np.nan)
    wanted: dict[Key, list[int]] = {}
    for place, key in enumerate(anchors.keys):
        wanted.setdefault(key, []).append(place)
    for surface in shown:
        if surface.key not in wanted:
            continue
        places = np.array(wanted[surface.key], dtype=np.int64)
        places = places[anchors.shapes[places] == surface.mesh.shape]
        corners = surface.points_of(anchors.corners[places])
        world[places] = (anchors.weights[places, :, None] * corners).sum(axis=1)
    return world


def is_in_picture(local: Numbers, eye: Eye) -> NDArray[np.bool_]:
    """Say which points (N, 3) in the frame of a camera fall into its picture."""
    px = project(local, eye.camera)
    return np.asarray(((px >= 0) & (px < eye.size)).all(axis=1))


def look(looked: Aims, hits: Hits, shown: Sequence[Surface], eye: Eye) -> None:
    """Note what rays meet first of the surfaces that are solid."""
    for number in np.flatnonzero(may_meet(looked, shown, eye)).tolist():
        surface = shown[number]
        mesh = surface.mesh
        if not mesh.solid.any():
            continue
        local = in_camera(surface.points(), eye.camera)
        if mesh.solid.all():
            looked.cast(hits, number, local, mesh.triangles)
            continue
        solid = np.flatnonzero(mesh.solid)
        looked.cast(hits, number, local, mesh.triangles[solid])
        new = hits.surface == number
        hits.triangle[new] = solid[hits.triangle[new]]


def may_meet(looked: Aims, shown: Sequence[Surface], eye: Eye) -> NDArray[np.bool_]:
    """Say which surfaces rays may meet, by the boxes around them: all blades of a lawn at once."""
    found = np.zeros(len(shown), bool)
    alike: dict[int, list[int]] = {}
    for number, surface in enumerate(shown):
        alike.setdefault(id(surface.mesh), []).append(number)
    for numbers in alike.values():
        matrices = np.stack([shown[number].matrix for number in numbers])
        box = shown[numbers[0]].mesh.box
        corners = box @ matrices[:, :3, :3].transpose(0, 2, 1) + matrices[:, None, :3, 3]
        found[numbers] = looked.may_meet(in_camera(corners, eye.camera))
    return found


def clip_of(depsgraph: Any) -> tuple[float, float]:
    """Return the nearest and farthest that the scene's camera sees."""
    lens = depsgraph.scene_eval.camera.data
    return float(lens.clip_start), float(lens.clip_end)


def surfaces(depsgraph: Any) -> Iterator[Surface]:
    """Yield all meshes that a camera sees, each where it stands; of many copies, each."""
    known: dict[int, Mesh] = {}
    for instance in depsgraph.object_instances:
        item: Any = ShownObject(instance)
        if item.type != "MESH" or not instance.show_self or not item.visible_camera:
            continue
        if item.is_shadow_catcher or not has_area(instance.matrix_world):
            continue
        data = item.data
        mesh = known.get(data.as_pointer())
        if mesh is None:
            mesh = known[data.as_pointer()] = mesh_of(item)
        if len(mesh.triangles):
            matrix = np.array(instance.matrix_world, dtype=np.float64)
            yield Surface(key_of(instance, item), mesh, matrix, followed=not item.is_holdout)


def key_of(instance: Any, item: Any) -> Key:
    """Return what tells a surface from others in every frame and process."""
    own = item.original.name_full
    if not instance.is_instance:
        return own, "", ()
    return own, instance.path_resolve("parent").original.name_full, tuple(instance.persistent_id)


def mesh_of(item: Any) -> Mesh:
    """Return the geometry of an evaluated object."""
    data = item.data
    points = np.empty(len(data.vertices) * 3, dtype=np.float32)
    data.vertices.foreach_get("co", points)
    data.calc_loop_triangles()
    count = len(data.loop_triangles)
    triangles = np.empty(count * 3, np.int32)
    data.loop_triangles.foreach_get("vertices", triangles)
    own = points.reshape(-1, 3).astype(np.float64)
    return Mesh(
        points=own,
        triangles=triangles.reshape(-1, 3).astype(np.int64),
        solid=solid_of(item, data.loop_triangles),
        box=box_around(own),
        shape=shape_of(data),
    )


def box_around(points: Numbers) -> Numbers:
    """Return the corners (8, 3) of the box around points (V, 3)."""
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else np.zeros((2, 3))
    return np.array([np.where(corner, high, low) for corner in np.ndindex(2, 2, 2)])


def solid_of(item: Any, triangles: Any) -> NDArray[np.bool_]:
    """Return which triangles (T,) nothing is seen through, by their materials."""
    slots = [slot.material for slot in item.material_slots]
    solid = np.array([each is None or not may_let_through(each) for each in slots] or [True])
    if solid.all() or not solid.any():
        return np.full(len(triangles), solid[0])
    materials = np.empty(len(triangles), np.int32)
    triangles.foreach_get("material_index", materials)
    return np.asarray(solid[np.clip(materials, 0, len(solid) - 1)])


def shape_of(data: Any) -> int:
    """Return a number that stays the same as long as faces have the same points."""
    corners = np.empty(len(data.loops), np.int32)
    data.loops.foreach_get("vertex_index", corners)
    starts = np.empty(len(data.polygons), np.int32)
    data.polygons.foreach_get("loop_start", starts)
    return zlib.crc32(starts.tobytes(), zlib.crc32(corners.tobytes(), len(data.vertices)))


class Follower(Tracking):
    """Follows points in the frame that is rendered next."""

    def __init__(self, anchors: Anchors, eye: Eye) -> None:
        super().__init__()
        self._anchors, self._eye = anchors, eye

    def __call__(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Look at what is about to be rendered."""
        self.followed = follow(depsgraph, self._eye, self._anchors)
