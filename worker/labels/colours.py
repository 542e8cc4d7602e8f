"""Colours by which people tell the values of a label apart."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

GOLDEN_RATIO = 0.6180339887
"""Steps of it around the wheel of hues never meet again."""


def colour_of(index: int) -> tuple[int, int, int]:
    """Return the colour (sRGB) of a value; 0, the background, is black."""
    if index == 0:
        return (0, 0, 0)
    strength = (0.75, 0.45)[index // 12 % 2]
    bright = (1.0, 0.7)[index // 24 % 2]
    parts = colorsys.hsv_to_rgb(index * GOLDEN_RATIO % 1.0, strength, bright)
    red, green, blue = (round(255 * part) for part in parts)
    return (red, green, blue)


def rgb_of_hsv(
    hue: NDArray[np.floating], saturation: NDArray[np.floating], value: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return red, green and blue (H, W, 3) of hues, saturations and values (H, W), all 0..1."""
    offsets = np.array([5.0, 3.0, 1.0])
    step = (offsets + hue[..., None] * 6) % 6
    tint = np.clip(np.minimum(step, 4 - step), 0, 1)
    rgb: NDArray[np.floating] = value[..., None] * (1 - saturation[..., None] * tint)
    return rgb
