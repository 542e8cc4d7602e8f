"""How Cycles says that a GPU's memory ran out, and what to do about it."""

from __future__ import annotations

import re

from farm.errors import GpuMemoryError

SIGNS = tuple(
    re.compile(text, re.IGNORECASE)
    for text in (
        r"out of GPU memory",  # what its own allocator says
        r"out of GPU and shared host memory",
        r"out of memory in ",  # a CUDA call, or the queue of kernels
        r"\(out of memory\)",  # no context, or no module, could be made
        r"_OUT_OF_MEMORY",  # OptiX's names of errors
    )
)
"""What in an error text of Cycles tells it, on CUDA and OptiX."""
LARGE_TILE_PX = 2048
"""Cycles' own choice."""
SMALL_TILE_PX = 256


def ran_out(text: str) -> bool:
    """Say whether Cycles' error is that the GPU has no memory left."""
    return any(sign.search(text) for sign in SIGNS)


def gave_up(text: str) -> GpuMemoryError:
    """Return the error of a picture that does not fit even in small tiles."""
    return GpuMemoryError(
        f"the GPU's memory ran out, in tiles of {SMALL_TILE_PX} pixels too ({text}); lower "
        "resolution_px, switch denoise off, use a smaller model or HDRI, close other programs on "
        "this GPU, or render on a larger one; fewer samples do not help"
    )
