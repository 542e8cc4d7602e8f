"""Who counts the time of the user's code: nobody, or what a process that runs scripts has set."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Is told when the user's code runs."""

    def begins(self, what: str) -> None:
        """A function of the script is called."""

    def ends(self) -> None:
        """It has returned."""


class Unwatched:
    """Nobody counts the time."""

    def begins(self, what: str) -> None:
        """Do nothing."""

    def ends(self) -> None:
        """Do nothing."""


WATCHES: list[Watch] = [Unwatched()]
"""The last one is told."""
