"""Depth as readers of 16-bit PNGs take it: whole steps, 0 where it is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.passes.pictures import encode

MOST = 65535
FEWEST = 100
"""Steps below which a depth is coarse: known to half a hundredth of itself, or worse."""

NOTHING = {"too_far": 0, "too_near": 0}
"""What is told of a frame without depth."""


class SteppedDepth(NamedTuple):
    """A depth map in 16 bits."""

    png: bytes
    too_far: int
    """Pixels that show something farther than 16 bits reach; they are 0, too."""
    too_near: int
    """Pixels that show something nearer than `FEWEST` steps."""

    @property
    def told(self) -> dict[str, int]:
        """What a line of the frame tells, for `DepthNotes`."""
        return {"too_far": int(self.too_far > 0), "too_near": int(self.too_near > 0)}


def stepped_depth(depth: NDArray[np.float32], *, steps_per_unit: float) -> SteppedDepth:
    """Return a depth map (H, W) in whole steps; 0 is nothing, too far, or no depth."""
    there = np.isfinite(depth) & (depth > 0)
    steps = np.round(np.where(there, depth, 0.0).astype(np.float64) * steps_per_unit)
    far = there & (steps > MOST)
    pixels = np.where(far, 0, steps).astype(np.uint16)
    too_far, too_near = (int(np.count_nonzero(each)) for each in (far, there & (steps < FEWEST)))
    return SteppedDepth(encode(pixels, "png"), too_far, too_near)


class DepthNotes:
    """Says in how many frames something is too far for 16 bits, or too near for such steps."""

    def __init__(self, *, steps_per_m: float) -> None:
        self._steps_per_m = steps_per_m
        self._frames = Counter[str]()

    def see(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Count what lines of frames tell."""
        for line in lines:
            self._frames.update({name: line[name] for name in NOTHING})

    @property
    def notes(self) -> list[str]:
        """What a person should know."""
        far, near = (self._frames[name] for name in NOTHING)
        reach_m, step_m = MOST / self._steps_per_m, 1 / self._steps_per_m
        notes = []
        if far:
            notes.append(
                f"depth beyond {reach_m:g} m does not fit 16 bits and is 0, unknown, in "
                f"{counted(far)}"
            )
        if near:
            notes.append(
                f"depth is in steps of {step_m:g} m, so what is nearer than {FEWEST * step_m:g} m "
                f"is coarse, or 0, unknown, in {counted(near)}"
            )
        return notes


def counted(frames: int) -> str:
    """Return a number of frames in words."""
    return f"{frames:,} frame{'s' if frames > 1 else ''}"
