"""A small picture of a view that is finished, for pages that follow the render."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LONGEST_PX = 192


def glimpse_of(pixels: NDArray[Any]) -> bytes:
    """Return a picture, (H, W) or (H, W, 3) with 8 or 16 bits, small, as WebP."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    picture = Image.fromarray(pixels).convert("RGB")
    picture.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.BILINEAR, reducing_gap=2.0)
    made = io.BytesIO()
    picture.save(made, "WEBP", quality=75, method=0)
    return made.getvalue()
