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
    return stream_of(seed, numbers_of(of), place=place, aspect=aspect)


def numbers_of(of: Iterable[Asset]) -> tuple[int, ...]:
    """Return by what assets enter a stream."""
    return tuple(int(asset.content[:15], 16) for asset in of)


def stream_of(
    seed: int, numbers: tuple[int, ...], *, place: int, aspect: str
) -> np.random.Generator:
    """Return the stream of one aspect of what is made of assets whose numbers are known."""
    return np.random.default_rng([seed, *numbers, place, zlib.crc32(aspect.encode())])
