"""What stands still in a sequence, by what its frames tell of all that hangs on time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.recipes.sequence import LAMP, TIME_DEPENDENT, WORLD
from farm.spec.record import ViewRecord

STAYS = 1e-3
"""Most by which a thing may move and still count as standing, as a share of its size."""
ROUNDED = 1e-5
"""By which places may be off, as a share of their distance: Blender's numbers have 32 bits."""
MARKS = (4, 3)
"""Points that tell where a thing with a box is: the middle of it, and of three of its sides."""
Points = NDArray[np.float64]
State = dict[str, str]
"""What hangs on time, and how each is in a frame."""


class Change(NamedTuple):
    """What is not the same in two views that should show the same."""

    what: str
    one: str
    """The first view, and the other."""
    other: str


@dataclass
class Still:
    """A sequence of which nothing but the camera moves, as far as its frames tell."""

    state: State | None = None
    """How all that hangs on time is in the first frame that tells; None where none does."""
    told_by: str = ""
    """That frame."""

    def note(self, state: State, view: str) -> list[Change]:
        """Note how things are in another frame; return what is otherwise than before."""
        if self.state is None:
            self.state, self.told_by = state, view
        changed = sorted(differences(self.state, state), key=by_what_it_says)
        return [Change(name, self.told_by, view) for name in changed]


class States:
    """Ways in which sequences stand still, numbered, each unlike all others."""

    def __init__(self) -> None:
        self._alike: dict[tuple[tuple[str, str], ...], list[tuple[int, State]]] = {}
        """By all that is no number: others need not be compared."""
        self._count = 0

    def number(self, state: State) -> int:
        """Return the number of a state."""
        words = tuple(sorted((name, how.partition(" ")[0]) for name, how in state.items()))
        alike = self._alike.setdefault(words, [])
        for number, other in alike:
            if not differences(other, state):
                return number
        alike.append((self._count, state))
        self._count += 1
        return self._count - 1


def time_dependent(record: ViewRecord) -> State | None:
    """Return what of a frame's scene hangs on time, with a hash of how each is.

    None where the record does not tell: of older releases, and of what is no frame of a sequence.
    """
    told = record.values.get(TIME_DEPENDENT)
    if record.view.moment is None or not isinstance(told, dict):
        return None
    return {name: str(state) for name, state in told.items()}


def differences(one: State, other: State) -> set[str]:
    """Return what is not the same in two frames."""
    names = {name for name, _ in one.items() ^ other.items()}
    return {name for name in names if not is_same(one.get(name, ""), other.get(name, ""))}


def by_what_it_says(name: str) -> tuple[bool, str]:
    """Return what sorts names: what deforms has a box that is elsewhere, too."""
    return name.startswith("the place of "), name


def is_light(name: str) -> bool:
    """Tell whether something that hangs on time is no thing, but lights all of them."""
    return name.startswith((LAMP, WORLD))


def without_light(state: State) -> State:
    """Return how things are, whatever lights them."""
    return {name: how for name, how in state.items() if not is_light(name)}


def is_same(one: str, other: str) -> bool:
    """Tell whether something is the same in two frames: at rest, it may still move a little."""
    first, second = one.split(), other.split()
    if one == other or len(first) < 2 or len(first) != len(second) or first[0] != second[0]:
        return one == other
    try:
        here = np.array(first[1:], dtype=np.float64).reshape(MARKS)
        there = np.array(second[1:], dtype=np.float64).reshape(MARKS)
    except ValueError:
        return False
    longest = 2 * np.linalg.norm(here[1:] - here[0], axis=1).max()
    return stays(here, there, size=longest, reach=np.abs(here).max())


def stays(here: Points, there: Points, *, size: float, reach: float) -> bool:
    """Tell whether a thing counts as standing by points of it, (points, 3), in two views.

    Args:
        here: Where they are.
        there: Where they are in the other view.
        size: How long the thing is.
        reach: How far away that is which was measured.
    """
    return bool(np.abs(here - there).max() <= STAYS * size + ROUNDED * reach)
