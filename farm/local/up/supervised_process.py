"""One process of a farm that is kept alive."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from farm.local.processes.children import last_line, spawn
from farm.local.up.farm_folder import ProcessState

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
"""Run time after which a part starts over with the first pause."""
LONGEST_LOG_BYTES = 32 << 20


@dataclass
class SupervisedProcess:
    """A command that is started again when it ends, after ever longer pauses."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    log_file: Path
    hopeless_exit: int | None = None
    """Exit code after which starting it again would not help."""
    clock: Callable[[], float] = time.monotonic
    process: subprocess.Popen[bytes] | None = None
    problem: str | None = None
    pause_s: float = FIRST_PAUSE_S
    since_s: float = field(default=0.0)
    again_s: float = field(default=0.0)

    def start(self) -> None:
        """Start it."""
        self.process = spawn(self.command, environment=self.environment, log=self.log_file)
        self.since_s = self.clock()

    def keep(self) -> bool:
        """Check it once; True if something changed."""
        if self.problem is not None:
            return False
        shorten(self.log_file)
        if self.process is None:
            if self.clock() < self.again_s:
                return False
            self.start()
            return True
        code = self.process.poll()
        if code is None:
            return False
        self._bury(code)
        return True

    def state(self) -> ProcessState:
        """Return its reported state."""
        pid = self.process.pid if self.process else None
        return ProcessState(name=self.name, pid=pid, problem=self.problem)

    def _bury(self, code: int) -> None:
        self.process = None
        words = last_line(self.log_file)
        if code == self.hopeless_exit:
            self.problem = words.removeprefix("error: ")
            log.error("%s cannot run: %s", self.name, self.problem)
            return
        if self.clock() - self.since_s > STEADY_S:
            self.pause_s = FIRST_PAUSE_S
        self.again_s = self.clock() + self.pause_s
        log.warning(
            "%s ended with %d (%s); starting again in %.0f s", self.name, code, words, self.pause_s
        )
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)


def shorten(log_file: Path) -> None:
    """Move the contents of a long log to `<name>.1`; its writer continues undisturbed."""
    if log_file.stat().st_size > LONGEST_LOG_BYTES:
        shutil.copyfile(log_file, log_file.with_name(f"{log_file.name}.1"))
        os.truncate(log_file, 0)  # it is only ever added to, so the next line stands at the top
