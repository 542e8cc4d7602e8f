"""Linear colours and numbers as 8-bit pictures hold them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
GAMMA = 2.2


def share_bytes(shares: Floats) -> Bytes:
    """Return numbers from 0 to 1 as 0 to 255, to the nearest; what is not a number is 0."""
    whole = np.nan_to_num(shares.astype(np.float64), nan=0.0, posinf=1.0, neginf=0.0)
    return np.round(np.clip(whole, 0.0, 1.0) * 255).astype(np.uint8)


def colour_bytes(linear: Floats) -> Bytes:
    """Return linear colours in sRGB (IEC 61966-2-1)."""
    low = np.clip(np.nan_to_num(linear.astype(np.float64), nan=0.0), 0.0, 1.0)
    bent = np.where(low <= 0.0031308, 12.92 * low, 1.055 * np.power(low, 1 / 2.4) - 0.055)
    return share_bytes(bent.astype(np.float32))


def gamma_bytes(shares: Floats) -> Bytes:
    """Return numbers from 0 to 1 bent by a power of 2.2, as some readers take them back."""
    return share_bytes(np.power(np.clip(shares, 0.0, 1.0), 1 / GAMMA))


def normal_bytes(normals: Floats) -> Bytes:
    """Return unit vectors as glTF has them: -1 is 0, 1 is 255."""
    return share_bytes(normals * 0.5 + 0.5)
