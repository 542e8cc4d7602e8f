"""The thread of a worker's main process that watches what the renderer takes of its machine."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

WATCH_EVERY_S = 0.2
MOST_OF_TIME = 0.05
"""Of one core, on a machine with so many processes that looking takes long."""
HIGH = 0.5
"""A renderer that is killed with so much of its bound in use was killed for its memory."""
IN_USE = ("RssAnon", "RssShmem")
"""Pages that cannot be dropped and read again from a file."""
MB = 1_000_000
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
KNOWS_CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children").exists()
"""Linux lists the children of a process, if it was built to."""
SWEEPS = 100
"""Times that a family is looked for again, as it may grow while it is killed."""


class ResourceUse(NamedTuple):
    """What a renderer takes, with all that it started."""

    memory_bytes: int
    threads: int


@dataclass
class Watchdog:
    """Kills a renderer that takes too much, before the system kills something else."""

    most_bytes: int
    most_threads: int
    pid: int | None = None
    used: dict[int, ResourceUse] = field(default_factory=dict)
    """Process id -> what it used when it was last seen."""
    seen: set[int] = field(default_factory=set)
    """All that renderers started, as far as it was seen: what is left of it is not ours."""
    renderers: set[int] = field(default_factory=set)
    """Those that were watched; how they ended is for the pool to learn."""

    def __post_init__(self) -> None:
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name="guard", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        adopt_orphans(adopt=True)
        self.thread.start()

    def stop(self) -> None:
        self.ended.set()
        self.thread.join()
        adopt_orphans(adopt=False)

    def watch(self, pid: int) -> None:
        """Watch this process from now on, and no other."""
        if pid != self.pid:
            self.pid = pid
            self.renderers.add(pid)
            self.used = {pid: ResourceUse(0, 0)}
            for orphan in self._orphans(pid):
                end_family(orphan)
            self.seen.intersection_update(family(os.getpid()))  # to take leave of them

    def tell(self, pid: int | None) -> tuple[str, str] | None:
        """Return why a process that is gone was killed, if it was for what it took: the cause, and
        a sentence.
        """
        used = self.used.get(pid or 0, ResourceUse(0, 0))
        if used.threads > self.most_threads:
            return "killed", (
                f"the renderer started {used.threads:,} threads and processes, more than the "
                f"{self.most_threads:,} allowed (FARM_PROCESSES), and was killed"
            )
        if used.memory_bytes < HIGH * self.most_bytes:
            return None
        return "memory", (
            f"the renderer used {used.memory_bytes // MB:,} MB of the {self.most_bytes // MB:,} MB "
            "that it may use (FARM_MEMORY_BYTES) and was killed; use a smaller model, HDRI or "
            "resolution, or a machine with more memory"
        )

    def _run(self) -> None:
        looking_s = 0.0
        while not self.ended.wait(max(WATCH_EVERY_S, looking_s / MOST_OF_TIME)):
            pid = self.pid
            started = time.monotonic()
            used = self._look_at(pid) if pid else None
            looking_s = time.monotonic() - started
            if pid is None or used is None:
                continue
            self.used[pid] = used
            if used.memory_bytes > self.most_bytes or used.threads > self.most_threads:
                log.warning(
                    "renderer killed memory_mb=%d threads=%d",
                    used.memory_bytes // MB, used.threads,
                )  # fmt: skip
                for each in (pid, *self._orphans(pid)):
                    end_family(each)
                self.pid = None

    def _look_at(self, pid: int) -> ResourceUse | None:
        """Return what a renderer uses; None where it is gone, and another may be starting."""
        if use_of([pid]) is None:
            return None
        members = family(pid)
        self.seen.update(members)
        return use_of([*members, *self._orphans(pid)])

    def _orphans(self, pid: int) -> list[int]:
        """Return what this or an earlier renderer started and left behind."""
        left = self.seen.difference(family(pid), self.renderers)
        if not left:
            return []
        return [each for each in family(os.getpid()) if each in left and not has_ended(each)]


def adopt_orphans(*, adopt: bool) -> None:
    """Become the parent of what a renderer started and left behind, so that it is found."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)


def has_ended(pid: int) -> bool:
    """Say whether an adopted process is over, and take leave of it."""
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    return False


def family(pid: int) -> list[int]:
    """Return a process and all that it started, as far as their parents are there."""
    found = [pid]
    children = children_of if KNOWS_CHILDREN else children_by_parent().get
    for each in found:  # which grows meanwhile
        found += children(each) or []
    return found


def children_of(pid: int) -> list[int]:
    """Return the children of a process, where Linux lists them."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, thread.read_text().split())
    return found


def children_by_parent() -> dict[int, list[int]]:
    """Return the children of all processes of this machine."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208  five times a second
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat") as file:  # noqa: PTH123
                parent = int(file.read().rpartition(")")[2].split()[1])
                found.setdefault(parent, []).append(int(name))
    return found


def end_family(pid: int) -> None:
    """Kill a process and all that it started, also what it starts meanwhile."""
    for _ in range(SWEEPS):
        members = [each for each in family(pid) if each != pid]
        for member in [pid, *members]:  # stopped, none of them starts another
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGSTOP)
        if set(family(pid)[1:]) <= set(members):
            break
    for member in [*members, pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


def use_of(pids: list[int]) -> ResourceUse | None:
    """Return what processes use; None where they are gone, or nobody can know."""
    found = [use for use in map(use_of_one, pids) if use]
    if not found:
        return None
    return ResourceUse(sum(use.memory_bytes for use in found), sum(use.threads for use in found))


def use_of_one(pid: int) -> ResourceUse | None:
    """Return what one process uses; None where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    told = {name: value for name, _, value in (line.partition(":") for line in lines)}
    if not any(name in told for name in IN_USE):
        return None
    memory = sum(int(told[name].split()[0]) * 1024 for name in IN_USE if name in told)
    return ResourceUse(memory, int(told.get("Threads", "1")))
