"""Temporary folders that go with their owner, also where nobody gave it the time to tidy up."""

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
        parent: Where; left out: the system's folder for temporary files.

    Raises:
        SetupError: It cannot be made.
    """
    from farm.owned_folders import make_owned  # not on Windows, where nothing is rendered

    parent = parent or Path(tempfile.gettempdir())
    try:
        owned = make_owned(PREFIX, parent)
    except OSError as error:
        raise SetupError(
            f"{parent}: no temporary folder can be made there ({error.strerror}): free it, or set "
            "TMPDIR to another one"
        ) from error
    try:
        yield owned.folder
    finally:
        owned.remove()


def memory_folder(folder: Path = Path("/dev/shm")) -> Path | None:
    """Return a folder that is kept in memory, for pictures in passing; None where there is none.

    It is tried, not only asked about: a read-only or full one is none.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
    except OSError:
        return None
    return folder
