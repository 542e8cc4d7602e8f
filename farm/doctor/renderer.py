"""Blender and the GPUs of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from farm.devices import Gpu
from farm.doctor.finding import Finding, fine, problem, warning
from farm.doctor.machine import installed
from farm.kernels import (
    Capability,
    CyclesKernels,
    KernelCache,
    cache_folder,
    cycles_kernels,
    dotted,
    stamp_of,
)
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
    """Report for each GPU whether its kernel is compiled, and whether kernels are kept."""
    from farm.devices import usable_gpus

    gpus = usable_gpus()
    if not gpus:
        return
    cache = KernelCache(cache_folder(load_settings().kernel_cache))
    if fault := unwritable(cache.folder):
        yield warning(
            "kernels",
            f"{cache.folder} cannot be written ({fault}): kernels are compiled at every start",
            "set FARM_KERNEL_CACHE to a folder that persists, such as a volume",
        )
    else:
        yield fine("kernels", f"compiled kernels are kept in {cache.folder}")
    found = cycles_kernels()
    for gpu in gpus:
        if found is not None and gpu.capability is not None:
            yield kernel_of(gpu, gpu.capability, found, cache)


def kernel_of(
    gpu: Gpu, capability: Capability, kernels: CyclesKernels, cache: KernelCache
) -> Finding:
    """Say whether a GPU's kernel is compiled."""
    name = f"GPU {gpu.index} ({gpu.name})"
    if kernels.source_for(capability) is None:
        words = f"{name}: Blender has no kernel for compute capability {dotted(capability)}"
        return problem("kernels", words, "use another GPU, or --device cpu")
    for kind in ("optix", "cuda"):
        seconds = cache.seconds(stamp_of(kind, capability, gpu.driver))
        if seconds is not None:
            return fine("kernels", f"{name}: compiled here for {kind}, in {seconds:.0f} s")
    source = kernels.binary_for(capability)
    if source is not None:
        words = f"{name}: Blender's kernel for {dotted(source)} fits; OptiX compiles a small part"
        return fine("kernels", words)
    return warning(
        "kernels",
        f"{name}: Blender has no compiled kernel for compute capability {dotted(capability)}; the "
        "driver compiles it at the first render, for minutes",
        "compile it once, before work waits for it: farm worker --warm-kernels",
    )


def unwritable(folder: Path) -> str | None:
    """Return why nothing can be written to a folder; None if it can be."""
    probe = folder / f".doctor-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return None
