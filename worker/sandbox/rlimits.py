"""What the renderer's process may take of its machine: a model may be made to take all of it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from pathlib import Path

from worker.sandbox.landlock import gain_nothing

OPEN_FILES = 4096
NEW_THREADS = 4096
"""Beyond those that this user has already: the system counts per user."""
FILE_BYTES = 64 << 30
"""The largest file; a picture of 8192 x 8192 pixels in passing takes 4 GB."""
KILLED_FIRST = 900
"""Where the system itself runs out of memory, it takes the renderer before Redis and others."""
CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def confine() -> None:
    """Bound what this process, and all that it starts, can take; there is no way back.

    Memory is not bounded here: drivers reserve addresses beyond all measure. The main process
    watches what is really used, and how many processes there are: root has no limit on those.
    """
    gain_nothing()
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    lower(resource.RLIMIT_FSIZE, FILE_BYTES)
    lower(resource.RLIMIT_NPROC, threads_of_user() + NEW_THREADS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(KILLED_FIRST))


def lower(kind: int, most: int) -> None:
    """Lower one limit for good, unless it is lower already."""
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    with contextlib.suppress(ValueError, OSError):  # a system that knows it better
        resource.setrlimit(kind, (most, most))


def threads_of_user() -> int:
    """Return how many threads this process's user has on this machine."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.getuid():
                count += sum(1 for _ in (folder / "task").iterdir())
    return count


def give_back_memory() -> None:
    """Return to the system what was freed: the C library keeps it, in pieces, for every thread."""
    with contextlib.suppress(AttributeError):  # a C library other than GNU's
        ctypes.CDLL(None).malloc_trim(0)


def memory_bound(given: int | None, *, share: float) -> int:
    """Return how many bytes a renderer may use: what is given, or a share of what there is."""
    return given if given is not None else int(share * machine_memory())


def machine_memory() -> int:
    """Return the memory of this machine, or of this container where that is less."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in CGROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError):  # `max` is no number
            found.append(int(path.read_text()))
    return min(found)
