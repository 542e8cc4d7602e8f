"""Where in a picture a thing is seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
"""(H, W)."""


def inner(mask: Mask, margin: int = 1) -> Mask:
    """Return the pixels of a mask (H, W) around which all within `margin` pixels belong to it.

    What is beyond the picture does not.
    """
    side = 2 * margin + 1
    padded = np.pad(mask, margin).astype(np.int64)
    sums = np.pad(padded.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.asarray(inside == side * side)


def deepest(mask: Mask) -> tuple[float, float]:
    """Return the middle (u, v) of a pixel of a mask (H, W) that is as far from its edge as any.

    Of several such pixels it is the one nearest to the middle of them.
    """
    rows, columns = np.nonzero(mask)
    top, left = int(rows.min()), int(columns.min())
    cut = mask[top : rows.max() + 1, left : columns.max() + 1]
    low, high = 0, (min(cut.shape) + 1) // 2  # `inner` of a margin of `high` is empty
    while high - low > 1:
        middle = (low + high) // 2
        if inner(cut, middle).any():
            low = middle
        else:
            high = middle
    rows, columns = np.nonzero(inner(cut, low))
    nearest = int(((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2).argmin())
    return (left + float(columns[nearest]) + 0.5, top + float(rows[nearest]) + 0.5)
