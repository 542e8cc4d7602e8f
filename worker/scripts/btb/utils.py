"""Points of objects in the world, and chance on a sphere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.scripts.btb.here import ground
from worker.scripts.script_view import box_of

Points = NDArray[np.float64]


def world_coordinates(*objs: Any, depsgraph: Any = None) -> Points:
    """Return the vertices of objects (N, 3) in the world, as they are rendered."""
    graph = depsgraph or ground().update()
    return stacked([vertices_of(item.evaluated_get(graph), world=True) for item in objs])


def object_coordinates(*objs: Any, depsgraph: Any = None) -> Points:
    """Return the vertices of objects (N, 3) in their own coordinates, as they are rendered."""
    graph = depsgraph or ground().update()
    return stacked([vertices_of(item.evaluated_get(graph), world=False) for item in objs])


def bbox_world_coordinates(*objs: Any, depsgraph: Any = None) -> Points:
    """Return the corners of the boxes of objects (8 N, 3) in the world."""
    graph = depsgraph or ground().update()
    return stacked([box_of(item, graph) for item in objs])


def vertices_of(item: Any, *, world: bool) -> Points:
    """Return the vertices of an evaluated object (N, 3)."""
    mesh = item.data
    flat = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", flat)
    points = flat.reshape(-1, 3).astype(np.float64)
    if not world:
        return points
    matrix = np.array(item.matrix_world)
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def stacked(parts: list[Points]) -> Points:
    """Return points of several objects as one array."""
    return np.concatenate(parts) if parts else np.empty((0, 3))


def hom(x: Any, v: float = 1.0) -> Points:
    """Return homogeneous coordinates."""
    points = np.asarray(x, dtype=float)
    return np.concatenate((points, np.full((*points.shape[:-1], 1), v)), axis=-1)


def dehom(x: Any) -> Points:
    """Return points by division through their last coordinate, which falls away."""
    points = np.asarray(x, dtype=float)
    return np.asarray(points[..., :-1] / points[..., -1:])


def random_spherical_loc(
    radius_range: tuple[float, float] | None = None,
    theta_range: tuple[float, float] | None = None,
    phi_range: tuple[float, float] | None = None,
) -> Points:
    """Return a place (3,) around the origin, by numpy's own chance, which the farm seeds."""
    radius = np.random.uniform(*(radius_range or (1.0, 1.0)))  # noqa: NPY002  as blendtorch draws
    theta = np.random.uniform(*(theta_range or (0.0, np.pi)))  # noqa: NPY002
    phi = np.random.uniform(*(phi_range or (0.0, 2 * np.pi)))  # noqa: NPY002
    across = np.sin(theta)
    return radius * np.array([across * np.cos(phi), across * np.sin(phi), np.cos(theta)])


def compute_object_visibility(  # noqa: PLR0913  the signature is blendtorch's
    obj: Any,
    cam: Any,
    N: int = 25,
    scene: Any = None,
    view_layer: Any = None,
    dist: Any = None,
) -> float:
    """Return which part of some vertices of an object the camera sees, by rays; 0..1."""
    del view_layer
    graph = ground().update()
    shown = scene or ground().scene
    eye = np.array(getattr(cam, "bpy_camera", cam).evaluated_get(graph).matrix_world)
    points = vertices_of(obj.evaluated_get(graph), world=True)
    chosen = points[np.random.choice(len(points), size=N)]  # noqa: NPY002  as blendtorch draws
    ahead = (chosen - eye[:3, 3]) @ eye[:3, 2] < 0
    rays = chosen - eye[:3, 3]
    lengths = np.linalg.norm(rays, axis=1, keepdims=True)
    rays = np.divide(rays, lengths, out=np.zeros_like(rays), where=lengths > 0)
    far = {} if dist is None else {"distance": dist}
    hits = [
        bool(front) and shown.ray_cast(graph, eye[:3, 3].tolist(), ray.tolist(), **far)[4] == obj
        for ray, front in zip(rays, ahead, strict=True)
    ]
    return float(np.mean(hits))


def scene_stats() -> dict[str, dict[str, int]]:
    """Return how many things of each kind the scene has."""
    scene = ground().scene
    kinds = [item.type for item in scene.objects]
    return {"objects": {kind: kinds.count(kind) for kind in sorted(set(kinds))}}
