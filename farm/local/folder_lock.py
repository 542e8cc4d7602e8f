"""One run at a time in a folder of datasets."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from farm.errors import SetupError
from farm.storage.file_lock import lock_file

LOCK_FILE = ".farm-render"


@contextmanager
def hold_folder(folder: Path, *, flag: str = "--output") -> Iterator[None]:
    """Make `folder` and be the only run that writes into it.

    A file in it names that run. The system releases it with the process, however it ends.

    Args:
        folder: What to hold.
        flag: The option that names the folder, for errors.

    Raises:
        SetupError: Another run writes into it, or the folder cannot be written.
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
    try:
        lock = lock_file(file, wait=False, if_possible=True)
    except BlockingIOError:
        holder = _holder(file) or "it has just started"
        raise taken(str(file.parent), holder, flag=flag) from None
    os.truncate(lock, 0)
    os.write(lock, f"{this_run()}\n".encode())
    return lock


def this_run() -> str:
    """Return what this run is called where others meet what it holds."""
    return f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now():%H:%M:%S}"


def taken(place: str, holder: str, *, flag: str) -> SetupError:
    """Return the refusal of a place that another run holds, which `flag` names."""
    return SetupError(
        f"another run writes into {place} ({holder}): wait until it ends, or take another {flag}"
    )


def _holder(file: Path) -> str:
    try:
        return file.read_bytes()[:200].decode(errors="replace").strip()
    except OSError:  # it has just ended
        return ""
