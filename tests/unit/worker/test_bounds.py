"""Bounds, outermost points and the distance that fits."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from farm.spec.camera import OrbitCamera, intrinsics, orbit_matrix
from worker.bounds import (
    DIRECTIONS,
    Bounds,
    ball_extremes,
    bounds_of,
    extremes,
    fit_distance,
    transformed,
)


@cache
def a_cloud() -> np.ndarray:
    return np.random.default_rng(5).normal(size=(50_000, 3)) * (1.0, 3.0, 0.2) + (5, 6, 7)


@cache
def bounds_of_a_cloud() -> Bounds:
    return bounds_of([a_cloud()])


def test_the_box_holds_all_points_and_no_more():
    cloud = a_cloud()

    bounds = bounds_of([cloud[:100], cloud[100:]])

    assert np.array_equal(bounds.low, cloud.min(axis=0))
    assert np.array_equal(bounds.high, cloud.max(axis=0))


def test_nothing_has_no_bounds():
    assert bounds_of([np.empty((0, 3))]) is None


def test_the_outermost_points_are_few_and_reach_as_far_as_all():
    cloud = a_cloud()
    outermost = extremes(cloud)

    assert len(outermost) <= DIRECTIONS
    for direction in np.random.default_rng(6).normal(size=(50, 3)):
        reach = (cloud @ direction).max() - (cloud @ direction).min()
        assert (outermost @ direction).max() == pytest.approx(
            (cloud @ direction).max(), abs=0.02 * reach
        )


def test_balls_reach_further_than_their_centres():
    centres = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])

    reach = ball_extremes(centres, np.array([1.0, 0.25]))

    np.testing.assert_allclose(reach.min(axis=0), (-1.0, -1.0, -1.0))
    np.testing.assert_allclose(reach.max(axis=0), (2.25, 1.0, 1.0))


def test_a_model_is_centred_and_scaled_to_one():
    bounds = bounds_of_a_cloud()

    unit = transformed(np.array([bounds.low, bounds.high]), np.array(bounds.unit_from_model))

    np.testing.assert_allclose(unit[0], -unit[1])
    assert (unit[1] - unit[0]).max() == pytest.approx(1.0)


@pytest.mark.parametrize("resolution", [(640, 640), (640, 320), (320, 640)])
@pytest.mark.parametrize("pitch", [0.0, 35.0, 90.0])
def test_fit_fills_nine_tenths_of_one_axis_and_no_more_of_the_other(resolution, pitch):
    bounds = bounds_of_a_cloud()
    camera = OrbitCamera(yaw_deg=70.0, pitch_deg=pitch, distance=1.0, fit=True)

    distance = fit_distance(bounds.unit_support, camera, resolution)

    matrix = orbit_matrix(yaw_deg=70.0, pitch_deg=pitch, distance=distance)
    x, y, z = transformed(bounds.unit_support, np.linalg.inv(np.array(matrix))).T
    fx, fy, cx, cy = intrinsics(camera, resolution)
    spans = (np.abs(fx * x / -z).max() / cx, np.abs(fy * y / -z).max() / cy)
    assert max(spans) == pytest.approx(0.9)


def test_a_camera_never_enters_the_model():
    support = bounds_of_a_cloud().unit_support
    camera = OrbitCamera(yaw_deg=0.0, pitch_deg=0.0, distance=0.01, fit=True)

    assert fit_distance(support, camera, (64, 64)) > support[:, 1].max()


def test_a_tight_fit_is_nearer_than_a_loose_one():
    support = bounds_of_a_cloud().unit_support
    near, far = (
        fit_distance(
            support, OrbitCamera(yaw_deg=0, pitch_deg=0, distance=factor, fit=True), (64, 64)
        )
        for factor in (1.0, 1.3)
    )

    assert far == pytest.approx(1.3 * near)
    assert math.isfinite(far)
