"""Temporary folders that belong to a process, and the clearing of those whose process is gone."""

from __future__ import annotations

import errno
import fcntl  # not on Windows, where nothing is rendered
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LOCK_FILE = ".owner"
"""In such a folder: its owner holds a lock on it, which the system drops with the process."""
NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a file system says that knows no locks; its folders are never cleared."""


class Owned(NamedTuple):
    """A folder, and what says that somebody needs it."""

    folder: Path
    lock: int
    """A file descriptor: closed by whoever removes the folder, or with the process."""

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
    new = folder / f"{LOCK_FILE}.new"
    lock = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        new.unlink()
    else:
        new.rename(folder / LOCK_FILE)  # held before it is seen
    return Owned(folder, lock)


def sweep(parent: Path, prefix: str) -> None:
    """Remove the folders in `parent` whose owner is surely gone: nobody holds their lock."""
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError):  # somebody else's, or gone meanwhile, or held: BlockingIOError
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
