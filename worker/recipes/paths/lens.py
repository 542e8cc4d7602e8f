"""What a lens needs free in front of it, and how far it must stand off to see a thing whole."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from farm.projection import focal_px, project, recorded
from farm.spec.camera import IDENTITY, AnyLens, PoseCamera
from farm.spec.record import CameraRecord, FisheyeRecord, OrthographicRecord
from worker.bounds import transformed
from worker.recipes.paths.scene import Points

GRID = 5
"""Rays towards the near plane, across and down."""
WIDEST_RAD = math.radians(60.0)
"""Half of the angle that a thing fills at most of a very wide lens."""
OFF_EDGE = 0.02
"""Share of the picture at its edge in which a target counts as left behind."""


@dataclass(frozen=True)
class Lens:
    """A lens with its picture and its near plane."""

    record: CameraRecord
    size_px: tuple[int, int]
    clip_start: float

    @property
    def half_angle_rad(self) -> float:
        """From the axis to the nearer edges of the picture."""
        if isinstance(self.record.lens, FisheyeRecord):
            return min(math.radians(self.record.lens.fov_deg) / 2, WIDEST_RAD)
        if self.record.lens is not None:
            return 0.0
        width, height = self.size_px
        fx, fy = focal_px(self.record)
        return min(math.atan(width / 2 / fx), math.atan(height / 2 / fy), WIDEST_RAD)

    @property
    def reach(self) -> float:
        """How far in all directions must be free: to the corners of the near plane."""
        if self.record.lens is not None:
            return self.clip_start
        return float(np.linalg.norm(self.near_plane(), axis=-1).max())

    def near_plane(self) -> Points:
        """Return points (N, 3) of the near plane, row by row, in the camera's frame."""
        width, height = self.size_px
        u, v = np.meshgrid(np.linspace(0, width, GRID), np.linspace(0, height, GRID))
        across, down = u.ravel() - self.record.cx_px, v.ravel() - self.record.cy_px
        if isinstance(self.record.lens, OrthographicRecord):
            scale = self.record.lens.px_per_unit
            x, y = across / scale, -down / scale
        else:
            fx, fy = focal_px(self.record)
            x, y = across / fx * self.clip_start, -down / fy * self.clip_start
        return np.stack([x, y, np.full_like(x, -self.clip_start)], axis=-1)

    def segments(self) -> Points:
        """Return what must be free of surfaces (N, 2, 3), in the camera's frame.

        Those are the rays up to the near plane, and lines along it.
        """
        if isinstance(self.record.lens, FisheyeRecord):
            return np.empty((0, 2, 3))  # what is all around is enough
        plane = self.near_plane()
        starts = np.zeros_like(plane)
        if isinstance(self.record.lens, OrthographicRecord):
            starts[:, :2] = plane[:, :2]
        grid = plane.reshape(GRID, GRID, 3)
        lines = [
            *((row[0], row[-1]) for row in grid),
            *((column[0], column[-1]) for column in grid.swapaxes(0, 1)),
            (grid[0, 0], grid[-1, -1]),
            (grid[0, -1], grid[-1, 0]),
        ]
        return np.array([*zip(starts, plane, strict=True), *lines])

    def distance_of(self, radius: float) -> float:
        """Return from how far off a ball of a radius fills the picture."""
        least = 2.0 * self.reach
        angle = self.half_angle_rad
        return max(radius / math.sin(angle) if angle else 2.0 * radius, radius + least, least)

    def shows(self, point: Points, world_from_camera: Points) -> bool:
        """Tell whether a point is inside the picture, and not at its very edge."""
        camera_from_world = np.linalg.inv(world_from_camera)
        u, v = project(transformed(point[None], camera_from_world), self.record)[0]
        width, height = self.size_px
        x, y = OFF_EDGE * width, OFF_EDGE * height
        return bool(x <= u <= width - x and y <= v <= height - y)


def lens_of(lens: AnyLens, size_px: tuple[int, int], clip_start: float) -> Lens:
    """Return a lens as pictures of a size have it."""
    record = recorded(PoseCamera(world_from_camera=IDENTITY, lens=lens), size_px)
    return Lens(record, size_px, clip_start)


def all_around() -> Points:
    """Return the directions (26, 3) to the sides, edges and corners of a cube."""
    ways = [way for way in itertools.product((-1.0, 0.0, 1.0), repeat=3) if any(way)]
    return np.array([np.array(way) / np.linalg.norm(way) for way in ways])
