"""Blender and the GPUs of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from farm.doctor.finding import Finding, fine, problem, warning
from farm.doctor.machine import installed
from farm.settings import load_settings

BLENDER_TIMEOUT_S = 120
INVENTORY = "worker.blender.list_devices"
"""Run as a program of its own: only the worker may import Blender, and a crash is its own."""
OPENGL = "worker.device.opengl"
"""What draws by OpenGL here, as one line of JSON: a program, since drivers crash."""


def blender() -> Iterator[Finding]:
    """Start Blender in a process of its own and ask which devices Cycles lists."""
    if installed("bpy") is None:
        yield fine("blender", "not installed: this machine does not render")
        return
    command = [sys.executable, "-m", INVENTORY]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=BLENDER_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        yield problem("blender", f"no answer within {BLENDER_TIMEOUT_S} s", "check the GPU driver")
        return
    lines = answer.stdout.strip().splitlines()
    if answer.returncode or not lines:
        words = (answer.stderr.strip() or "it printed nothing").splitlines()[-1]
        yield problem(
            "blender",
            f"bpy cannot be started (exit code {answer.returncode}): {words}",
            "install what is missing; the packages are listed in Dockerfile.worker",
        )
        return
    facts = json.loads(lines[-1])
    devices = ", ".join(f"{kind} {name}" for kind, name in facts["devices"])
    yield fine("blender", f"Blender {facts['version']}; Cycles lists {devices}")


def opengl() -> Iterator[Finding]:
    """Report whether EEVEE can draw here, and on what."""
    if installed("bpy") is None:
        return
    command = [sys.executable, "-m", OPENGL]
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=BLENDER_TIMEOUT_S, check=False
    )
    found = json.loads(answer.stdout) if answer.returncode == 0 else {}
    if not found.get("renderer"):
        reason = found.get("reason") or f"its driver ended with exit code {answer.returncode}"
        yield fine("opengl", f"none without a screen ({reason}): engine: eevee is refused here")
        return
    yield fine("opengl", f"EEVEE draws by {found['renderer']}, {found['version']}")


def kernel_cache() -> Iterator[Finding]:
    """Report whether kernels, which the driver compiles for minutes, are kept."""
    from farm.devices import gpu_names

    if not gpu_names():
        return
    own = os.environ.get("CUDA_CACHE_PATH") or Path.home() / ".nv" / "ComputeCache"
    folder = load_settings().kernel_cache or Path(own)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".doctor-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        yield warning(
            "kernels",
            f"{folder} cannot be written ({error.strerror}): kernels are compiled at every start",
            "set FARM_KERNEL_CACHE to a folder that persists, such as a volume",
        )
        return
    yield fine("kernels", f"compiled kernels are kept in {folder}")
