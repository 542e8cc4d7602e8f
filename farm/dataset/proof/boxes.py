"""Boxes at any angle in the world: corners, gaps, heights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from farm.spec.label import ObjectLabel

Numbers = NDArray[np.float64]
SIGNS = np.array(list(product((-1.0, 1.0), repeat=3)))
PARALLEL = 1e-9
"""Length of a cross product from which on two directions have one that is across both."""


@dataclass(frozen=True, eq=False)
class Box:
    """The box of an object, as its record has it."""

    centre: Numbers
    """(3,), in the world."""
    axes: Numbers
    """(3, 3), a row for each of its sides, of length 1."""
    sides: Numbers
    """(3,), how long they are."""

    @property
    def longest(self) -> float:
        """Its longest side."""
        return float(self.sides.max())

    @cached_property
    def corners(self) -> Numbers:
        """(8, 3), in the world."""
        return self.centre + (SIGNS * self.sides / 2) @ self.axes

    @property
    def top(self) -> float:
        """How high its highest corner is."""
        return float(self.corners[:, 2].max())

    @cached_property
    def lowest(self) -> tuple[float, float]:
        """Between which heights the lowest point is of what fills it.

        That touches each of its six faces: so it reaches as low as the highest corner of the
        lowest face, at least, and no lower than the lowest corner.
        """
        rises = np.abs(self.axes[:, 2]) * self.sides / 2
        least = self.centre[2] - rises.sum()
        return float(least), float(least + 2 * (rises.sum() - rises.max()))

    def inside(self, points: Numbers) -> Numbers:
        """Return how far points (N, 3) are out of it, (N,); below 0 within."""
        return np.asarray((np.abs(self.own(points)) - self.sides / 2).max(axis=1))

    def own(self, points: Numbers) -> Numbers:
        """Return points (N, 3) along its axes, from its middle."""
        return np.asarray((points - self.centre) @ self.axes.T)


def box_of(label: ObjectLabel, world_from_camera: Numbers) -> Box:
    """Return the box of an object in the world."""
    pose = world_from_camera @ np.array(label.camera_from_object)
    return Box(centre=pose[:3, 3], axes=pose[:3, :3].T, sides=np.array(label.size))


def gap(one: Box, other: Box) -> float:
    """Return how far two boxes are apart, at least; below 0 where they overlap.

    Along the 15 directions of the separating axis theorem (Gottschalk, Lin and Manocha, 1996).
    """
    crossed = np.cross(one.axes[:, None], other.axes[None]).reshape(-1, 3)
    return apart(one, other, np.concatenate([one.axes, other.axes, crossed]))


def gap_from_above(one: Box, other: Box) -> float:
    """Return the same of what two boxes cover of the ground."""
    edges = np.concatenate([one.axes, other.axes])
    return apart(one, other, np.stack([-edges[:, 1], edges[:, 0], 0 * edges[:, 0]], axis=1))


def apart(one: Box, other: Box, directions: Numbers) -> float:
    """Return how far two boxes are apart along the best of some directions (N, 3)."""
    lengths = np.linalg.norm(directions, axis=1)
    along = directions[lengths > PARALLEL] / lengths[lengths > PARALLEL, None]
    reach = sum(np.abs(along @ box.axes.T) @ box.sides / 2 for box in (one, other))
    return float((np.abs(along @ (one.centre - other.centre)) - reach).max())
