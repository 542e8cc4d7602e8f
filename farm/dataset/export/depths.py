"""Depth as readers of 16-bit PNGs take it: whole steps, 0 where it is not known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.pictures import encode

MOST = 65535


class SteppedDepth(NamedTuple):
    """A depth map in 16 bits."""

    png: bytes
    too_far: int
    """Pixels that show something farther than 16 bits reach; they are 0, too."""


def stepped_depth(depth: NDArray[np.float32], *, steps_per_unit: float) -> SteppedDepth:
    """Return a depth map (H, W) in whole steps; 0 is nothing, too far, or no depth."""
    there = np.isfinite(depth) & (depth > 0)
    steps = np.round(np.where(there, depth, 0.0).astype(np.float64) * steps_per_unit)
    far = there & (steps > MOST)
    pixels = np.where(far, 0, steps).astype(np.uint16)
    return SteppedDepth(encode(pixels, "png"), int(np.count_nonzero(far)))


def note_on(frames: int, *, reach_m: float) -> list[str]:
    """Say in how many frames something is too far for 16 bits."""
    if not frames:
        return []
    return [
        f"depth beyond {reach_m:g} m does not fit 16 bits and is 0, unknown, in "
        f"{frames:,} frame{'s' if frames > 1 else ''}"
    ]
