"""The results of a program's steps: objects that are surely meant, and those that might be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

Places = frozenset[int]


@dataclass(frozen=True)
class Found:
    """A set of which not everything is certain."""

    sure: Places
    """Places of objects that surely belong to it."""
    possible: Places
    """Of those that might: all that are sure, and more."""

    @property
    def one(self) -> int | None:
        """The only object that it can be, if there is one."""
        return next(iter(self.sure)) if len(self.possible) == len(self.sure) == 1 else None

    def both(self, other: Found) -> Found:
        """Return what is in both."""
        return Found(self.sure & other.sure, self.possible & other.possible)

    def only(self, holds: Callable[[int], bool | None]) -> Found:
        """Return those of which something holds: None where that is not known."""
        return self.both(certainly((place, holds(place)) for place in self.possible))


NOTHING = Found(frozenset(), frozenset())


def certainly(answers: Iterable[tuple[int, bool | None]]) -> Found:
    """Return the set of the objects with the answer yes, and, possibly, those with none."""
    told = dict(answers)
    sure = frozenset(place for place, holds in told.items() if holds)
    return Found(sure, sure | {place for place, holds in told.items() if holds is None})


def exactly(places: Iterable[int]) -> Found:
    """Return a set of which all is certain."""
    known = frozenset(places)
    return Found(known, known)
