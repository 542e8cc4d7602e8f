"""The thread of a worker's main process that watches how much memory the renderer uses."""

from __future__ import annotations

import logging
import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)

WATCH_EVERY_S = 0.2
HIGH = 0.5
"""A renderer that is killed with so much of its bound in use was killed for its memory."""
IN_USE = ("RssAnon:", "RssShmem:")
"""Pages that cannot be dropped and read again from a file."""
MB = 1_000_000


@dataclass
class MemoryGuard:
    """Kills a renderer that uses more than `most_bytes`, before the system kills something else."""

    most_bytes: int
    pid: int | None = None
    used_bytes: dict[int, int] = field(default_factory=dict)
    """Process id -> what it used when it was last seen."""

    def __post_init__(self) -> None:
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name="memory guard", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.ended.set()
        self.thread.join()

    def watch(self, pid: int) -> None:
        """Watch this process from now on, and no other."""
        if pid != self.pid:
            self.pid = pid
            self.used_bytes = {pid: 0}

    def tell(self, pid: int | None) -> str | None:
        """Return why a process that is gone was killed, if it was for its memory."""
        used = self.used_bytes.get(pid or 0, 0)
        if used < HIGH * self.most_bytes:
            return None
        return (
            f"the renderer used {used // MB:,} MB of the {self.most_bytes // MB:,} MB that it may "
            "use (FARM_MEMORY_BYTES) and was killed; use a smaller model, HDRI or resolution, or a "
            "machine with more memory"
        )

    def _run(self) -> None:
        while not self.ended.wait(WATCH_EVERY_S):
            pid = self.pid
            used = memory_in_use(pid) if pid else None
            if pid is None or used is None:
                continue
            self.used_bytes[pid] = used
            if used > self.most_bytes:
                log.warning("renderer killed memory_mb=%d", used // MB)
                os.kill(pid, signal.SIGKILL)
                self.pid = None


def memory_in_use(pid: int) -> int | None:
    """Return the bytes that a process uses; None where it is gone, or nobody can know."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith(IN_USE)]
    return sum(found) if found else None
