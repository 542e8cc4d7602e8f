"""Random streams: one per aspect of a view, from the seed and what the view is of."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np

from farm.spec.asset import Asset


def stream(seed: int, of: Iterable[Asset], *, place: int, aspect: str) -> np.random.Generator:
    """Return the random stream of one aspect of one view.

    Assets enter by content, not by position: adding one to a spec moves no other view.
    """
    words = (int(asset.content[:15], 16) for asset in of)
    return np.random.default_rng([seed, *words, place, zlib.crc32(aspect.encode())])
