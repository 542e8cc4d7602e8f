"""A process in which a user's script runs, as the farm holds it: started, watched, ended."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from farm.errors import (
    DeviceError,
    FarmError,
    Interrupted,
    RenderError,
    ScriptError,
    StaleAttempt,
    TaskError,
)
from farm.settings import Settings
from worker.courier.lines import read_error, serve_line
from worker.sandbox.runtime_files import software_of_scripts
from worker.sealed.door import Door
from worker.sealed.orders import Order, Walls

log = logging.getLogger(__name__)

PROGRAM = "worker.sealed.process"
LINES = 7
"""Requests that may be under way: the renderer's, its encoders', and some to spare."""
MOST_WORDS = 1 << 20
"""Longest message about how a task went."""
START_S = 1800.0
"""Longest time for Blender to start: a driver may compile its kernels."""
END_S = 5.0
"""Longest wait for the end of a process that has closed its lines."""
LOOK_S = 0.25
LOOK_EVERY_S = 1.0
FOLDER_BYTES = 16 << 30
"""Most that it may keep in its folder."""
MOST_LINES = 5000
"""Of what is printed in a task; more is not kept."""
LINE_CHARS = 2000
KEPT_VARIABLES = (
    "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER", "CUDA_CACHE_MAXSIZE", "FARM_CLAIMED_DEVICE", "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
)  # fmt: skip
"""What of the environment it gets: no addresses, no passwords."""
TOLD = frozenset(
    {"AssetError", "ScriptError", "RenderError", "GpuMemoryError", "UnusablePictureError",
     "OutOfFrameError", "ChangedViewError", "TaskError"}
)  # fmt: skip
"""What it may say went wrong: errors of its task, and none of the worker's or the farm's."""
ERROR_CHARS = 4000


class SealedProcess:
    """One process, for one job."""

    def __init__(self, settings: Settings, script: str, reads: Sequence[Path]) -> None:
        """Start it, and wait until it is behind its walls with Blender open.

        Args:
            settings: The worker's.
            script: What the user calls their file.
            reads: The job's assets.

        Raises:
            DeviceError: It cannot render.
            RenderError: It cannot be closed off, or does not start.
        """
        self._script = script
        self._settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="script-", dir=settings.scratch))
        self._door: Door | None = None
        self._printed = 0
        ours, theirs = zip(*(socket.socketpair() for _ in range(LINES + 1)), strict=True)
        numbers = [each.fileno() for each in theirs]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-u", "-m", PROGRAM, ",".join(map(str, numbers))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=numbers,
            cwd=self._folder,
            env=environment_of(self._folder),
            start_new_session=True,  # without a terminal
        )
        for each in theirs:
            each.close()
        self._control, *lines = (Connection(each.detach()) for each in ours)
        self._listen(lines)
        try:
            self._begin(reads)
        except BaseException:
            self.close()
            raise

    @property
    def is_alive(self) -> bool:
        """It can take another task."""
        return self._process.poll() is None

    def render(self, order: Order, door: Door) -> None:
        """Let it render a task.

        Raises:
            TaskError: The task cannot continue, or the process is gone with it.
        """
        self._door, self._printed = door, 0
        try:
            self._control.send_bytes(order.model_dump_json().encode())
            told = self._wait(door)
        except (OSError, EOFError, ValueError):
            raise self._death() from None
        finally:
            self._door = None
        if told.get("done") is not True:
            raise heard(told, door)

    def close(self) -> None:
        """End it, with all that it has left."""
        with_group(self._process, signal.SIGKILL)
        self._process.wait()
        self._control.close()
        for thread in self._threads:
            thread.join(timeout=5.0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self, reads: Sequence[Path]) -> None:
        walls = Walls(
            device=self._settings.device,
            threads=self._settings.threads,
            folder=self._folder,
            reads=(*software_of_scripts(), *reads),
        )
        try:
            self._control.send_bytes(walls.model_dump_json().encode())
            if not self._control.poll(START_S):
                raise RenderError(f"a process for scripts has not started within {START_S:.0f} s")
            told = json.loads(self._control.recv_bytes(MOST_WORDS))
        except (OSError, EOFError, ValueError):
            code = self._process.wait()
            raise DeviceError(
                f"a process for scripts ended with code {code} at its start"
            ) from None
        if told.get("ready") is not True:
            raise DeviceError(" ".join(map(str, told["error"][1:])))

    def _wait(self, door: Door) -> dict[str, Any]:
        """Return what it says of its task, watching what it takes meanwhile."""
        looked_s = time.monotonic()
        while not self._control.poll(LOOK_S):
            if not self.is_alive:
                raise EOFError
            if time.monotonic() - looked_s > LOOK_EVERY_S:
                looked_s = time.monotonic()
                self._look(door)
        told = json.loads(self._control.recv_bytes(MOST_WORDS))
        return told if isinstance(told, dict) else {}

    def _look(self, door: Door) -> None:
        """End it where it takes too much, or is not wanted any more and does not hear of it.

        Raises:
            ScriptError: It takes too much.
            StaleAttempt: Its task is not ours.
            Interrupted: The worker is to stop.
        """
        self._check_folder()
        if door.running is None:
            return  # the renderer asks by itself, before each view
        self._check_time(*door.running)
        try:
            door.confirm()
        except (StaleAttempt, Interrupted):
            self.close()
            raise

    def _check_time(self, what: str, seconds: float) -> None:
        most_s = self._settings.script_timeout_s
        if seconds > most_s:
            self.close()
            raise ScriptError(
                f"{self._script}: {what} has not returned after {most_s:g} s, and was ended: it "
                "may wait for something that never comes; FARM_SCRIPT_TIMEOUT_S allows more time"
            )

    def _check_folder(self) -> None:
        if size_of(self._folder) > FOLDER_BYTES:
            self.close()
            raise ScriptError(
                f"{self._script}: it has written more than {FOLDER_BYTES >> 30} GB of temporary "
                "files, and was ended: remove what is not needed any more"
            )

    def _death(self) -> TaskError:
        """Return what is said of a process that is gone, or speaks nonsense."""
        running = self._door.running if self._door is not None else None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=END_S)
        self.close()
        code = self._process.returncode
        where = f" in {running[0]}" if running else ""
        if code >= 0:
            return ScriptError(
                f"{self._script}: it has ended Blender{where} (exit code {code}), which belongs to "
                "the farm: return from the function instead"
            )
        name = signal.Signals(-code).name
        return KilledError(f"{self._script}: the process that ran it died{where}: {name}")

    def _listen(self, lines: Sequence[Connection]) -> None:
        assert self._process.stdout is not None
        self._threads = [
            threading.Thread(target=serve_line, args=(line, self._answer), daemon=True)
            for line in lines
        ]
        self._threads.append(
            threading.Thread(target=self._overhear, args=(self._process.stdout,), daemon=True)
        )
        for thread in self._threads:
            thread.start()

    def _answer(self, verb: str, arguments: list[Any], data: bytes) -> tuple[object, bytes]:
        door = self._door
        if door is None:
            raise TaskError("no task is under way")
        return door(verb, arguments, data)

    def _overhear(self, output: IO[bytes]) -> None:
        """Log what is printed, line by line, as the task's log has it."""
        while line := output.readline(LINE_CHARS):
            self._printed += 1
            if self._printed <= MOST_LINES:
                log.info("%s: %s", self._script, line.decode(errors="replace").rstrip())
                self._note(line)
            elif self._printed == MOST_LINES + 1:
                log.warning("%s: prints too much; the rest is not kept", self._script)
        output.close()

    def _note(self, line: bytes) -> None:
        """Add a line to the file that the user looks into, if there is one."""
        if self._settings.script_log is not None:
            with contextlib.suppress(OSError), self._settings.script_log.open("ab") as file:
                file.write(line)


class KilledError(TaskError):
    """A process that died with its task: another attempt may do better."""

    cause = "killed"


def heard(told: dict[str, Any], door: Door) -> FarmError:
    """Return the error that a process tells of, if it may.

    What the farm itself has refused it with counts as the farm said it.
    """
    words = told.get("error")
    if not (isinstance(words, list) and words and all(isinstance(each, str) for each in words)):
        return TaskError("the process of the script has told nothing that can be understood")
    kind, *arguments = (each[:ERROR_CHARS] for each in words)
    if door.raised is not None and type(door.raised).__name__ == kind:
        return door.raised
    if kind not in TOLD:
        return TaskError(" ".join(arguments))
    try:
        return read_error(kind, *arguments)
    except TypeError:  # it takes other arguments
        return TaskError(" ".join(arguments))


def environment_of(folder: Path) -> dict[str, str]:
    """Return the environment of a process that is to know nothing of the farm."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return kept | {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def size_of(folder: Path) -> int:
    """Return how much is below a folder, as far as it can be seen."""
    total = 0
    for place, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512  # noqa: PTH118
            except OSError:
                continue
    return total


def with_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal a process and all of its group."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
