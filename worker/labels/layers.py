"""Layers that pictures are put together from: scene-linear light, as bright as the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.images.multilayer import Passes

Floats = NDArray[np.float32]
Halves = NDArray[np.float16]

BRIGHTEST = float(np.finfo(np.float16).max)
"""Brightest light that 16 bits hold; what is brighter is as bright as that."""


def foreground(passes: Passes, *, gain: float) -> Floats:
    """Return the light (H, W, 4) of all but the environment, and the share that it covers."""
    light = passes.foreground * np.array([gain, gain, gain, 1.0], np.float32)
    light[..., 3].clip(0.0, 1.0, out=light[..., 3])
    return np.asarray(light)


def background(passes: Passes, *, gain: float) -> Floats:
    """Return the light (H, W, 3) of the environment alone."""
    return np.asarray(passes.background * np.float32(gain))


def halves(light: Floats) -> Halves:
    """Return light as 16 bits hold it."""
    return np.clip(light, -BRIGHTEST, BRIGHTEST).astype(np.float16)
