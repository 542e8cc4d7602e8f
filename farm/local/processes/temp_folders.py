"""Temporary folders that are removed with their owner, even if it had no time to tidy up."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from farm.errors import SetupError

PREFIX = "farm-run-"


@contextmanager
def temp_folder(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder and remove it in the end; first, remove those whose owner was killed.

    Its owner holds a lock in it, which the system drops with the process, however that ends.

    Args:
        parent: Folder to make it in; left out: the system's folder for temporary files.

    Raises:
        SetupError: The folder cannot be made.
    """
    from farm.owned_folders import make_owned  # not on Windows, where nothing is rendered

    parent = parent or Path(tempfile.gettempdir())
    try:
        owned = make_owned(PREFIX, parent)
    except OSError as error:
        raise SetupError(
            f"{parent}: no temporary folder can be made in it ({error.strerror}): make "
            "room, or set TMPDIR to another folder"
        ) from error
    try:
        yield owned.folder
    finally:
        owned.remove()


def memory_folder(folder: Path = Path("/dev/shm")) -> Path | None:
    """Return a folder in memory, for temporary pictures; None if there is no such folder.

    It is tried out: a read-only or full one does not count.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
    except OSError:
        return None
    return folder
