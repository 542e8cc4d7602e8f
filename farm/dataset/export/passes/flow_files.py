"""Flow as benchmarks keep it: KITTI's 16-bit PNG and Middlebury's `.flo`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.passes.pictures import encode

Flow = NDArray[np.float32]
Valid = NDArray[np.bool_]
FOLDERS = {"train": "training", "test": "testing"}
"""What KITTI and Sintel call splits; others keep their names."""
KITTI_STEPS_PER_PX = 64.0
KITTI_ZERO = 32768
FLO_HEAD = b"PIEH"
"""Also the number 202021.25, by which readers know the format."""
UNKNOWN_FLOW = 1e10
"""Middlebury's readers take everything beyond 1e9 as unknown."""


def kitti_png(flow: Flow, valid: Valid) -> tuple[bytes, int]:
    """Return a 16-bit PNG of (u, v, valid), and how many pixels move too far for it.

    Args:
        flow: (H, W, 2), x right, y down, pixels.
        valid: (H, W); other pixels are all 0.
    """
    with np.errstate(invalid="ignore"):
        steps = np.round(flow.astype(np.float64) * KITTI_STEPS_PER_PX) + KITTI_ZERO
        fits = ((steps >= 0) & (steps <= 65535)).all(axis=-1)
    kept = valid & fits
    pixels = np.zeros((*flow.shape[:2], 3), dtype=np.uint16)
    pixels[kept, :2] = steps[kept].astype(np.uint16)
    pixels[..., 2] = kept
    return encode(pixels, "png"), int(np.count_nonzero(valid & ~fits))


def flo_file(flow: Flow, valid: Valid) -> bytes:
    """Return a `.flo` file: pixels that are not valid are unknown."""
    height, width = flow.shape[:2]
    told = np.where(valid[..., None], flow, np.float32(UNKNOWN_FLOW)).astype("<f4")
    return FLO_HEAD + np.array([width, height], dtype="<i4").tobytes() + told.tobytes()
