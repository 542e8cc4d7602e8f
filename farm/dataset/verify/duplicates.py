"""Views that show the same picture twice, or nearly, among millions, in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 16
"""A picture's hash has SIDE x SIDE bits."""
NEAR = 7
"""Most bits in which the hashes of pictures that are taken for the same may differ."""
BANDS = NEAR + 1
"""Parts of a hash: two such hashes share at least one, and only those that do are compared."""
NEIGHBOURS = 4
"""Most others of the same part with which a view is compared: enough to find one like it."""
NUMBERS = 3 + SIDE * SIDE // 64
"""64-bit numbers kept for each view."""


class Fingerprint(NamedTuple):
    """What is kept of a picture."""

    group: int
    """Only pictures of one group are compared: those of one model."""
    content: int
    """From the hash of the file's bytes."""
    bits: tuple[int, ...]


class DuplicateFinder:
    """Takes the looks of views, then tells which are alike; 56 bytes for each view."""

    def __init__(self) -> None:
        self._numbers = array("Q")

    def __len__(self) -> int:
        return len(self._numbers) // NUMBERS

    def add(self, place: int, look: Fingerprint) -> None:
        """Take the look of the view that is called `place`."""
        self._numbers.extend((place, look.group, look.content, *look.bits))

    def same(self) -> Iterator[tuple[int, int]]:
        """Yield pairs of places, later and earlier, whose files have the same bytes."""
        table = self._table()
        order = np.lexsort((table[:, 0], table[:, 2]))
        first, second = order[:-1], order[1:]
        equal = table[first, 2] == table[second, 2]
        yield from pairs(table, first[equal], second[equal])

    def alike(self) -> Iterator[tuple[int, int]]:
        """Yield pairs of places, later and earlier, that look the same but are other bytes.

        A place comes first in one pair at most.
        """
        table = self._table()
        parts = np.ascontiguousarray(table[:, 3:]).view(np.uint32).reshape(len(table), BANDS)
        told: set[int] = set()
        for band in range(BANDS):
            order = np.lexsort((table[:, 0], parts[:, band], table[:, 1]))
            for lag in range(1, NEIGHBOURS + 1):
                first, second = order[:-lag], order[lag:]
                near = (table[first, 1] == table[second, 1]) & (
                    parts[first, band] == parts[second, band]
                )
                first, second = first[near], second[near]
                bits = np.bitwise_count(table[first, 3:] ^ table[second, 3:]).sum(axis=1)
                near = (bits <= NEAR) & (table[first, 2] != table[second, 2])
                for later, earlier in pairs(table, first[near], second[near]):
                    if later not in told:
                        told.add(later)
                        yield later, earlier

    def _table(self) -> NDArray[np.uint64]:
        """(N, NUMBERS): place, group, content and the hash's bits."""
        return np.array(self._numbers, dtype=np.uint64).reshape(-1, NUMBERS)


def pairs(
    table: NDArray[np.uint64], first: NDArray[np.intp], second: NDArray[np.intp]
) -> Iterator[tuple[int, int]]:
    """Yield the places of two rows each, the later one first."""
    for one, other in zip(table[first, 0].tolist(), table[second, 0].tolist(), strict=True):
        yield max(one, other), min(one, other)


def picture_bits(pixels: NDArray[Any]) -> tuple[int, ...]:
    """Return the difference hash of a picture, as numbers of 64 bits.

    A bit says whether a cell of the picture, made small and grey, is brighter than the cell to
    its right. So it knows shapes, not brightness; noise and compression change few bits.

    Args:
        pixels: (H, W, 3), at least SIDE + 1 pixels wide and SIDE high.
    """
    grey = np.add(pixels[..., 0], pixels[..., 1], dtype=np.float32)  # a mean over three is slow
    grey = (grey + pixels[..., 2]) / np.float32(3)
    rows = np.arange(SIDE) * grey.shape[0] // SIDE
    columns = np.arange(SIDE + 1) * grey.shape[1] // (SIDE + 1)
    sums = np.add.reduceat(np.add.reduceat(grey, rows, axis=0), columns, axis=1)
    sizes = np.outer(
        np.diff(np.append(rows, grey.shape[0])), np.diff(np.append(columns, grey.shape[1]))
    )
    small = sums / sizes
    bits = np.packbits(small[:, :-1] > small[:, 1:])
    return tuple(bits.view(np.uint64).tolist())


def can_be_hashed(pixels: NDArray[Any]) -> bool:
    """Say whether a picture, (H, W, 3), is large enough to have a hash."""
    height, width = pixels.shape[:2]
    return bool(height >= SIDE and width > SIDE)
