"""One run at a time in a folder of datasets."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from farm.errors import SetupError

LOCK_FILE = ".farm-render"
NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a file system says that knows no locks; a run goes on without."""


@contextmanager
def hold_folder(folder: Path, *, flag: str = "--output") -> Iterator[None]:
    """Make `folder` and be the only run that writes into it.

    A file in it says who that is. The system lets go of it with the process, however it ends.

    Args:
        folder: What to hold.
        flag: The option that another folder would be given with, for errors.

    Raises:
        SetupError: Another run is there, or the folder cannot be written.
    """
    file = folder / LOCK_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _take(file, flag)
    except OSError as error:
        raise SetupError(
            f"{folder}: cannot be written ({error.strerror}): take another {flag}"
        ) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()  # first: nobody else may hold it yet
        os.close(lock)


def _take(file: Path, flag: str) -> int:
    import fcntl  # not on Windows, where nothing is rendered

    while True:
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(lock, 200, 0).decode(errors="replace").strip()
            os.close(lock)
            raise SetupError(
                f"another run writes into {file.parent} ({who or 'it has just started'}): "
                f"wait for its end, or take another {flag}"
            ) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                os.close(lock)
                raise
        if _is(file, lock):
            break
        os.close(lock)  # of a run that has just ended, and removed it
    os.truncate(lock, 0)
    who = f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now():%H:%M:%S}"
    os.pwrite(lock, f"{who}\n".encode(), 0)
    return lock


def _is(file: Path, lock: int) -> bool:
    try:
        return os.path.samestat(file.stat(), os.fstat(lock))
    except FileNotFoundError:
        return False
