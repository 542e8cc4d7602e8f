"""The NVIDIA driver, its GPUs and who holds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from farm.doctor.finding import Finding, fine, problem, warning
from farm.doctor.machine import readable

DRIVER_FILE = Path("/dev/nvidiactl")
OLDEST_DRIVER = 570
"""Oldest driver branch that has OptiX as bpy 5.2 uses it."""


def gpus(nvml: Any = None, *, driver_file: Path = DRIVER_FILE) -> Iterator[Finding]:
    """Report the driver's version and each GPU's memory and processes."""
    nvml = nvml or library()
    if nvml is None:
        yield fine("gpus", "not checked: nvidia-ml-py is not installed")
        return
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        yield from _without_driver(str(error), driver_file)
        return
    try:
        yield _driver(str(nvml.nvmlSystemGetDriverVersion()))
        for index in range(nvml.nvmlDeviceGetCount()):
            yield _gpu(nvml, index)
    except nvml.NVMLError as error:
        yield problem("gpus", f"the driver does not answer: {error}", "reboot, or look at `dmesg`")
    finally:
        nvml.nvmlShutdown()


def library() -> Any:
    """Return NVML's Python module, None where it is not installed."""
    try:
        import pynvml
    except ImportError:
        return None
    return pynvml


def _without_driver(sentence: str, driver_file: Path) -> Iterator[Finding]:
    if driver_file.exists():
        yield problem(
            "gpus",
            f"there is an NVIDIA GPU, but its driver cannot be asked: {sentence}",
            "in a container: --gpus all and NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility; "
            "else install the driver that matches the kernel",
        )
    else:
        yield fine("gpus", "no NVIDIA driver found: workers render on the CPU")


def _driver(version: str) -> Finding:
    branch = version.split(".")[0]
    if branch.isdecimal() and int(branch) < OLDEST_DRIVER:
        return warning(
            "gpus",
            f"NVIDIA driver {version} is old: OptiX may refuse",
            f"install {OLDEST_DRIVER} or newer, or use --device cuda:N",
        )
    return fine("gpus", f"NVIDIA driver {version}")


def _gpu(nvml: Any, index: int) -> Finding:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        running = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        users = ", ".join(f"{process_name(one.pid)} ({one.pid})" for one in running) or "no process"
    except nvml.NVMLError:
        users = "a process that the driver does not name"
    return fine(
        "gpus",
        f"GPU {index}: {nvml.nvmlDeviceGetName(handle)}, {readable(memory.free)} of "
        f"{readable(memory.total)} free, used by {users}",
    )


def process_name(pid: int) -> str:
    """Return what a process is called; where it is hidden, as outside a container, `process`."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "process"
