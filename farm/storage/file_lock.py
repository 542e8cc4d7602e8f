"""Locks on files, which the system drops with the process that holds them, however it ends.

A lock is a file descriptor: to close it is to let go.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a file system says that knows no locks."""
NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
"""Windows has no such flag."""


def lock_file(
    path: Path,
    *,
    shared: bool = False,
    wait: bool = True,
    make: bool = True,
    if_possible: bool = False,
) -> int:
    """Open and lock a file that whoever holds the lock may remove; return the descriptor.

    Args:
        path: The file; a link is not followed.
        shared: Others may hold it, too, if they share it.
        wait: Wait until it is free.
        make: Make it where it is not there.
        if_possible: Return the open file without a lock where the file system, or Windows, has
            none.

    Raises:
        BlockingIOError: It is held, and we were not to wait.
        OSError: It cannot be opened, or there are no locks.
    """
    while True:
        file = os.open(path, os.O_RDWR | NO_LINKS | (os.O_CREAT if make else 0), 0o666)
        try:
            hold(file, shared=shared, wait=wait, if_possible=if_possible)
            if is_still(path, file):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # it was removed before we had it


def lock_new_file(path: Path, *, if_possible: bool = False) -> int:
    """Make a file that is locked before anybody can see it; return the descriptor.

    With `if_possible`, where there are no locks, there is no file either: nobody may take it for
    one that has been left.

    Raises:
        OSError: It cannot be made, or there are no locks.
    """
    new = path.with_name(f"{path.name}.new")
    file = os.open(new, os.O_RDWR | os.O_CREAT | NO_LINKS, 0o600)
    try:
        if hold(file, if_possible=if_possible):
            new.rename(path)
        else:
            new.unlink()
    except BaseException:
        os.close(file)
        raise
    return file


def hold(file: int, *, shared: bool = False, wait: bool = True, if_possible: bool = False) -> bool:
    """Lock an open file; say whether it is locked."""
    try:
        ask_system(file, shared=shared, wait=wait)
    except OSError as error:
        if not (if_possible and error.errno in NO_LOCKS):
            raise
        return False
    return True


def ask_system(file: int, *, shared: bool, wait: bool) -> None:
    """Lock an open file."""
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, "Windows has no such locks")
    import fcntl

    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    fcntl.flock(file, how if wait else how | fcntl.LOCK_NB)


def is_still(path: Path, file: int) -> bool:
    """Say whether an open file is still the one at `path`."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
