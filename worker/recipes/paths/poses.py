"""A camera of ours between the frames of its path."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from farm.projection import as_matrix
from farm.spec.camera import PoseCamera

Numbers = NDArray[np.float64]


def pose_at(path: Sequence[PoseCamera], place: float) -> PoseCamera:
    """Return where the camera is at a place of its path, of which 1.5 is half-way from 1 to 2.

    Before the first frame and after the last it moves as it does between these and their
    neighbours.
    """
    if place in range(len(path)):
        return path[int(place)]
    if len(path) == 1:
        return path[0]
    first = min(max(math.floor(place), 0), len(path) - 2)
    share = place - first
    start, end = (np.array(each.world_from_camera) for each in path[first : first + 2])
    between = np.eye(4)
    between[:3, 3] = start[:3, 3] + share * (end[:3, 3] - start[:3, 3])
    between[:3, :3] = start[:3, :3] @ part_of_turn(start[:3, :3].T @ end[:3, :3], share)
    return path[first].model_copy(update={"world_from_camera": as_matrix(between)})


def part_of_turn(turn: Numbers, share: float) -> Numbers:
    """Return a share of a turn (3, 3), about the same axis; it may be below 0 or beyond 1."""
    sines = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    length = float(np.linalg.norm(sines))
    if length == 0.0:
        return np.eye(3)
    angle = share * math.atan2(length, float(np.trace(turn)) - 1.0)
    x, y, z = sines / length
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross)
