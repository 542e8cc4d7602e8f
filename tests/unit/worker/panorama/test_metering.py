"""How bright environments are metered to be: against sums over all directions, done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from worker.panorama.metering import ball_mean, dome_mean, harmonics_of, stops_for

UP, DOWN, RIGHT, AHEAD = ((0, 0, 1), (0, 0, -1), (1, 0, 0), (0, 1, 0))


def even(level: float) -> np.ndarray:
    return np.full((16, 32, 3), level, np.float32)


def a_sun(width: int = 64) -> np.ndarray:
    """A dim sky with a small, strong light half-way up, towards +x: the middle column."""
    texels = np.full((width // 2, width, 3), 0.1, np.float32)
    texels[width // 8 : width // 8 + 2, width // 2 - 2 : width // 2 + 2] = 300.0
    return texels


def clouds() -> np.ndarray:
    return np.random.default_rng(3).gamma(0.5, size=(24, 48, 3)).astype(np.float32)


def directions(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the directions (N, 3) of an environment's texels, and their solid angles (N,)."""
    down = (np.arange(height) + 0.5) * math.pi / height
    turn = math.pi - (np.arange(width) + 0.5) * 2 * math.pi / width
    flat, up = np.sin(down)[:, None], np.cos(down)[:, None]
    towards = np.stack(np.broadcast_arrays(flat * np.cos(turn), flat * np.sin(turn), up), axis=-1)
    area = np.broadcast_to(flat * (math.pi / height) * (2 * math.pi / width), (height, width))
    return towards.reshape(-1, 3), area.ravel()


def mean_of_a_ball(texels: np.ndarray, towards: tuple[float, float, float]) -> float:
    """Add up what a camera far off sees of a white ball, point by point."""
    light, solid = directions(*texels.shape[:2])
    radiance = texels.reshape(-1, 3) @ np.array([0.2126, 0.7152, 0.0722])
    points, areas = directions(40, 80)
    irradiance = np.clip(points @ light.T, 0, None) @ (radiance * solid)
    seen = np.clip(points @ np.array(towards), 0, None) * areas
    return float((irradiance / math.pi * seen).sum() / seen.sum())


@pytest.mark.parametrize("sky", [even(1.0), a_sun(), clouds()], ids=["even", "sun", "clouds"])
@pytest.mark.parametrize("towards", [UP, DOWN, RIGHT, AHEAD, (-0.6, 0.0, 0.8)])
def test_the_mean_of_a_ball_is_what_all_directions_add_up_to(sky, towards):
    assert ball_mean(harmonics_of(sky), np.array(towards, float)) == pytest.approx(
        mean_of_a_ball(sky, towards), rel=0.03
    )


@pytest.mark.parametrize("sky", [even(1.0), a_sun(), clouds()], ids=["even", "sun", "clouds"])
def test_the_mean_over_a_dome_is_that_of_cameras_on_it(sky):
    light = harmonics_of(sky)
    towards, areas = directions(60, 120)
    above = towards[:, 2] > 0
    each = [ball_mean(light, direction) for direction in towards[above]]

    assert dome_mean(light) == pytest.approx(np.average(each, weights=areas[above]), rel=1e-3)


@pytest.mark.parametrize(
    ("level", "stops"), [(1.0, 0.0), (0.5, 1.0), (0.004, 7.9658), (60.0, -5.9069)]
)
def test_an_even_sky_takes_the_stops_that_make_it_white(level, stops):
    assert stops_for(even(level)) == pytest.approx(stops, abs=2e-4)


def test_a_sky_twice_as_bright_takes_one_stop_less():
    assert stops_for(clouds()) - stops_for(2 * clouds()) == pytest.approx(1.0, abs=2e-4)


def test_how_finely_a_sky_is_stored_does_not_matter():
    fine = np.repeat(np.repeat(a_sun(), 4, axis=0), 4, axis=1)

    assert stops_for(fine) == pytest.approx(stops_for(a_sun()), abs=0.01)


@pytest.mark.parametrize("level", [0.0, -1.0])
def test_no_exposure_brightens_darkness(level):
    assert stops_for(even(level)) == 0.0
