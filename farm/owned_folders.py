"""Temporary folders that belong to a process, and the clearing of those whose process is gone."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from farm.storage.file_lock import lock_file, lock_new_file

LOCK_FILE = ".owner"
"""In such a folder: its owner holds a lock on it. A file system that knows no locks has no such
file, and its folders are never cleared."""


class Owned(NamedTuple):
    """A folder, and what says that somebody needs it."""

    folder: Path
    lock: int
    """A file descriptor: closed when the folder is removed, or with the process."""

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            os.close(self.lock)


def make_owned(prefix: str, parent: Path) -> Owned:
    """Make a folder; first, remove those of the same prefix whose owner was killed.

    Args:
        prefix: What the names of all such folders begin with.
        parent: Where.

    Raises:
        OSError: It cannot be made.
    """
    sweep(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    return Owned(folder, lock_new_file(folder / LOCK_FILE, if_possible=True))


def sweep(parent: Path, prefix: str) -> None:
    """Remove the folders in `parent` whose owner is surely gone: nobody holds their lock."""
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError):  # somebody else's, or gone meanwhile, or held: BlockingIOError
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            lock = lock_file(folder / LOCK_FILE, wait=False, make=False)
            try:
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
