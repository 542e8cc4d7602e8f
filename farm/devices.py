"""The devices of this machine, as `cpu`, `cuda:N` and `optix:N`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from farm.errors import DeviceError, SetupError, SpecError
from farm.spec.counted import counted
from farm.spec.hint import hint

DEVICE_EXIT = 3
"""Exit code of a worker that cannot use its device: starting it again would not help."""
DEVICE_PATTERN = re.compile(r"cpu|(cuda|optix):\d+")


# Seconds per megapixel and sample: one CPU core; one GPU of the RTX 3080 class.
CPU_CORE_S_PER_MPX_SAMPLE = 0.35
GPU_S_PER_MPX_SAMPLE = 0.006
VIEW_OVERHEAD_S = 0.05


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU of this machine."""

    index: int
    """Its place in the driver's list, which is that of the PCI bus."""
    uuid: str
    name: str
    capability: tuple[int, int] | None = None
    """Compute capability, such as (9, 0) for an H100; None where the driver does not tell."""
    driver: str = ""
    """Version of the driver."""


def list_gpus() -> list[Gpu]:
    """Return the NVIDIA GPUs that the driver lists; none if there is no driver.

    Raises:
        DeviceError: There is a driver, but it does not answer.
    """
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
        try:
            handles = [
                pynvml.nvmlDeviceGetHandleByIndex(index)
                for index in range(pynvml.nvmlDeviceGetCount())
            ]
            driver = str(pynvml.nvmlSystemGetDriverVersion())
            return [
                Gpu(
                    index,
                    pynvml.nvmlDeviceGetUUID(handle),
                    pynvml.nvmlDeviceGetName(handle),
                    tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle)),
                    driver,
                )
                for index, handle in enumerate(handles)
            ]
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        none = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        if error.value in none:
            return []
        raise DeviceError(
            f"the NVIDIA driver does not answer: {error}; run nvidia-smi, and reboot if "
            "the driver was updated"
        ) from error


def shown_gpus(visible: str | None) -> list[Gpu]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES=`visible` shows, in its order; None shows all.

    Raises:
        DeviceError: There is a driver, but it does not answer.
    """
    gpus = list_gpus()
    if visible is None:
        return gpus
    shown: list[Gpu] = []
    for name in map(str.strip, visible.split(",")):
        found = [gpu for gpu in gpus if name and name in (str(gpu.index), gpu.uuid[: len(name)])]
        if len(found) != 1:  # as the driver has it: what follows is not shown
            break
        shown += found
    return shown


def usable_gpus() -> list[Gpu]:
    """Return the NVIDIA GPUs that can be used; none if there is no driver."""
    try:
        return list_gpus()
    except DeviceError:
        return []


def gpu_names() -> list[str]:
    """Return the names of the usable NVIDIA GPUs; none if there is no driver."""
    return [gpu.name for gpu in usable_gpus()]


def choose_devices(device: str, workers: str) -> list[str]:
    """Return one device per worker.

    `auto` devices are all GPUs (through OptiX), or the CPU if there is no GPU; `auto` workers are
    one per device.

    Raises:
        SpecError: Not a device or number of workers.
        SetupError: More workers than GPUs, or a GPU that does not exist.
    """
    if device != "auto" and not DEVICE_PATTERN.fullmatch(device):
        near = hint(device, ("auto", "cpu", "cuda:0", "optix:0"))
        raise SpecError(f"device: {device!r} is not auto, cpu, cuda:N or optix:N{near}")
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
            f"workers: {workers} are more than the {counted(len(devices), 'GPU')} of this machine"
        )
    return devices[: int(workers)]


def view_seconds(*, resolution_px: tuple[int, int], samples: int, cores: int | None) -> float:
    """Return roughly how long a view takes on that many CPU cores, or on a GPU if None."""
    return seconds_of(megasamples(resolution_px, samples), cores=cores)


def megasamples(resolution_px: tuple[int, int], samples: int) -> float:
    """Return how many million samples a picture takes."""
    width, height = resolution_px
    return width * height / 1e6 * samples


def seconds_of(view_megasamples: float, *, cores: int | None) -> float:
    """Return roughly how long so many samples take on CPU cores, or on a GPU if None."""
    speed = GPU_S_PER_MPX_SAMPLE if cores is None else CPU_CORE_S_PER_MPX_SAMPLE / cores
    return view_megasamples * speed + VIEW_OVERHEAD_S


def cpu_count() -> int:
    """Return how many CPU cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
