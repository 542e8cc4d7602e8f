"""The workers of this machine: one process per device, restarted when they die."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from farm.devices import DEVICE_EXIT, cpu_count
from farm.errors import DeviceError, FarmError
from farm.local.processes import last_line, spawn, stop

MEMORY_SHARE = 0.8
"""Share of this machine's memory that all renderers together may take."""
RESTARTS = 5
"""Most restarts of workers before the run is given up."""


class WorkerCrew:
    """Workers as child processes, logging into `folder`."""

    def __init__(  # noqa: PLR0913  the places of a crew, each by its name
        self,
        devices: Sequence[str],
        *,
        redis_url: str,
        storage: Path,
        folder: Path,
        scratch: Path,
        samples: Path | None = None,
    ) -> None:
        self.devices = devices
        self.folder = folder
        self.environment = {
            "FARM_READ_WALL": "off",  # one's own files, wherever they name each other
            **os.environ,
            **shares(devices),
            "FARM_REDIS_URL": redis_url,
            "FARM_STORAGE": str(storage),
            "FARM_SCRATCH": str(scratch),
            "FARM_TASK_LOGS": "false",  # the storage is the user's folder of datasets
            "TMPDIR": str(folder),  # Blender leaves a folder there when it is killed
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
        return spawn(
            worker_command(self.devices, place),
            environment=self.environment,
            log=self._log(place),
        )

    def _log(self, place: int) -> Path:
        return self.folder / f"worker-{place}.log"

    def _last_words(self, place: int) -> str:
        return last_line(self._log(place))


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
