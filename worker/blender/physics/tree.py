"""A surface in a tree of boxes, which answers quickly where it is."""

from __future__ import annotations

import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from worker.blender.physics.solid import Triangles
from worker.bounds import Points

LOOKS = [
    Vector(look).normalized()
    for look in (
        (0.2116, 0.1733, 0.9619), (-0.8433, 0.4127, 0.3443), (0.4571, -0.8551, 0.2446),
        (0.9112, 0.3461, -0.2237), (-0.3387, -0.4412, -0.8310), (-0.5112, 0.7619, -0.3979),
    )
]  # fmt: skip
"""Directions along which an inside is looked for; along none do faces usually stand."""
MOST_CROSSINGS = 64


class Tree:
    """Triangles in the units of their file, around the origin."""

    def __init__(self, points: Points, triangles: Triangles) -> None:
        self.scale = 1.0 / max(float(np.abs(points).max(initial=0.0)), 1e-30)  # it rounds by units
        self._tree = BVHTree.FromPolygons(
            (points * self.scale).tolist(), triangles.tolist(), all_triangles=True
        )

    def nearest(self, points: Points, most: float) -> tuple[Points, Points]:
        """Return how far points (N, 3) are away, up to `most`, and the normals there."""
        find, reach = self._tree.find_nearest, most * self.scale
        distances = np.full(len(points), np.inf)
        normals = np.zeros((len(points), 3))
        for place, point in enumerate((points * self.scale).tolist()):
            _, normal, _, distance = find(point, reach)
            if distance is not None and normal is not None:
                distances[place] = distance / self.scale
                normals[place] = normal[:]
        return distances, normals

    def first_hits(self, points: Points, ray: Points) -> tuple[Points, Points]:
        """Return how far a ray goes from each point (N, 3), or infinity, and the normals there."""
        cast, way = self._tree.ray_cast, Vector(ray.tolist())
        distances = np.full(len(points), np.inf)
        normals = np.zeros((len(points), 3))
        for place, point in enumerate((points * self.scale).tolist()):
            _, normal, _, distance = cast(point, way)
            if distance is not None and normal is not None:
                distances[place] = distance / self.scale
                normals[place] = normal[:]
        return distances, normals

    def is_around(self, point: Points) -> bool:
        """Tell whether a point (3,) is inside, from wherever one looks."""
        start = (point * self.scale).tolist()
        return all(self._crossings(start, look) % 2 for look in LOOKS)

    def _crossings(self, start: list[float], way: Vector) -> int:
        at = Vector(start)
        for count in range(MOST_CROSSINGS):
            hit = self._tree.ray_cast(at, way)
            if hit[0] is None:
                return count
            at = hit[0] + way * 1e-6
        return MOST_CROSSINGS
