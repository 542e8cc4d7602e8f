"""A device that cannot be opened where a file cannot be read, behind real walls."""

from __future__ import annotations

import os
from pathlib import Path

from farm.errors import DeviceError
from farm.settings import Settings
from worker.attempt.renderer import suspecting_the_wall
from worker.sandbox import sandbox


def open_picky(settings: Settings) -> None:
    """Open it as Blender is opened."""
    if not sandbox.has_read_wall(settings):
        read()
        return
    sandbox.close_off(settings, settings.scratch)
    with suspecting_the_wall():
        read()


def read() -> None:
    try:
        Path(os.environ["PICKY_FILE"]).read_bytes()
    except OSError as error:
        raise DeviceError(f"the driver cannot be opened: {error.strerror}") from error
