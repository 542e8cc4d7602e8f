"""Where points of a scene's surfaces go from one moment to another, by ray casts alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree

from farm.projection import project, rays
from farm.spec.record import CameraRecord, ViewRecord

SKIN = 1e-3
"""How far from a surface a ray may end and still have reached it."""


class Moment(NamedTuple):
    """A scene's meshes as they are at one moment, in its world."""

    points: np.ndarray
    triangles: np.ndarray
    owners: np.ndarray
    """Object of each triangle."""
    tree: BVHTree


def moment_of(scene: Any, frame: float) -> Moment:
    """Evaluate the scene at a moment."""
    scene.frame_set(int(np.floor(frame)), subframe=frame - np.floor(frame))
    graph = bpy.context.evaluated_depsgraph_get() if scene == bpy.context.scene else None
    graph = graph or scene.view_layers[0].depsgraph
    graph.update()
    points, triangles, owners, first = [], [], [], 0
    for item in sorted(scene.objects, key=lambda each: each.name):
        if item.type != "MESH" or item.hide_render:
            continue
        mesh = item.evaluated_get(graph).to_mesh()
        mesh.calc_loop_triangles()
        matrix = np.array(item.evaluated_get(graph).matrix_world)
        local = np.array([vertex.co for vertex in mesh.vertices])
        points.append(local @ matrix[:3, :3].T + matrix[:3, 3])
        found = np.array([each.vertices for each in mesh.loop_triangles])
        triangles.append(found + first)
        owners += [item.name] * len(found)
        first += len(local)
    every, faces = np.concatenate(points), np.concatenate(triangles)
    tree = BVHTree.FromPolygons(every.tolist(), faces.tolist())
    return Moment(every, faces, np.array(owners), tree)


def moments_of(scene: Any, records: Iterable[ViewRecord]) -> list[Moment]:
    """Evaluate the scene at the frames of views, however its time was stretched for them."""
    stretch = scene.render.frame_map_old, scene.render.frame_map_new
    scene.render.frame_map_old = scene.render.frame_map_new = 100
    try:
        return [moment_of(scene, record.view.frame) for record in records]
    finally:
        scene.render.frame_map_old, scene.render.frame_map_new = stretch


class Truth(NamedTuple):
    """What is known of each pixel."""

    owner: np.ndarray
    """(H, W), name of what its centre shows, "" where there is nothing."""
    flow: np.ndarray
    """(H, W, 2), NaN where there is nothing."""
    valid: np.ndarray
    """(H, W): the other moment shows the same point."""
    close: np.ndarray
    """(H, W): too close to an edge, here or there, for either answer to be wrong."""
    inside: np.ndarray
    """(H, W): the same point falls into the picture of the other moment."""
    start: np.ndarray
    """(H, W, 3), where it is in the world; NaN where there is nothing."""
    end: np.ndarray
    """(H, W, 3), where it is at the other moment."""


def truth(
    here: Moment, there: Moment, camera: CameraRecord, other: CameraRecord, size: tuple[int, int]
) -> Truth:
    """Follow the point at each pixel's centre."""
    width, height = size
    looked, world = rays(camera, size), np.array(camera.world_from_camera)
    starts = looked.origins @ world[:3, :3].T + world[:3, 3]
    hits, faces, _ = cast(here.tree, starts, looked.directions @ world[:3, :3].T)
    shown = faces >= 0
    corners = here.triangles[faces[shown]]
    weights = barycentric(hits[shown], here.points[corners])[:, None]
    moved = (weights @ there.points[corners])[:, 0]
    world_there = np.array(other.world_from_camera)
    px = project((moved - world_there[:3, 3]) @ world_there[:3, :3], other)
    inside = (np.isfinite(px) & (px >= 0) & (px < size)).all(axis=-1)
    valid, close = inside.copy(), inside.copy()
    valid[inside] = sees(there, other, moved[inside])
    close[inside] = is_close(there, other, moved[inside], valid=valid[inside])

    def laid_out(values: np.ndarray, empty: Any) -> np.ndarray:
        laid = np.full((height, width, *values.shape[1:]), empty, dtype=values.dtype)
        laid[shown] = values
        return laid

    return Truth(
        owner=laid_out(here.owners[faces[shown]].astype(object), ""),
        flow=laid_out(px - (np.argwhere(shown)[:, ::-1] + 0.5), np.nan),
        valid=laid_out(valid, empty=False),
        close=laid_out(close, empty=False),
        inside=laid_out(inside, empty=False),
        start=laid_out((weights @ here.points[corners])[:, 0], np.nan),
        end=laid_out(moved, np.nan),
    )


def cast(
    tree: BVHTree, starts: np.ndarray, along: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where rays (..., 3) end, the face that each hits (-1: none), and how far that is."""
    rows = zip(starts.reshape(-1, 3).tolist(), along.reshape(-1, 3).tolist(), strict=True)
    found = [tree.ray_cast(*row) for row in rows]
    nowhere = (np.nan,) * 3
    places = [nowhere if face is None else place for place, _, face, _ in found]
    faces = np.array([-1 if face is None else face for _, _, face, _ in found], dtype=int)
    far = np.array([np.inf if face is None else distance for _, _, face, distance in found])
    shape = starts.shape[:-1]
    return np.array(places, float).reshape(*shape, 3), faces.reshape(shape), far.reshape(shape)


def sees(
    moment: Moment, camera: CameraRecord, points: np.ndarray, skin: float = SKIN
) -> np.ndarray:
    """Say of points (..., 3) whether nothing is between a camera and each."""
    world = np.array(camera.world_from_camera)
    if camera.lens is None:
        away = points - world[:3, 3]
    else:  # orthographic: rays run side by side
        away = -world[:3, 2] * ((world[:3, 3] - points) @ world[:3, 2])[..., None]
    far = np.linalg.norm(away, axis=-1)
    _, _, distance = cast(moment.tree, points - away, away / far[..., None])
    return distance > far - skin * far


def is_close(
    moment: Moment, camera: CameraRecord, points: np.ndarray, *, valid: np.ndarray
) -> np.ndarray:
    """Say of points (..., 3) whether a quarter of a pixel aside the answer would be another one."""
    world = np.array(camera.world_from_camera)
    depth = -((points - world[:3, 3]) @ world[:3, 2])
    scale = depth / camera.fx_px if camera.lens is None else 1 / camera.lens.px_per_unit
    close = np.zeros(points.shape[:-1], dtype=bool)
    for step in ((0.25, 0, 0), (-0.25, 0, 0), (0, 0.25, 0), (0, -0.25, 0)):
        aside = points + (np.multiply.outer(scale, step) @ world[:3, :3].T)
        close |= sees(moment, camera, aside, skin=0.05) != valid
    return close


def barycentric(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the weights (..., 3) of triangles' corners (..., 3, 3) that make points (..., 3)."""
    a, b = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]
    c = points - corners[..., 0, :]
    aa, ab, bb, ca, cb = (
        np.sum(first * second, axis=-1)
        for first, second in ((a, a), (a, b), (b, b), (c, a), (c, b))
    )
    scale = aa * bb - ab * ab
    v, w = (bb * ca - ab * cb) / scale, (aa * cb - ab * ca) / scale
    return np.stack([1 - v - w, v, w], axis=-1)
