"""Temporary folders that go with their owner, also where nobody gave it the time to tidy up."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from farm.errors import SetupError

PREFIX = "farm-run-"
LOCK_FILE = ".owner"


@contextmanager
def passing_folder(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder and remove it in the end; first, remove those whose owner was killed.

    Its owner holds a lock in it, which the system drops with the process, however that ends.

    Args:
        parent: Where; left out: the system's folder for temporary files.

    Raises:
        SetupError: It cannot be made.
    """
    parent = parent or Path(tempfile.gettempdir())
    sweep(parent)
    try:
        folder, lock = _make(parent)
    except OSError as error:
        raise SetupError(
            f"{parent}: no temporary folder can be made there ({error.strerror}): free it, or set "
            "TMPDIR to another one"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make(parent: Path) -> tuple[Path, int]:
    import fcntl  # not on Windows, where nothing is rendered

    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    new = folder / f"{LOCK_FILE}.new"
    lock = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    new.rename(folder / LOCK_FILE)  # held before it is seen
    return folder, lock


def sweep(parent: Path) -> None:
    """Remove the folders in `parent` whose owner is surely gone: nobody holds their lock."""
    import fcntl

    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else's, or gone meanwhile, or held: BlockingIOError
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


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
