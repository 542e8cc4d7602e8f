"""The workers of this machine: one process per device, restarted when they die."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from farm.devices import DEVICE_EXIT, cpu_count
from farm.errors import DeviceError, FarmError
from farm.local.processes.children import last_line, spawn, stop

MEMORY_SHARE = 0.8
"""Share of this machine's memory that all renderers together may take."""
WAITING = "worker.supervisor.waiting"
"""Module that is run for a worker which waits for its settings."""
RESTARTS = 5
"""Most restarts of workers before the run is given up."""


class WaitingWorker:
    """A worker's process that loads its libraries, and waits to be told what it is to do."""

    def __init__(self, folder: Path, scratch: Path, place: int = 0) -> None:
        """Start it.

        Args:
            folder: Where it logs, and has its temporary files.
            scratch: For pictures in passing.
            place: Of the worker among those of its farm.
        """
        self.process = spawn(
            [sys.executable, "-m", WAITING],
            environment={
                **os.environ,
                "FARM_SCRATCH": str(scratch),
                "TMPDIR": str(folder),  # Blender leaves a folder there when it is killed
            },
            log=log_of(folder, place),
            stdin=subprocess.PIPE,
        )

    def begin(self, environment: Mapping[str, str], *, open_ahead: bool) -> subprocess.Popen[bytes]:
        """Let it work; return its process.

        Args:
            environment: Its settings.
            open_ahead: Open Blender without waiting for a first task.
        """
        order = {"environment": dict(environment), "open_ahead": open_ahead}
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # whoever looks after it sees that it is gone
            self.process.stdin.write(json.dumps(order).encode())
            self.process.stdin.close()
        return self.process

    def kill(self) -> None:
        """End it at once, whatever it does, with all that it started."""
        stop([self.process], grace_s=0)
        assert self.process.stdin is not None
        self.process.stdin.close()


class WorkerCrew:
    """Workers as child processes, logging into `folder`."""

    def __init__(  # noqa: PLR0913  the places of a crew, each by its name
        self,
        devices: Sequence[str],
        *,
        redis_url: str,
        storage: Path | str,
        folder: Path,
        scratch: Path,
        samples: Path | None = None,
        first: WaitingWorker | None = None,
        open_ahead: bool = False,
    ) -> None:
        """Say how workers are set up.

        Args:
            devices: One for each worker.
            redis_url: Of the farm.
            storage: Where files go.
            folder: For logs and temporary files.
            scratch: For pictures in passing.
            samples: In memory, for samples of streams.
            first: A worker that was started already and waits for its settings.
            open_ahead: The tasks to come need Blender, and no process of their own.
        """
        self.devices = devices
        self.folder = folder
        self.scratch = scratch
        self.first = first
        self.open_ahead = open_ahead
        self.environment = {
            "FARM_READ_WALL": os.environ.get("FARM_READ_WALL", "off"),  # one's own files
            **shares(devices),
            "FARM_REDIS_URL": redis_url,
            "FARM_STORAGE": str(storage),
            "FARM_TASK_LOGS": "false",  # the storage is the user's folder of datasets
            **({"FARM_STREAM_FOLDER": str(samples)} if samples else {}),
        }
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.restarts = 0

    def start(self) -> None:
        """Start a worker per device."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for place in range(len(self.devices)):
            self.processes[place] = self._spawn(place)

    def supervise(self) -> None:
        """Start again what died.

        Raises:
            DeviceError: A worker cannot use its device.
            FarmError: Workers die again and again.
        """
        for place, process in self.processes.items():
            code = process.poll()
            if code is None:
                continue
            if code == DEVICE_EXIT:
                raise DeviceError(self._last_words(place).removeprefix("error: "))
            self.restarts += 1
            if self.restarts > RESTARTS:
                raise FarmError(f"workers keep dying: {self._last_words(place)}")
            self.processes[place] = self._spawn(place)

    def stop(self, *, grace_s: float) -> None:
        """Let every worker finish its current view for up to `grace_s`, then kill."""
        stop(self.processes.values(), grace_s=grace_s)
        self.processes.clear()

    def _spawn(self, place: int) -> subprocess.Popen[bytes]:
        waiting = self.first if place == 0 else None
        if waiting is None:
            waiting = WaitingWorker(self.folder, self.scratch, place)
        else:
            self.first = None  # only once
        environment = self.environment | settings_of(self.devices, place)
        return waiting.begin(environment, open_ahead=self.open_ahead)

    def _last_words(self, place: int) -> str:
        return last_line(log_of(self.folder, place))


def log_of(folder: Path, place: int) -> Path:
    """Return the file in which a worker tells what it does."""
    return folder / f"worker-{place}.log"


def settings_of(devices: Sequence[str], place: int) -> dict[str, str]:
    """Return the settings of the worker of `devices[place]`."""
    device = devices[place]
    settings = {"FARM_DEVICE": device, "FARM_NAME": worker_name(device, place)}
    if device == "cpu":
        settings["FARM_THREADS"] = str(max(cpu_count() // len(devices), 1))
    return settings


def worker_command(devices: Sequence[str], place: int) -> list[str]:
    """Return the command that starts the worker of `devices[place]`."""
    device = devices[place]
    command = [sys.executable, "-m", "farm", "worker", "--die-with-parent"]
    command += ["--device", device, "--name", worker_name(device, place)]
    if device == "cpu":
        command += ["--threads", str(max(cpu_count() // len(devices), 1))]
    return command


def shares(devices: Sequence[str]) -> dict[str, str]:
    """Return the settings by which workers share this machine's memory, unless a person set any."""
    if "FARM_MEMORY_BYTES" in os.environ or "FARM_MEMORY_SHARE" in os.environ:
        return {}
    return {"FARM_MEMORY_SHARE": f"{MEMORY_SHARE / max(len(devices), 1):.4f}"}


def worker_name(device: str, place: int) -> str:
    """Return the name of a worker, unique on this machine."""
    return f"{device.replace(':', '')}-{place}"
