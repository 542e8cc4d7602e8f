"""What a camera sees of an environment behind all else, looked up instead of traced.

Cycles gives a pixel that shows the environment alone the mean of some rays through it. Here it gets
that mean itself, as far as a fine grid of rays tells it: the same light, without the noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.projection import focal_px
from farm.spec.record import CameraRecord

Floats = NDArray[np.float32]

FILTER_PX = 3.0
"""Width of Cycles' pixel filter: that of Blackman and Harris is twice as wide as the setting says,
which is 1.5 by default."""
BLACKMAN_HARRIS = (0.35875, -0.48829, 0.14128, -0.01168)
"""Weights of the cosines of 0, 1, 2 and 3 times the angle (Harris 1978, the filter of 4 terms)."""
STEPS = ((4.0, 4), (12.0, 8), (math.inf, 16))
"""Texels that a pixel spans, at most, and the rays along each side of it that tell their mean."""
HALO_PX = 2
"""Pixels beyond a picture's edge that its filter reaches into."""
FINEST_TEXELS = 8.0
"""Texels that a pixel spans, at most, at the horizon: of finer environments means are taken."""
BAND_ROWS = 16
"""Rows of pixels made at a time: their rays stay in the processor's cache."""


class View(NamedTuple):
    """A pinhole camera under an environment."""

    camera: CameraRecord
    """Its world is the one in which the environment stands."""
    size_px: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Panorama:
    """The light of an environment, by direction."""

    texels: Floats
    """(H, W, 3), linear, the zenith first; the middle column is +x, the next quarter -y."""
    _smaller: dict[int, Floats] = field(default_factory=dict)

    def seen(self, view: View) -> Floats:
        """Return what a camera sees of it, (H, W, 3), through Cycles' pixel filter."""
        width, height = view.size_px
        texels = self._averaged(max(1, int(spanned(self.texels, view) / FINEST_TEXELS)))
        picture = np.empty((height, width, 3), np.float32)
        for top in range(0, height, BAND_ROWS):
            rows = range(top, min(top + BAND_ROWS, height))
            steps = steps_of(texels, view, rows)
            light = looked_up(texels, directions(view, rows, steps))
            picture[rows.start : rows.stop] = filtered(light, steps)
        return picture

    def _averaged(self, step: int) -> Floats:
        """Return the means of squares of texels, made once."""
        if step == 1:
            return self.texels
        if step not in self._smaller:
            self._smaller[step] = averaged(self.texels, step)
        return self._smaller[step]


def spanned(texels: Floats, view: View) -> float:
    """Return how many texels a pixel in the middle of a picture spans, at the horizon."""
    return float(texels.shape[1]) / (2 * math.pi * min(focal_px(view.camera)))


def steps_of(texels: Floats, view: View, rows: range) -> int:
    """Return how many rays each side of a pixel takes in some rows: near a pole, where texels are
    narrow, more.
    """
    x, y, z = directions(view, rows, 1)
    flat = np.hypot(x, y)
    narrowest = float((flat / np.hypot(flat, z)).min())
    most = spanned(texels, view) / max(narrowest, 1e-6)
    return next(steps for limit, steps in STEPS if most <= limit)


def averaged(texels: Floats, step: int) -> Floats:
    """Return the means of squares of texels: as many as divide both sides, at most `step`."""
    height, width, channels = texels.shape
    step = next(each for each in range(step, 0, -1) if not height % each and not width % each)
    squares = texels.reshape(height // step, step, width // step, step, channels)
    return np.asarray(squares.mean(axis=(1, 3)), dtype=np.float32)


def directions(view: View, rows: range, steps: int) -> Floats:
    """Return the directions (3, rows, columns) of a grid of rays, of any length.

    It reaches `HALO_PX` beyond the rows and the picture's sides.
    """
    camera, width = view.camera, view.size_px[0]
    fx, fy = focal_px(camera)
    across = (grid(range(width), steps) - camera.cx_px) / fx
    down = (grid(rows, steps) - camera.cy_px) / fy
    turn = np.array(camera.world_from_camera, dtype=np.float64)[:3, :3]
    right, up, back = (turn[:, axis].astype(np.float32)[:, None, None] for axis in range(3))
    x = across.astype(np.float32)[None, None, :]
    y = -down.astype(np.float32)[None, :, None]
    return np.asarray(right * x + up * y - back, dtype=np.float32)


def grid(pixels: range, steps: int) -> NDArray[np.float64]:
    """Return places, `steps` in each pixel of a row and of those around it."""
    count = (len(pixels) + 2 * HALO_PX) * steps
    return pixels.start - HALO_PX + (np.arange(count) + 0.5) / steps


def looked_up(texels: Floats, toward: Floats) -> Floats:
    """Return the light (rows, columns, 3) from directions (3, rows, columns), between the centres
    of texels as Cycles has it: around the horizon it repeats, at the poles it ends.
    """
    height, width, _ = texels.shape
    x, y, z = toward
    u = (0.5 - np.arctan2(y, x) / np.float32(2 * math.pi)) * width - 0.5
    v = (0.5 - np.arctan2(z, np.hypot(x, y)) / np.float32(math.pi)) * height - 0.5
    left, top = np.floor(u), np.floor(v)
    more_right, more_down = (u - left)[..., None], (v - top)[..., None]
    columns = left.astype(np.int32) % width, (left.astype(np.int32) + 1) % width
    above = top.astype(np.int32) % height
    below = (top.astype(np.int32) + 1) % height
    upper = between(texels[above, columns[0]], texels[above, columns[1]], more_right)
    lower = between(texels[below, columns[0]], texels[below, columns[1]], more_right)
    return between(upper, lower, more_down)


def between(one: Floats, another: Floats, share: Floats) -> Floats:
    """Return what lies between, `share` of the way to the other; the first array is used up."""
    another -= one
    another *= share
    one += another
    return one


def filtered(light: Floats, steps: int) -> Floats:
    """Return the pixels (rows, columns, 3) of a grid of rays with its halo."""
    weights = dict(filter_weights(steps))
    for axis in (0, 1):
        light = np.moveaxis(light, axis, 0)
        count = len(light) // steps - 2 * HALO_PX
        means = np.zeros((count, *light.shape[1:]), np.float32)
        for place, weight in weights.items():
            means += np.float32(weight) * light[place : place + count * steps : steps]
        light = np.moveaxis(means, 0, axis)
    return light


def filter_weights(steps: int) -> Iterator[tuple[int, float]]:
    """Yield which rays of a pixel and of its neighbours count, from the first, and how much."""
    count = (2 * HALO_PX + 1) * steps
    away = (np.arange(count) + 0.5) / steps - count / steps / 2
    angle = 2 * math.pi * (away / FILTER_PX + 0.5)
    shape = sum(part * np.cos(times * angle) for times, part in enumerate(BLACKMAN_HARRIS))
    weights = np.where(np.abs(away) < FILTER_PX / 2, shape, 0.0)
    weights /= weights.sum()
    yield from ((int(place), float(weights[place])) for place in np.flatnonzero(weights))


def even(light: float, size_px: tuple[int, int]) -> Floats:
    """Return what is seen of an environment that is equally white from everywhere."""
    width, height = size_px
    return np.full((height, width, 3), light, np.float32)
