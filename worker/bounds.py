"""Where a model's surface is: its box, its outermost points, and how far a camera must stand."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.spec.camera import IDENTITY, Matrix4, OrbitCamera
from farm.spec.rigs import Frame

Points = NDArray[np.float64]

DIRECTIONS = 1000
"""Directions in which the outermost point is kept: one every four degrees."""
CHUNK = 1 << 9
"""Points compared at a time, so that a mesh of millions needs little memory."""
FILL = 0.9
"""Share of the picture that `fit` lets the model span."""
CLEARANCE = 1.02
"""A camera stays at least this factor of the model's extent towards it away."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """The axis-aligned box of a model and its outermost points."""

    low: Points
    """(3,)"""
    high: Points
    """(3,)"""
    support: Points
    """(N, 3), the outermost points along `DIRECTIONS` directions."""
    radius: float
    """How far off the middle of the box the farthest point is."""

    @property
    def size(self) -> float:
        """Longest side of the box."""
        return float((self.high - self.low).max())

    @property
    def step(self) -> float:
        """Distance to the next place that 32 bits tell apart, where that is largest."""
        farthest = np.float32(np.abs([self.low, self.high]).max())
        return float(np.spacing(farthest))

    @property
    def unit_from_model(self) -> Matrix4:
        """The transform that centres the box at the origin and makes its longest side 1."""
        return self.frame_from_model("unit-cube")

    def frame_from_model(self, frame: Frame) -> Matrix4:
        """Return the transform that takes the model into a frame."""
        if frame == "file":
            return IDENTITY
        scale = self.scale_in(frame)
        x, y, z = (-scale * (self.low + self.high) / 2).tolist()
        return (
            (scale, 0.0, 0.0, x),
            (0.0, scale, 0.0, y),
            (0.0, 0.0, scale, z),
            (0.0, 0.0, 0.0, 1.0),
        )

    def scale_in(self, frame: Frame) -> float:
        """Return how many units of a frame one of the model is."""
        if frame == "unit-sphere":
            return 1.0 / self.radius
        if frame == "unit-diagonal":
            return 1.0 / float(np.linalg.norm(self.high - self.low))
        return 1.0 if frame == "file" else 1.0 / self.size

    @property
    def unit_support(self) -> Points:
        """(N, 3), the outermost points of the model centred and scaled to 1."""
        return transformed(self.support, np.array(self.unit_from_model))


def bounds_of(clouds: list[Points]) -> Bounds | None:
    """Return the bounds of all points in `clouds` ((N, 3) each), or None where there are none."""
    points = [cloud for cloud in clouds if len(cloud)]
    if not points:
        return None
    low = np.stack([cloud.min(axis=0) for cloud in points]).min(axis=0)
    high = np.stack([cloud.max(axis=0) for cloud in points]).max(axis=0)
    outer = extremes(np.concatenate([extremes(cloud) for cloud in points]))
    middle = (low + high) / 2
    radius = max(float(((cloud - middle) ** 2).sum(axis=1).max()) for cloud in points) ** 0.5
    return Bounds(low, high, outer, radius)


def extremes(points: Points, count: int = DIRECTIONS) -> Points:
    """Return the outermost of `points` ((N, 3)) along `count` directions; all of them, if few."""
    if len(points) <= count:
        return points
    return points[np.unique(outermost(points, directions(count)))]


def ball_extremes(centres: Points, radii: Points, count: int = DIRECTIONS) -> Points:
    """Return the outermost points (`count`, 3) of balls around `centres` ((N, 3))."""
    if not len(centres):
        return centres
    toward = directions(count)
    chosen = outermost(centres, toward, radii)
    return centres[chosen] + toward * radii[chosen, None]


def outermost(points: Points, toward: Points, radii: Points | None = None) -> NDArray[np.intp]:
    """Return which of `points` ((N, 3)), as balls of `radii` ((N,)), reaches furthest each way."""
    best = np.full(len(toward), -np.inf)
    chosen = np.zeros(len(toward), dtype=np.intp)
    for start in range(0, len(points), CHUNK):
        reach = toward @ points[start : start + CHUNK].T
        if radii is not None:
            reach += radii[start : start + CHUNK]
        top = reach.argmax(axis=1)
        reached = reach[np.arange(len(toward)), top]
        better = reached > best
        best[better] = reached[better]
        chosen[better] = top[better] + start
    return chosen


@functools.cache
def directions(count: int) -> Points:
    """Return `count` unit vectors (N, 3), the six axes first and the rest spread evenly."""
    index = np.arange(count - 6) + 0.5
    polar = np.arccos(1 - 2 * index / len(index))
    turn = math.pi * (1 + math.sqrt(5)) * index
    spread = np.stack(
        [np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1
    )
    return np.concatenate([np.eye(3), -np.eye(3), spread])


def transformed(points: Points, matrix: Points) -> Points:
    """Apply a 4 x 4 `matrix` to `points` ((N, 3))."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def fit_distance(
    unit_support: Points,
    camera: OrbitCamera,
    resolution_px: tuple[int, int],
    *,
    size: float = 1.0,
) -> float:
    """Return how far `camera` stands: where the model just fills `FILL`, times its distance.

    The model itself is never entered, however small that distance is.

    Args:
        unit_support: (N, 3), the outermost points of the model in its frame.
        camera: Says from which side, and through which lens.
        resolution_px: (width, height).
        size: Longest side of the model in its frame.
    """
    axes = np.array(camera.world_from_camera(distance=0.0))[:3, :3]
    right, up, near = (unit_support @ axes).T
    half = FILL * camera.sensor_width_mm / 2 / camera.focal_length_mm / max(resolution_px)
    width, height = resolution_px
    reach = np.maximum(np.abs(right) / (half * width), np.abs(up) / (half * height))
    fitted = float((near + reach).max()) * camera.distance
    return max(fitted, CLEARANCE * float(near.max()) + 0.01 * size)
