"""What stands still in a sequence, by what its frames tell of all that hangs on time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

STAYS = 1e-3
"""Most by which a thing may move and still count as standing, as a share of its size."""
ROUNDED = 1e-5
"""By which places may be off, as a share of their distance: Blender's numbers have 32 bits."""
MARKS = (4, 3)
"""Points that tell where a thing with a box is: the middle of it, and of three of its sides."""
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

    def note(self, state: State, view: str) -> Change | None:
        """Note how things are in another frame; return what is otherwise than before."""
        if self.state is None:
            self.state, self.told_by = state, view
        changed = differences(self.state, state)
        return Change(first_of(changed), self.told_by, view) if changed else None

    def is_like(self, other: Still) -> bool:
        """Tell whether two sequences stand still in the same way."""
        if self.state is None or other.state is None:
            return self.state is other.state
        return not differences(self.state, other.state)


def differences(one: State, other: State) -> set[str]:
    """Return what is not the same in two frames."""
    names = {name for name, _ in one.items() ^ other.items()}
    return {name for name in names if not is_same(one.get(name, ""), other.get(name, ""))}


def first_of(names: set[str]) -> str:
    """Return the name that says most: what deforms has a box that is elsewhere, too."""
    return min(names, key=lambda name: (name.startswith("the place of "), name))


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
    room = STAYS * longest + ROUNDED * np.abs(here).max()
    return bool(np.abs(here - there).max() <= room)
