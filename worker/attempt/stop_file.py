"""The word from a worker's main process to its renderer that it is time to stop."""

from __future__ import annotations

from pathlib import Path

from farm.errors import Interrupted

STOP_FILE = "stop"


def ask_to_stop(scratch: Path) -> None:
    """Let the renderer that works in `scratch` stop after the current view."""
    (scratch / STOP_FILE).touch()


def raise_if_asked(scratch: Path | None) -> None:
    """Return unless this renderer is to stop.

    Raises:
        Interrupted: It is.
    """
    if scratch is not None and (scratch / STOP_FILE).exists():
        raise Interrupted("the worker stops")
