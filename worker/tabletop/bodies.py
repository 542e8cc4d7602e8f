"""Things of a scene as bodies: a solid, how large it is, how it is turned and where it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from farm.projection import as_matrix
from farm.spec.camera import Matrix4
from farm.spec.recipes.tabletop import Quaternion
from worker.bounds import Points

if TYPE_CHECKING:  # whose room needs Blender
    from worker.blender.physics.solid import Solid


@dataclass(frozen=True, eq=False)
class Body:
    """A thing somewhere in the world of a scene: metres, z up, the table's top at 0."""

    solid: Solid
    name: str
    """What sentences to people call it."""
    scale: float
    """Metres that a unit of its file measures here."""
    rotation: Points
    """(3, 3)"""
    at: Points
    """(3,), the middle of its file's box."""
    place: int = -1
    """Among the scene's props; -1: the table."""
    floats: bool = False
    """It stays where it is put."""
    stands: bool = False
    """It must stand as its file has it."""

    def moved(self, at: Points, rotation: Points | None = None) -> Body:
        """Return it somewhere else."""
        return replace(self, at=at, rotation=self.rotation if rotation is None else rotation)

    def to_world(self, points: Points) -> Points:
        """Return points (N, 3) of its solid as they are in the world."""
        turned: Points = self.scale * points @ self.rotation.T
        return self.at + turned

    def to_solid(self, points: Points) -> Points:
        """Return points (N, 3) of the world as its solid has them."""
        turned: Points = (points - self.at) @ self.rotation
        return turned / self.scale

    @cached_property
    def points(self) -> Points:
        """(N, 3), the corners of its surface, in the world."""
        return self.to_world(self.solid.points)

    @cached_property
    def samples(self) -> Points:
        """(N, 3), some points of its surface in the world, the lowest corners among them."""
        lowest = np.argpartition(self.points[:, 2], min(LOWEST, len(self.points) - 1))[:LOWEST]
        return np.concatenate([self.points[lowest], self.to_world(self.solid.samples)])

    @cached_property
    def low(self) -> Points:
        """(3,), of its box along the axes of the world."""
        return np.asarray(self.points.min(axis=0))

    @cached_property
    def high(self) -> Points:
        """(3,)"""
        return np.asarray(self.points.max(axis=0))

    @property
    def weight_at(self) -> Points:
        """(3,), where it is in balance."""
        (found,) = self.to_world(self.solid.weight_at[None])
        return np.asarray(found)

    @property
    def size_m(self) -> float:
        """Longest side of its file's box."""
        return self.solid.size * self.scale

    @property
    def world_from_file(self) -> Matrix4:
        """Where it stands, as records have it."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.scale * self.rotation
        matrix[:3, 3] = self.at - matrix[:3, :3] @ self.solid.middle
        return as_matrix(matrix)

    def first_hits(self, points: Points, ray: Points) -> tuple[Points, Points]:
        """Return how far rays (3,) go from points (N, 3) of the world until they meet it, and its
        normals there.
        """
        found, normals = self.solid.surface.first_hits(self.to_solid(points), ray @ self.rotation)
        return found * self.scale, normals @ self.rotation.T

    def nearest(self, points: Points, most_m: float) -> tuple[Points, Points]:
        """Return how far points (N, 3) of the world are from it, up to a distance; its normals."""
        most = most_m / self.scale
        found, normals = self.solid.surface.nearest(self.to_solid(points), most)
        return found * self.scale, normals @ self.rotation.T


LOWEST = 24
"""Corners of a body that are looked at for being the lowest ones."""


def rotation_of(turn: Quaternion) -> Points:
    """Return a turn as a matrix (3, 3)."""
    w, x, y, z = np.array(turn) / np.linalg.norm(turn)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def up(height_m: float) -> Points:
    """Return a shift (3,) upwards."""
    return np.array([0.0, 0.0, height_m])


def boxes_meet(one: Body, other: Body, within_m: float = 0.0) -> bool:
    """Tell whether two bodies' boxes come nearer than a distance."""
    return bool(
        (one.low <= other.high + within_m).all() and (other.low <= one.high + within_m).all()
    )
