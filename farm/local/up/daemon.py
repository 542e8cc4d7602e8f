"""The farm of this machine as a process of its own: started, and ended by its id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from farm.errors import FarmError, SetupError
from farm.local.up.farm_folder import FarmFolder, UpState

START_TIMEOUT_S = 300
END_TIMEOUT_S = 120


def start(folder: FarmFolder, flags: Sequence[str]) -> UpState:
    """Start the farm in a process of its own; return its state once that is known.

    Raises:
        FarmError: It did not come up.
    """
    folder.make()
    log = folder.log_folder / "farm.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "farm", "up", "--foreground", *flags],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    state = None
    while process.poll() is None and time.monotonic() < deadline:
        state = folder.state()
        if state and state.pid != process.pid:
            state = None  # of the farm before, which it has not removed yet
        if state and state.phase == "ready":
            return state
        time.sleep(0.1)
    if process.poll() is None and state is not None:
        return state  # a GPU's kernels may still be compiled
    last = folder.last_state()
    if process.poll() is None or last is None or last.sentence is None:
        raise FarmError(f"the farm did not start; see {log}")
    raise SetupError(last.sentence)


def end(folder: FarmFolder, state: UpState) -> None:
    """End the farm's processes through their supervisor, which knows each by its id.

    Raises:
        FarmError: A process does not end.
    """
    for number, patience_s in ((signal.SIGTERM, END_TIMEOUT_S), (signal.SIGKILL, 10)):
        if folder.is_held():  # then the supervisor lives, and its id is nobody else's
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(state.pid, number)
        deadline = time.monotonic() + patience_s
        while folder.is_held() and time.monotonic() < deadline:
            time.sleep(0.05)
        if not folder.is_held():
            return
    raise FarmError(
        f"process {state.pid} does not end; the logs in {folder.log_folder} may say why"
    )
