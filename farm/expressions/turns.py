"""Taking turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def in_turn(ways: Iterable[Iterator[T]]) -> Iterator[T]:
    """Yield the first of each, then the second of each, and so on, until none is left."""
    left = deque(ways)
    while left:
        way = left.popleft()
        for each in way:
            yield each
            left.append(way)
            break
