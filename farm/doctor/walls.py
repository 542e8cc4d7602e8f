"""What keeps a renderer in its own folders on this machine, and whether it still renders there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from farm.devices import choose_devices
from farm.doctor.finding import Finding, fine, problem, warning
from farm.doctor.machine import installed
from farm.settings import load_settings

TIMEOUT_S = 30
SANDBOX = "worker.sandbox.sandbox"
WARM_UP = "worker.attempt.warm_up"
"""Run as programs of their own: no module here may import the worker."""
WARM_UP_S = 900
"""Longest time that a driver may take to compile its kernels."""


def sandbox() -> Iterator[Finding]:
    """Ask whether Linux can keep a renderer from writing elsewhere."""
    if installed("bpy") is None or not sys.platform.startswith("linux"):
        return
    command = [sys.executable, "-m", SANDBOX]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        yield warning(
            "sandbox", f"cannot be asked for: {error}", "check that the installation is complete"
        )
        return
    if lacks := answer.stdout.strip():
        remedy = "use a newer Linux, or a container whose seccomp profile allows landlock_*"
        yield warning("sandbox", lacks, remedy)
    else:
        yield fine("sandbox", "renderers read from and write to their own folders only (Landlock)")


def device() -> Iterator[Finding]:
    """Let the device render the known frame behind the read wall; if that fails, without it."""
    if installed("bpy") is None or not sys.platform.startswith("linux"):
        return
    name = choose_devices(load_settings().device, "auto")[0]
    behind = attempt(name, read_wall="require")
    if behind is None:
        yield fine("device", f"{name} renders the known frame behind the wall around what it reads")
        return
    without = attempt(name, read_wall="off")
    if without is None:
        yield warning(
            "device",
            f"{name} renders without the read wall, but not behind it: {behind}",
            "set FARM_READ_WALL=off for the workers of this machine; their renderers can then read "
            "whatever their user can",
        )
    else:
        yield problem(
            "device",
            f"{name} renders neither behind the read wall nor without it: {without}",
            "the wall is not the cause; check the driver, or try --device cpu",
        )


def attempt(device: str, *, read_wall: str) -> str | None:
    """Open the renderer in a process of its own; return what went wrong."""
    with (
        tempfile.TemporaryDirectory(prefix="farm-doctor-", ignore_cleanup_errors=True) as folder,
        held_pipe() as until_we_end,
    ):
        places = {f"FARM_{name}": folder for name in ("SCRATCH", "STORAGE", "CACHE")}
        environment = {"FARM_DEVICE": device, "FARM_READ_WALL": read_wall, **places}
        try:
            done = subprocess.run(
                [sys.executable, "-m", WARM_UP],
                stdin=until_we_end,
                capture_output=True,
                text=True,
                timeout=WARM_UP_S,
                check=False,
                env=os.environ | environment | {"TMPDIR": folder},
            )
        except subprocess.TimeoutExpired:
            return f"no answer within {WARM_UP_S} s"
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return lines[-1].removeprefix("error: ") if lines else f"it died ({done.returncode})"


@contextmanager
def held_pipe() -> Iterator[int]:
    """Open a pipe whose other end only we hold: a process that listens to it ends with us."""
    theirs, ours = os.pipe()
    try:
        yield theirs
    finally:
        os.close(ours)
        os.close(theirs)
