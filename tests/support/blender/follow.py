"""Where points of a scene's surfaces go from one moment to another, by ray casts alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import bpy
import numpy as np
from mathutils import Vector
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
    looked = rays(camera, size)
    world, world_there = (np.array(each.world_from_camera) for each in (camera, other))
    owner = np.full((height, width), "", dtype=object)
    flow = np.full((height, width, 2), np.nan)
    valid = np.zeros((height, width), bool)
    close = np.zeros((height, width), bool)
    within = np.zeros((height, width), bool)
    places = np.full((2, height, width, 3), np.nan)
    for y in range(height):
        for x in range(width):
            start = world[:3, :3] @ looked.origins[y, x] + world[:3, 3]
            along = world[:3, :3] @ looked.directions[y, x]
            hit, _, face, _ = here.tree.ray_cast(Vector(start), Vector(along))
            if face is None:
                continue
            owner[y, x] = here.owners[face]
            weights = barycentric(np.array(hit), here.points[here.triangles[face]])
            moved = weights @ there.points[there.triangles[face]]
            local = (moved - world_there[:3, 3]) @ world_there[:3, :3]
            px = project(local[None], other)[0]
            flow[y, x] = px - [x + 0.5, y + 0.5]
            inside = bool(np.isfinite(px).all() and (px >= 0).all() and (px < size).all())
            within[y, x] = inside
            places[:, y, x] = weights @ here.points[here.triangles[face]], moved
            valid[y, x] = inside and sees(there, other, moved)
            close[y, x] = inside and is_close(there, other, moved, valid=valid[y, x])
    return Truth(owner, flow, valid, close, within, *places)


def sees(moment: Moment, camera: CameraRecord, point: np.ndarray, skin: float = SKIN) -> bool:
    """Say whether nothing is between a camera and a point."""
    world = np.array(camera.world_from_camera)
    if camera.lens is None:
        away = point - world[:3, 3]
    else:  # orthographic: rays run side by side
        away = -world[:3, 2] * float((world[:3, 3] - point) @ world[:3, 2])
    far = float(np.linalg.norm(away))
    _, _, face, distance = moment.tree.ray_cast(Vector(point - away), Vector(away / far))
    return face is None or distance > far - skin * far


def is_close(moment: Moment, camera: CameraRecord, point: np.ndarray, *, valid: bool) -> bool:
    """Say whether a quarter of a pixel aside the answer would be another one."""
    world = np.array(camera.world_from_camera)
    depth = -float((point - world[:3, 3]) @ world[:3, 2])
    scale = depth / camera.fx_px if camera.lens is None else 1 / camera.lens.px_per_unit
    for dx, dy in ((0.25, 0), (-0.25, 0), (0, 0.25), (0, -0.25)):
        aside = point + world[:3, :3] @ np.array([dx * scale, dy * scale, 0])
        if sees(moment, camera, aside, skin=0.05) != valid:
            return True
    return False


def barycentric(point: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the weights of a triangle's corners that make a point."""
    a, b = corners[1] - corners[0], corners[2] - corners[0]
    c = point - corners[0]
    aa, ab, bb, ca, cb = a @ a, a @ b, b @ b, c @ a, c @ b
    scale = aa * bb - ab * ab
    v, w = (bb * ca - ab * cb) / scale, (aa * cb - ab * ca) / scale
    return np.array([1 - v - w, v, w])
