"""Points on surfaces that are carried by the meshes which the renderer gets, frame by frame."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.spec.record import CameraRecord
from worker.blender.cycles import Cycles
from worker.blender.materials.transparency import may_let_through
from worker.blender.models.measure import ShownObject, has_area
from worker.blender.models.measure import look as evaluate
from worker.points.first_hits import Aims, Hits, Indices, Numbers, weights_of
from worker.points.followed import Anchors, Followed, Key, in_camera
from worker.points.surfaces import Eye, Mesh, Scenery, Surface, is_in_picture, look
from worker.points.tracking import Tracking

TRIES = 4
"""Rays for each point that is wanted: some meet nothing that could be followed."""


class TrackedPoints:
    """Points of the scene that is rendered: chosen once, then followed from frame to frame."""

    def __init__(self, cycles: Cycles) -> None:
        self._cycles = cycles
        self._kept: tuple[Hashable, Anchors] | None = None

    def choose(self, camera: CameraRecord, count: int, chance: np.random.Generator) -> Anchors:
        """Return points of what the camera sees now, evenly spread over its picture."""
        chosen: list[Anchors] = []

        def visit(depsgraph: bpy.types.Depsgraph) -> None:
            chosen.append(choose(depsgraph, self._eye(camera), count, chance))

        evaluate(self._cycles.scene, self._cycles.render_nothing, visit)
        return chosen[-1]

    def keep(self, key: Hashable, choose: Callable[[], Anchors]) -> Anchors:
        """Return points that were chosen for another task of the same scene, or choose them."""
        if self._kept is None or self._kept[0] != key:
            self._kept = (key, choose())
        return self._kept[1]

    def forget(self) -> None:
        """Forget points that were kept: the scene they are of is gone."""
        self._kept = None

    def follower(self, camera: CameraRecord, anchors: Anchors | None, *, keep: bool) -> Follower:
        """Return what follows points in the pictures that are shown to it.

        Args:
            camera: What sees them.
            anchors: The points, if there are any.
            keep: Keep the surfaces, too, so that any point of them can be followed later.
        """
        return Follower(self._eye(camera), anchors, keep=keep)

    def _eye(self, camera: CameraRecord) -> Eye:
        render = self._cycles.scene.render
        return Eye(camera, (render.resolution_x, render.resolution_y))


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
    shown, near, far = scenery_of(depsgraph)
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


def follow(scenery: Scenery, eye: Eye, anchors: Anchors) -> Followed:
    """Return where points are now, and which of them no mesh hides."""
    world = carried(anchors, scenery.shown)
    local = in_camera(world, eye.camera)
    there = np.flatnonzero(is_in_picture(local, eye))
    is_open = np.zeros(len(world), bool)
    is_open[there] = scenery.is_open(local[there], eye)
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


def scenery_of(depsgraph: Any) -> Scenery:
    """Return all that a depsgraph of the render shows, kept beyond its life."""
    return Scenery(tuple(surfaces(depsgraph)), *clip_of(depsgraph))


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
            yield Surface(
                key_of(instance, item),
                mesh,
                np.array(instance.matrix_world, dtype=np.float64),
                followed=not item.is_holdout,
                owner=item.pass_index,
            )


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
    """Follows points in the frame that is rendered next, or keeps its surfaces, or both."""

    def __init__(self, eye: Eye, anchors: Anchors | None, *, keep: bool) -> None:
        super().__init__()
        self._anchors, self._eye, self._keep = anchors, eye, keep

    def __call__(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Look at what is about to be rendered."""
        scenery = scenery_of(depsgraph)
        if self._anchors is not None:
            self.followed = follow(scenery, self._eye, self._anchors)
        if self._keep:
            self.scenery = scenery
