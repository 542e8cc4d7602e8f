"""The curves that cameras of ours follow."""

from __future__ import annotations

import math

import numpy as np

from worker.recipes.paths.curves import lengths, looking, natural_spline, one_way, piece, turns
from worker.recipes.paths.guard import coarse_to_fine
from worker.recipes.paths.lens import lens_of
from worker.recipes.paths.walk import MOST_JERK, MOST_TURN_RAD


def zigzag(angles):
    """Return control points one apart, each turned from the one before by an angle."""
    ways = np.cumsum(angles)
    return np.concatenate([[[0, 0, 0]], np.cumsum(
        np.stack([np.cos(ways), np.sin(ways), np.zeros_like(ways)], axis=-1), axis=0
    )])  # fmt: skip


def walked(control, per_step=2000):
    """Return places along a curve at a steady speed of one per unit, many per unit."""
    us = np.linspace(0, 1, per_step, endpoint=False)
    places = np.concatenate([piece(control[at : at + 4], us) for at in range(len(control) - 3)])
    reached = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=-1))])
    even = np.arange(0, reached[-1], 0.02)
    return np.stack([np.interp(even, reached, axis) for axis in places.T], axis=-1)


def test_the_jerk_of_a_walk_is_bounded_however_it_turns():
    """The sharpest turns that it may take, one way, to and fro, and by chance."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for angles in (
        np.full(12, MOST_TURN_RAD),
        MOST_TURN_RAD * (-1.0) ** np.arange(12),
        *(MOST_TURN_RAD * rng.choice([-1, 1], 12) for _ in range(20)),
    ):
        places = walked(zigzag(angles))
        jerk = np.linalg.norm(np.diff(places, n=3, axis=0), axis=-1) / 0.02**3
        worst = max(worst, float(np.convolve(jerk, np.ones(5) / 5, "valid").max()))
    assert 0.5 < worst < MOST_JERK


def test_a_piece_begins_where_the_one_before_ends_and_bends_alike():
    control = zigzag(np.array([0.1, 0.6, -0.5, 0.3]))
    step = 1e-4
    ends = piece(control[:4], np.array([1 - 2 * step, 1 - step, 1.0]))
    begins = piece(control[1:5], np.array([0.0, step, 2 * step]))
    assert np.allclose(ends[-1], begins[0])
    assert np.allclose(np.diff(ends, axis=0)[-1], np.diff(begins, axis=0)[0], atol=2 * step**2)
    assert np.allclose(np.diff(ends, n=2, axis=0), np.diff(begins, n=2, axis=0), atol=1e-10)
    assert math.isclose(lengths(zigzag(np.zeros(3)))[-1], 1.0)


def test_a_spline_goes_through_its_points_and_is_straight_between_two():
    times = np.array([0.0, 1.0, 1.5, 4.0])
    values = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.0], [3.0, 5.0]])
    assert np.allclose(natural_spline(times, values, times), values)
    two = natural_spline(times[:2], values[:2], np.array([0.25]))
    assert np.allclose(two, [[0.5, 0.5]])


def test_a_spline_is_smooth_at_its_points():
    times, step = np.array([0.0, 1.0, 1.5, 4.0]), 1e-3
    values = np.array([[0.0], [2.0], [0.5], [3.0]])
    for knot in (1.0, 1.5):
        around = knot + step * np.arange(-3, 4)
        bends = np.diff(natural_spline(times, values, around)[:, 0], n=2) / step**2
        assert np.ptp(bends) < 0.1, "its second derivative does not jump"
    ends = np.diff(natural_spline(times, values, step * np.arange(3.0))[:, 0], n=2) / step**2
    assert abs(ends[0]) < 0.05


def test_turns_take_the_short_way_and_stay_turns():
    half = math.sqrt(0.5)
    quaternions = np.array([[0, 0, 0, 1.0], [0, 0, -half, -half]])
    near = one_way(quaternions)
    middle = natural_spline(np.array([0.0, 1.0]), near, np.array([0.5]))
    [matrix] = turns(middle)
    assert np.allclose(matrix @ matrix.T, np.eye(3))
    assert np.allclose(matrix @ [1, 0, 0], [half, half, 0]), "45 of 90 degrees"


def test_a_camera_stands_upright_where_there_is_an_up():
    pose = looking(np.array([3.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0]))
    assert np.allclose(-pose[:3, 2], [-1, 0, 0])
    assert np.allclose(pose[:3, 1], [0, 0, 1])
    down = looking(np.array([0.0, 0.0, 5.0]), np.zeros(3))
    assert np.allclose(down[:3, :3] @ down[:3, :3].T, np.eye(3))
    assert np.allclose(-down[:3, 2], [0, 0, -1])


def test_every_frame_is_looked_at_once():
    for count in (0, 1, 2, 3, 17, 100):
        assert sorted(coarse_to_fine(count)) == list(range(count))


def test_what_must_be_free_reaches_to_the_corners_of_the_near_plane():
    from farm.spec.camera import FisheyeLens, OrthographicLens, PerspectiveLens

    wide = lens_of(PerspectiveLens(focal_length_mm=18, sensor_width_mm=36), (200, 100), 0.5)
    assert math.isclose(wide.reach, 0.5 * math.hypot(1, 1, 0.5))
    assert np.allclose(np.abs(wide.near_plane()).max(axis=0), [0.5, 0.25, 0.5])
    flat = lens_of(OrthographicLens(width=4.0), (200, 100), 0.5)
    assert np.allclose(np.abs(flat.near_plane()).max(axis=0), [2.0, 1.0, 0.5])
    assert lens_of(FisheyeLens(k1=-0.05), (100, 100), 0.5).reach == 0.5
