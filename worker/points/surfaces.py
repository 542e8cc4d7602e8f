"""Surfaces of a scene as the renderer gets them, and what rays meet of them; numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.projection import project, rays
from farm.spec.record import CameraRecord, OrthographicRecord
from worker.bounds import transformed
from worker.points.first_hits import Aims, Hits, Indices, Numbers, aims
from worker.points.followed import Key, in_camera

SKIN = 1e-4
"""Share of the way to a point by which something must be nearer to hide it."""


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
    owner: int = 0
    """Number of its object, as the index pass has it."""

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


class Scenery(NamedTuple):
    """All surfaces of one frame."""

    shown: tuple[Surface, ...]
    near: float
    far: float
    """The nearest and farthest that the camera sees."""

    def is_open(self, local: Numbers, eye: Eye) -> NDArray[np.bool_]:
        """Say which points (N, 3), in the camera's frame and picture, nothing solid hides."""
        looked = eye.aims(local, self.near)
        hits = looked.nothing()
        look(looked, hits, self.shown, eye)
        depths = looked.depths(local)
        within = (depths >= self.near) & (depths <= self.far)
        return np.asarray((hits.depth >= depths * (1 - SKIN)) & within)


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
