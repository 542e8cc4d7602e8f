"""The right to a task, as the renderer asks for it."""

from __future__ import annotations

from typing import Protocol

from farm.tallies.model import NOTHING_TOLD, DoneView


class Lease(Protocol):
    """The right to a task, while it is worked on."""

    def confirm(self) -> None:
        """Return if the task is still ours and is to continue.

        Raises:
            StaleAttempt: It is not ours.
            Interrupted: It is not to continue here; what is rendered counts.
        """

    def secure(self) -> None:
        """Return when the task was surely ours a moment ago: its files may be written.

        Raises:
            StaleAttempt: It is not ours.
        """

    def view_done(self, done: DoneView = NOTHING_TOLD) -> None:
        """Count a view that is finished and recorded."""

    def views_found(self, count: int) -> None:
        """Count views that an earlier attempt has finished."""
