"""A camera of ours moves smoothly between the frames of its path, and beyond its ends."""

from __future__ import annotations

import numpy as np
import pytest

from farm.projection import as_matrix
from farm.spec.camera import PoseCamera
from worker.recipes.paths.poses import pose_at


def pose(angle_deg, axis, at):
    """A pose, turned about an axis."""
    angle = np.radians(angle_deg)
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(4)
    matrix[:3, :3] += np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    matrix[:3, 3] = at
    return PoseCamera(world_from_camera=as_matrix(matrix))


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 0, 0), (1, -2, 3)])
@pytest.mark.parametrize("place", [0.0, 0.25, 1.0, 1.5, 2.0, -0.5, 2.5])
def test_an_even_turn_and_an_even_way_stay_even(axis, place):
    path = [pose(20 + 80 * each, axis, (each, 2 * each, -each)) for each in range(3)]
    found = np.array(pose_at(path, place).world_from_camera)
    wanted = pose(20 + 80 * place, axis, (place, 2 * place, -place)).world_from_camera
    assert np.allclose(found, wanted, atol=1e-9)


@pytest.mark.parametrize("place", [-0.25, 0.0, 0.25])
def test_a_camera_without_a_way_stands_still(place):
    still = pose(33, (0, 1, 1), (1, 2, 3))
    assert pose_at([still], place) == still
    assert np.allclose(pose_at([still, still], place).world_from_camera, still.world_from_camera)


def test_the_poses_of_frames_are_untouched():
    path = [pose(10 * each, (0, 0, 1), (each, 0, 0)) for each in range(4)]
    assert [pose_at(path, float(place)) for place in range(4)] == path
