"""The means of a texture's channels, read from its file."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Numbers = NDArray[np.float64]

MOST_PX = 100_000_000
"""Larger textures are not read: that would take gigabytes."""
DRAFT_PX = 512
"""JPEG files are read at the least size that is no smaller: their blocks tell their means."""
DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I")
"""PIL's names for pictures of 16 bits."""


def texture_means(data: bytes, *, encoded: bool) -> Numbers | None:
    """Return the means (4,) of red, green, blue and alpha, 0..1, linear.

    Args:
        data: A file; PNG, JPEG, WebP, TIFF, TGA, BMP and what else PIL reads.
        encoded: Its colours are encoded as sRGB has it, not plain numbers.

    Returns:
        The means; None where it cannot be read, or is too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as picture:
                if picture.width * picture.height > MOST_PX:
                    return None
                picture.draft(None, (DRAFT_PX, DRAFT_PX))
                return means_of(picture, encoded=encoded)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None


def means_of(picture: Image.Image, *, encoded: bool) -> Numbers:
    """Return the means (4,) of a picture's channels, linear."""
    if picture.mode in DEEP:
        values = np.asarray(picture, dtype=np.float64) / 65535
        return opaque(float((linear(values) if encoded else values).mean()))
    if picture.mode == "F":
        return opaque(float(np.asarray(picture, dtype=np.float64).mean()))
    clear = picture.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in picture.info
    plain = picture.convert("RGBA" if clear else "RGB")
    counts = np.array(plain.histogram(), dtype=np.float64).reshape(-1, 256)
    levels = np.arange(256) / 255
    colour = linear(levels) if encoded else levels
    means = counts[:3] @ colour / (plain.width * plain.height)
    alpha = counts[3] @ levels / (plain.width * plain.height) if clear else 1.0
    return np.append(means, alpha)


def opaque(grey: float) -> Numbers:
    """Return the means of a grey picture."""
    return np.array([grey, grey, grey, 1.0])


def linear(values: Numbers) -> Numbers:
    """Return what sRGB's numbers, 0..1, stand for."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
