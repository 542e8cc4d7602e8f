"""How bright an environment lights a grey ball, by spherical harmonics.

Light on a matt surface hardly depends on more than nine numbers of an environment (Ramamoorthi and
Hanrahan 2001); the mean that a camera sees of a ball, which spreads it once more, depends on even
less.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Harmonics = NDArray[np.float64]
"""(9,): degrees 0, 1 and 2, orders from the lowest."""

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Of linear Rec. 709."""
SPREAD = np.array([math.pi, *[2 * math.pi / 3] * 3, *[math.pi / 4] * 5])
"""What a matt surface makes of each of them."""
DARKEST = 1e-9
"""Below this an environment gives no light that could be made brighter."""
MOST_STOPS = 20.0
DIGITS = 4
"""Of stops: a record says them as they are used."""
BAND_ROWS = 64
"""Rows of texels that are added up at a time."""


def stops_for(texels: Floats) -> float:
    """Return by how many stops pictures under an environment are to be brighter.

    A grey ball then has the mean that it has under a white sky of strength 1: of all cameras on a
    dome around it, which look from the horizon or from above.

    Args:
        texels: (H, W, 3), linear, the zenith first.
    """
    light = dome_mean(harmonics_of(texels))
    if light < DARKEST:
        return 0.0
    return round(min(max(-math.log2(light), -MOST_STOPS), MOST_STOPS), DIGITS)


def dome_mean(light: Harmonics) -> float:
    """Return the mean that cameras around and above a white ball see of it; 1 under a white sky."""
    seen = seen_of_ball(light)
    half_way = 0.5  # the mean height of a dome of radius 1; of degree 2 nothing is left
    return float(basis(np.zeros(3))[0] * seen[0] + 0.4886025119 * half_way * seen[2])


def ball_mean(light: Harmonics, towards: NDArray[np.float64]) -> float:
    """Return the mean that a camera far off in a direction (3,) sees of a white ball."""
    return float(basis(towards / np.linalg.norm(towards)) @ seen_of_ball(light))


def seen_of_ball(light: Harmonics) -> Harmonics:
    """Return the means of a white ball as harmonics of the direction from which it is seen.

    Its surface spreads light, and its disc shows more of what faces the camera: the same twice.
    """
    return np.asarray(light * SPREAD**2 / math.pi**2)


def harmonics_of(texels: Floats) -> Harmonics:
    """Return the luminance of an environment (H, W, 3) as harmonics."""
    height, width, _ = texels.shape
    edges = np.cos(np.linspace(0.0, math.pi, height + 1))
    areas = (edges[:-1] - edges[1:]) * 2 * math.pi / width
    up = np.cos((np.arange(height) + 0.5) * math.pi / height)
    turns = math.pi - (np.arange(width) + 0.5) * 2 * math.pi / width
    around = np.stack([
        np.ones(width), np.cos(turns), np.sin(turns), np.cos(2 * turns), np.sin(2 * turns)
    ])  # fmt: skip
    found = np.zeros(9)
    for top in range(0, height, BAND_ROWS):
        rows = slice(top, top + BAND_ROWS)
        light = np.maximum(texels[rows], 0).astype(np.float64) @ LUMINANCE
        found += (row_harmonics(light @ around.T, up[rows]) * areas[rows, None]).sum(axis=0)
    return found


def row_harmonics(waves: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the harmonics (rows, 9) of rows.

    Args:
        waves: (rows, 5), their light times 1, cos, sin, and cos and sin of twice the turn.
        up: (rows,), the height of each on a ball of radius 1.
    """
    flat = np.sqrt(np.maximum(1 - up**2, 0))
    one, cosine, sine, cosine_2, sine_2 = waves.T
    return np.stack(
        [
            0.2820947918 * one,
            0.4886025119 * flat * sine,
            0.4886025119 * up * one,
            0.4886025119 * flat * cosine,
            1.0925484306 * flat**2 * sine_2 / 2,
            1.0925484306 * flat * up * sine,
            0.3153915653 * (3 * up**2 - 1) * one,
            1.0925484306 * flat * up * cosine,
            0.5462742153 * flat**2 * cosine_2,
        ],
        axis=-1,
    )


def basis(towards: NDArray[np.float64]) -> Harmonics:
    """Return the harmonics of a direction (3,) of length 1."""
    x, y, z = towards
    return np.array([
        0.2820947918, 0.4886025119 * y, 0.4886025119 * z, 0.4886025119 * x,
        1.0925484306 * x * y, 1.0925484306 * y * z, 0.3153915653 * (3 * z * z - 1),
        1.0925484306 * x * z, 0.5462742153 * (x * x - y * y),
    ])  # fmt: skip
