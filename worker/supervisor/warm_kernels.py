"""The kernels of this machine's GPUs, compiled before work waits for them.

A driver compiles them at the first render, for minutes, where Blender brings none for its GPU, and
keeps them; once for each host and driver is enough, however many workers share the folder.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from farm.devices import DEVICE_EXIT, Gpu, choose_devices, shown_gpus
from farm.errors import DeviceError
from farm.kernels import (
    KernelCache,
    KernelStamp,
    cache_folder,
    cycles_kernels,
    dotted,
    stamp_of,
)
from farm.settings import Settings
from farm.spec.amounts import duration
from worker.device.device import Device, keep_kernels, parse_device, pin
from worker.device.gpu_lease import Claim, gpu_of
from worker.supervisor.quarantine import prove_in_child

log = logging.getLogger(__name__)

TOLD_EVERY_S = 15.0
"""Seconds between two lines that say that the driver is still at it."""

Say = Callable[[str], None]


def stamp_for(device: Device, gpu: Gpu) -> KernelStamp | None:
    """Return what the kernels of a device depend on; None where the driver does not tell."""
    if gpu.capability is None:
        return None
    return stamp_of(device.kind, gpu.capability, gpu.driver)


def must_compile(device: Device, gpu: Gpu, cache: KernelCache) -> bool:
    """Say whether a driver has kernels to compile that take minutes."""
    stamp, found = stamp_for(device, gpu), cycles_kernels()
    if stamp is None or found is None or cache.seconds(stamp) is not None:
        return False
    return found.binary_for(stamp.capability) is None


def warm_up(settings: Settings, say: Say) -> int:
    """Compile, and say what happens; return the exit code."""
    try:
        warm_kernels(settings, say)
    except DeviceError as error:
        sys.stderr.write(f"error: {error}\n")
        return DEVICE_EXIT
    return 0


def warm_claim(claim: Claim, settings: Settings, warming: Callable[[], None]) -> None:
    """Compile what the device of a worker that starts lacks; do nothing where it lacks nothing.

    Args:
        claim: Its device; the process and its children see no other.
        settings: The worker's.
        warming: Called before it begins.

    Raises:
        DeviceError: The device cannot render, or nothing can be kept.
    """
    cache = KernelCache(cache_folder(settings.kernel_cache))
    if claim.lease is None or not must_compile(claim.device, claim.lease.gpu, cache):
        return
    warming()
    scratch = settings.scratch or Path(tempfile.gettempdir())
    KernelCompiler(settings, log.warning, scratch).warm(claim.device, claim.lease.gpu)


def warm_kernels(settings: Settings, say: Say) -> None:
    """Compile the kernels of the GPUs that a worker with these settings might take.

    Args:
        settings: Of such a worker; Redis is not asked.
        say: Takes what happens, line by line.

    Raises:
        DeviceError: A device cannot render, or nothing can be kept.
    """
    gpus = shown_gpus(os.environ.get("CUDA_VISIBLE_DEVICES")) if settings.device != "cpu" else []
    devices = chosen(settings.device, gpus)
    if devices[0].kind == "cpu":
        if settings.require_gpu:
            raise DeviceError("no GPU is visible, and one is required: nothing was compiled")
        say("this machine has no GPU that is visible here: nothing to compile")
        return
    if settings.kernel_cache:
        keep_kernels(settings.kernel_cache)
    with tempfile.TemporaryDirectory(prefix="farm-warm-") as scratch:
        compiler = KernelCompiler(settings, say, Path(scratch))
        for device in devices:
            compiler.warm(device, gpu_of(device, gpus))


def chosen(device: str, gpus: Sequence[Gpu]) -> list[Device]:
    """Return the devices that `device` names; `auto` are all GPUs, through OptiX, or the CPU.

    Raises:
        SpecError: It names none.
    """
    if device == "auto":
        return [Device("optix", index) for index in range(len(gpus))] or [Device("cpu")]
    return [parse_device(choose_devices(device, "auto")[0])]


class KernelCompiler:
    """Lets the driver compile, one process of a host at a time."""

    def __init__(self, settings: Settings, say: Say, scratch: Path) -> None:
        self.cache = KernelCache(cache_folder(settings.kernel_cache))
        self._environment = settings.environment()
        self._say = say
        self._scratch = scratch

    def warm(self, device: Device, gpu: Gpu) -> None:
        """Compile what one device needs, unless that is there.

        Raises:
            DeviceError: It cannot render, or nothing can be kept.
        """
        version = f", {dotted(gpu.capability)}" if gpu.capability else ""
        name = f"{device} ({gpu.name}{version}, driver {gpu.driver})"
        stamp = stamp_for(device, gpu)
        refuse_without_kernel(name, gpu)
        with self.cache.alone():
            known = self.cache.seconds(stamp) if stamp else None
            if known is not None:
                self._say(f"{name}: compiled before, in {known:.0f} s")
                return
            seconds = self._compile(device, gpu, name)
            if stamp is not None:
                self.cache.note(stamp, seconds)
        self._say(f"{name}: ready after {seconds:.0f} s; kept in {self.cache.folder}")

    def _compile(self, device: Device, gpu: Gpu, name: str) -> float:
        began = time.monotonic()
        self._say(f"{name}: compiling; this may take minutes")
        pin(device, gpu.uuid)
        with ticking(lambda: self._say(f"{name}: still compiling, {since(began)}")):
            environment = self._environment | {"FARM_DEVICE": str(device)}
            problem = prove_in_child(self._scratch, whole=True, environment=environment)
        if problem is not None:
            raise DeviceError(problem)
        return time.monotonic() - began


def refuse_without_kernel(name: str, gpu: Gpu) -> None:
    """Make sure that Blender has something for a GPU.

    Raises:
        DeviceError: It has nothing.
    """
    found = cycles_kernels()
    if found and gpu.capability and found.source_for(gpu.capability) is None:
        raise DeviceError(f"{name}: Blender has no kernel for this GPU; use --device cpu")


def since(began: float) -> str:
    """Return how long ago something began."""
    return duration(time.monotonic() - began)


@contextmanager
def ticking(tell: Callable[[], None], *, every_s: float = TOLD_EVERY_S) -> Iterator[None]:
    """Call something every few seconds while the context lasts."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(every_s):
            tell()

    thread = threading.Thread(target=run, name="ticking", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
