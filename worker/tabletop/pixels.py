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
    found = np.zeros_like(mask)
    if mask.any():
        around = extent(mask)
        found[around] = inner_of_all(mask[around], margin)
    return found


def extent(mask: Mask) -> tuple[slice, slice]:
    """Return the rows and columns between which all of a mask (H, W) lies."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def inner_of_all(mask: Mask, margin: int) -> Mask:
    """Return the same, looking at each pixel of the mask."""
    side = 2 * margin + 1
    padded = np.pad(mask, margin).astype(np.int32)
    sums = np.pad(padded.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.asarray(inside == side * side)


def deepest(mask: Mask) -> tuple[float, float]:
    """Return the middle (u, v) of a pixel of a mask (H, W) that is as far from its edge as any.

    Of several such pixels it is the one nearest to the middle of them.
    """
    around = extent(mask)
    cut, (top, left) = mask[around], (int(part.start) for part in around)
    low, high = 0, (min(cut.shape) + 1) // 2  # `inner` of a margin of `high` is empty
    while high - low > 1:
        middle = (low + high) // 2
        if inner_of_all(cut, middle).any():
            low = middle
        else:
            high = middle
    rows, columns = np.nonzero(inner_of_all(cut, low))
    nearest = int(((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2).argmin())
    return (left + float(columns[nearest]) + 0.5, top + float(rows[nearest]) + 0.5)
