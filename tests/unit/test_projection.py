"""Where points fall through every lens, against the geometry of school."""

from __future__ import annotations

import math

import numpy as np
import pytest

from farm.projection import depths, distances, project, rays, recorded, seen_shares
from farm.spec.camera import FisheyeLens, OrthographicLens, PerspectiveLens, PoseCamera
from tests.support.blender.rays import project as by_hand
from tests.support.blender.rays import transform
from tests.support.lenses import LENSES, POSE

SIZE = (64, 48)


def camera_of(lens, size=SIZE):
    return recorded(PoseCamera(world_from_camera=POSE, lens=lens), size)


@pytest.mark.parametrize("size", [SIZE, (45, 71)], ids=str)
@pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES.keys())
def test_points_fall_where_rays_come_from(lens, size):
    """`project` and `rays` are each other's inverse, and agree with a formula of the tests' own."""
    camera = camera_of(lens, size)
    cast = rays(camera, size)
    there = np.isfinite(cast.directions).all(axis=-1)
    u, v = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    for far in (0.3, 2.0, 50.0):
        points = cast.origins + far * cast.directions

        px = project(points, camera)

        np.testing.assert_allclose(px[there], np.stack([u, v], axis=-1)[there], atol=1e-6)
        in_world = transform(points[there], np.array(camera.world_from_camera))
        np.testing.assert_allclose(px[there], by_hand(camera, in_world), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(cast.directions[there], axis=-1), 1.0)
    assert there.mean() > 0.6


@pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES.keys())
def test_depth_and_distance_are_those_of_points_on_the_rays(lens):
    camera = camera_of(lens)
    cast = rays(camera, SIZE)
    along = np.where(np.isfinite(cast.directions[..., 2]), -cast.directions[..., 2], 1.0)
    # Cycles' depth is along the axis, but of panoramic cameras along the ray.
    far = 3.0 if camera.model == "fisheye_polynomial" else 3.0 * along
    reach = np.broadcast_to(far, along.shape).astype(np.float32)
    there = np.isfinite(cast.directions[..., 2])

    np.testing.assert_allclose(depths(reach, camera)[there], (3.0 * along)[there], atol=1e-5)
    np.testing.assert_allclose(distances(reach, camera)[there], 3.0, rtol=1e-6)
    nothing = np.full_like(reach, np.inf)
    assert np.isinf(depths(nothing, camera)).all()
    assert np.isinf(distances(nothing, camera)).all()


def test_what_a_lens_does_not_see_falls_nowhere():
    behind = np.array([[0.1, 0.2, 1.0]])
    beside = np.array([[5.0, 0.0, 0.1]])

    assert np.isnan(project(behind, camera_of(PerspectiveLens()))).all()
    assert np.isnan(project(behind, camera_of(OrthographicLens(width=2.0)))).all()
    wide = camera_of(FisheyeLens(k1=-math.pi / 36, fov_deg=200.0))
    assert np.isfinite(project(beside, wide)).all()
    assert np.isnan(project(behind, wide)).all()


def test_a_fisheye_by_arithmetic():
    """5 degrees a millimetre, 36 mm over 72 pixels: 45 degrees to the right are 18 pixels."""
    camera = camera_of(FisheyeLens(k1=-math.pi / 36), (72, 40))

    right = project(np.array([1.0, 0.0, -1.0]), camera)
    up = project(np.array([0.0, 1.0, 0.0]), camera)

    np.testing.assert_allclose(right, (36 + 18, 20))
    np.testing.assert_allclose(up, (36, 20 - 36), atol=1e-9)


def test_a_rim_inside_of_the_picture_cuts_pixels_and_one_outside_of_it_none():
    lens = FisheyeLens(k1=-math.pi / 36, fov_deg=100.0)
    shares = seen_shares(camera_of(lens, (72, 72)), (72, 72))

    assert shares[36, 36] == 1.0
    assert shares[0, 0] == 0.0
    assert 0.0 < shares[36, 36 + 20] < 1.0 or 0.0 < shares[36, 36 + 19] < 1.0
    assert shares.sum() == pytest.approx(math.pi * 20**2, rel=0.01)
    assert seen_shares(camera_of(FisheyeLens(k1=-math.pi / 36, fov_deg=300.0)), SIZE) is None
    assert seen_shares(camera_of(PerspectiveLens()), SIZE) is None


def test_a_pose_with_few_digits_is_the_rotation_that_it_means():
    rough = tuple(tuple(round(number, 3) for number in row) for row in POSE)
    camera = recorded(PoseCamera(world_from_camera=rough), SIZE)
    turn = np.array(camera.world_from_camera)[:3, :3]

    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(turn, np.array(POSE)[:3, :3], atol=1e-3)
