"""Environments as cameras see them behind all else, against sums that are written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from farm.spec.record import CameraRecord
from worker.panorama.backdrop import (
    FILTER_PX,
    Panorama,
    View,
    averaged,
    even,
    filter_weights,
    looked_up,
)

AHEAD = ((1.0, 0, 0, 0), (0, 0, -1.0, 0), (0, 1.0, 0, 0), (0, 0, 0, 1.0))
"""Looks along +y."""


def a_camera(focal_px: float, size: tuple[int, int], turned=AHEAD) -> View:
    width, height = size
    camera = CameraRecord(
        world_from_camera=turned, fx_px=focal_px, fy_px=focal_px, cx_px=width / 2, cy_px=height / 2
    )
    return View(camera, size)


def along(*direction: float) -> np.ndarray:
    return np.array(direction, np.float32).reshape(3, 1, 1)


def numbered(height: int, width: int) -> np.ndarray:
    """An environment whose texels have numbers: their row, column and 1."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([rows, columns, np.ones_like(rows)], axis=-1)


@pytest.mark.parametrize(
    ("direction", "row", "column"),
    [
        ((1, 0, 0), 3.5, 7.5),
        ((0, -1, 0), 3.5, 11.5),
        ((0, 1, 0), 3.5, 3.5),
        ((math.cos(math.pi / 8), 0, math.sin(math.pi / 8)), 2.5, 7.5),
    ],
)
def test_directions_fall_where_cycles_has_them(direction, row, column):
    light = looked_up(numbered(8, 16), along(*direction))[0, 0]

    assert light == pytest.approx([row, column, 1.0], abs=1e-4)


def test_the_seam_repeats():
    seam = looked_up(numbered(8, 16), along(-1.0, 1e-9, 0.0))[0, 0]

    assert seam[1] == pytest.approx(7.5, abs=1e-4)  # half of column 15 and half of column 0


def test_the_poles_repeat_too_as_they_do_in_cycles():
    texels = np.zeros((4, 8, 3), np.float32)
    texels[0], texels[-1] = 1.0, 3.0

    assert looked_up(texels, along(0, 0, 1.0))[0, 0] == pytest.approx([2.0] * 3)
    assert looked_up(texels, along(0, 0, -1.0))[0, 0] == pytest.approx([2.0] * 3)


@pytest.mark.parametrize("steps", [2, 4, 8])
def test_the_filter_is_whole_even_and_no_wider_than_cycles_own(steps):
    weights = dict(filter_weights(steps))
    middle = (5 * steps - 1) / 2

    assert sum(weights.values()) == pytest.approx(1.0)
    assert all(abs(place - middle) / steps < FILTER_PX / 2 for place in weights)
    assert all(weights[place] == pytest.approx(weights[5 * steps - 1 - place]) for place in weights)


def test_the_filter_is_as_wide_as_its_formula():
    """Blackman's and Harris's window, integrated apart."""
    fine = np.linspace(-1.5, 1.5, 100_001)
    angle = 2 * np.pi * (fine / 3.0 + 0.5)
    window = 0.35875 - 0.48829 * np.cos(angle) + 0.14128 * np.cos(2 * angle)
    window -= 0.01168 * np.cos(3 * angle)
    expected = float((window * fine**2).sum() / window.sum())

    spread = sum(weight * ((place + 0.5) / 8 - 2.5) ** 2 for place, weight in filter_weights(8))
    assert spread == pytest.approx(expected, rel=0.01)


def test_an_even_sky_is_even_through_every_lens_and_size():
    sky = Panorama(np.full((16, 32, 3), 0.7, np.float32))

    for focal, size in ((10.0, (5, 40)), (300.0, (40, 17)), (2.0, (64, 64))):
        assert sky.seen(a_camera(focal, size)) == pytest.approx(0.7, rel=1e-5)
    assert (even(0.3, (5, 4)) == np.full((4, 5, 3), 0.3, np.float32)).all()


@pytest.mark.parametrize("texels", [64, 512, 2048])
def test_a_picture_is_the_mean_of_very_many_rays(texels):
    """Whether the environment is coarser or finer than the pixels."""
    rng = np.random.default_rng(3)
    sky = rng.gamma(2.0, size=(texels // 2, texels, 3)).astype(np.float32)
    view = a_camera(60.0, (6, 5))

    seen = Panorama(sky).seen(view)

    fine = np.asarray(Panorama(sky).seen(a_camera(60.0 * 9, (54, 45))))
    middle = fine.reshape(5, 9, 6, 9, 3).mean(axis=(1, 3))  # a narrower filter: nearly a box
    assert seen.mean() == pytest.approx(middle.mean(), rel=0.03)
    assert np.corrcoef(seen.ravel(), middle.ravel())[0, 1] > 0.9


def test_squares_of_texels_keep_their_light():
    texels = numbered(12, 24)

    assert averaged(texels, 4).shape == (3, 6, 3)
    assert averaged(texels, 5).shape == (3, 6, 3)  # 5 does not divide it
    assert averaged(texels, 4).mean() == pytest.approx(texels.mean())
    assert averaged(numbered(7, 14), 3).shape == (7, 14, 3)
