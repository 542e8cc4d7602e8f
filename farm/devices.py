"""The devices of this machine, as `cpu`, `cuda:N` and `optix:N`."""

from __future__ import annotations

import os
import re

from farm.errors import SetupError, SpecError

DEVICE_PATTERN = re.compile(r"cpu|(cuda|optix):\d+")


def gpu_names() -> list[str]:
    """Return the names of the NVIDIA GPUs that the driver lists; none where there is no driver."""
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
    finally:
        pynvml.nvmlShutdown()


def choose_devices(device: str, workers: str) -> list[str]:
    """Return one device per worker.

    `auto` devices are all GPUs (through OptiX), or the CPU where there is none; `auto` workers are
    one per device.

    Raises:
        SpecError: Not a device or number of workers.
        SetupError: More workers than GPUs, or no such GPU.
    """
    if device != "auto" and not DEVICE_PATTERN.fullmatch(device):
        raise SpecError(f"device: {device!r} is not auto, cpu, cuda:N or optix:N")
    if workers != "auto" and (not workers.isdecimal() or not 1 <= int(workers) <= 256):
        raise SpecError(f"workers: {workers!r} is not auto or a number from 1 to 256")
    if device == "auto":
        devices = [f"optix:{index}" for index in range(len(gpu_names()))] or ["cpu"]
    else:
        devices = [device]
    if workers == "auto":
        return devices
    if devices == ["cpu"] or device != "auto":
        return devices[:1] * int(workers)
    if int(workers) > len(devices):
        raise SetupError(
            f"workers: {workers} are more than the {len(devices)} GPUs of this machine"
        )
    return devices[: int(workers)]


def cpu_count() -> int:
    """Return how many CPU cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
