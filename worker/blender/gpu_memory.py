"""What to do when Cycles says that a GPU's memory ran out."""

from __future__ import annotations

from farm.errors import GpuMemoryError
from farm.ledger.causes import diagnose

LARGE_TILE_PX = 2048
"""Cycles' own choice."""
SMALL_TILE_PX = 256


def ran_out(text: str) -> bool:
    """Say whether Cycles' error is that the GPU has no memory left."""
    sign = diagnose(text)
    return sign is not None and sign.cause == GpuMemoryError.cause


def gave_up(text: str) -> GpuMemoryError:
    """Return the error of a picture that does not fit even in small tiles."""
    return GpuMemoryError(
        f"the GPU's memory ran out, even in tiles of {SMALL_TILE_PX} pixels ({text}); lower "
        "resolution_px, switch denoise off, use a smaller model or HDRI, close other programs on "
        "this GPU, or render on a larger one; fewer samples do not help"
    )
