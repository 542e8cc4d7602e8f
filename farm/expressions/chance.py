"""Choices of one view, drawn many at a time: a generator is slow at single numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_BLOCK = 512


class Chance:
    """A stream of choices."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._ahead: list[float] = []

    def share(self) -> float:
        """Return a number from 0 to below 1."""
        if not self._ahead:
            self._ahead = self._rng.random(_BLOCK).tolist()
        return self._ahead.pop()

    def _shares(self, count: int) -> list[float]:
        """Return several numbers from 0 to below 1."""
        start = len(self._ahead) - count
        if start < 0:
            self._ahead = self._rng.random(_BLOCK + count).tolist()
            start = _BLOCK
        drawn = self._ahead[start:]
        del self._ahead[start:]
        return drawn

    def below(self, count: int) -> int:
        """Return a whole number from 0 to below `count`."""
        return int(self.share() * count)

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of several."""
        return options[self.below(len(options))]

    def shuffled(self, options: Iterable[T]) -> list[T]:
        """Return all of several in another order."""
        given = list(options)
        if len(given) > _BLOCK:
            return [given[each] for each in self._rng.permutation(len(given)).tolist()]
        keys = self._shares(len(given))
        return [given[each] for each in sorted(range(len(given)), key=keys.__getitem__)]

    def by_weight(self, options: Sequence[tuple[T, float]]) -> list[T]:
        """Return all of several in another order, the heavier ones more often first."""
        shares = self._shares(len(options))
        keys = [share ** (1.0 / weight) for share, (_, weight) in zip(shares, options, strict=True)]
        order = sorted(range(len(options)), key=keys.__getitem__, reverse=True)
        return [options[each][0] for each in order]

    def style(self) -> Style:
        """Return choices of words for one sentence."""
        return Style(tuple(self._shares(STYLE)))


STYLE = 24


class Style:
    """Choices of words of one sentence: the same ones each time that it is written.

    So a true sentence and what is made of it by changing one word differ in that word alone.
    """

    def __init__(self, drawn: tuple[float, ...]) -> None:
        self._drawn = drawn
        self._at = 0

    def again(self) -> Style:
        """Return the same choices from their beginning."""
        return Style(self._drawn)

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of several."""
        share = self._drawn[self._at % len(self._drawn)]
        self._at += 1
        return options[int(share * len(options))]
