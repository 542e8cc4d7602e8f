"""Alpha bleeding: colours go on beyond edges, since readers resize colour and alpha apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def alpha_bled(cutout: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the colours (H, W, 3) of a cutout (H, W, 4); where alpha is 0, those nearby.

    Where there is no object at all, they stay as they are.
    """
    alpha = cutout[..., 3]
    if alpha.all() or not alpha.any():
        return cutout[..., :3]
    near = spread(cutout[..., :3].astype(np.float64), alpha.astype(np.float64))
    return np.where(alpha[..., None] > 0, cutout[..., :3], np.round(near)).astype(np.uint8)


def spread(colours: Floats, weights: Floats) -> Floats:
    """Return colours (H, W, 3) which, where weights (H, W) are 0, are means of what is nearest.

    They are those of a picture of half the size, in which a pixel is the mean of four; and so on.
    """
    if weights.all():
        return colours
    height, width = weights.shape
    even = ((0, height % 2), (0, width % 2))
    light = np.pad(colours * weights[..., None], (*even, (0, 0)))
    sums, shares = fours(light), fours(np.pad(weights, even))
    means = sums / np.where(shares > 0, shares, 1.0)[..., None]
    near = np.repeat(np.repeat(spread(means, shares), 2, axis=0), 2, axis=1)[:height, :width]
    return np.where(weights[..., None] > 0, colours, near)


def fours(numbers: Floats) -> Floats:
    """Return the sums of two by two numbers (H, W, ...), of even height and width."""
    rows = numbers[0::2] + numbers[1::2]
    return np.asarray(rows[:, 0::2] + rows[:, 1::2])
