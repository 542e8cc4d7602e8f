"""A device for a worker: the one that it was told, or a free GPU, held by a lease on its UUID."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from farm.devices import Gpu, choose_devices, shown_gpus
from farm.errors import DeviceError, UnreachableError
from farm.ledger import Ledger
from worker.device.device import Device, parse_device

log = logging.getLogger(__name__)

PATIENCE = 1.5
"""Lifetimes of a lease that a start waits for one to end: its holder may be dead."""
POLL_S = 0.25
START_S = 15.0
"""Extra seconds that the first lease lives: the heartbeat does not beat yet."""


@dataclass
class DeviceLease:
    """A worker's hold on a GPU. What was asked for by name is shared, what is free is not."""

    ledger: Ledger
    gpu: Gpu
    holder: str
    ttl_s: float
    exclusive: bool

    def renew(self) -> None:
        """Keep the GPU, or take it if nobody has it.

        Raises:
            DeviceError: It was to be ours alone, and somebody else has it.
        """
        found = self.ledger.lease(lease_name(self.gpu), self.holder, self.ttl_s)
        if self.exclusive and found != self.holder:
            raise DeviceError(f"{self.gpu.uuid} ({self.gpu.name}) was taken by {found}")

    def give_back(self) -> None:
        """Let others have it."""
        with suppress(UnreachableError):  # it ends by itself
            self.ledger.unlease(lease_name(self.gpu), self.holder)


@dataclass(frozen=True)
class Claim:
    """A worker's device."""

    device: Device
    lease: DeviceLease | None = None

    @property
    def visible(self) -> str:
        """What CUDA_VISIBLE_DEVICES must be."""
        return self.lease.gpu.uuid if self.lease else ""

    @property
    def hardware(self) -> str:
        """What people call it."""
        return self.lease.gpu.name if self.lease else "CPU"


def gpu_of(device: Device, gpus: Sequence[Gpu]) -> Gpu:
    """Return the GPU that a device names among those that are shown.

    Raises:
        DeviceError: There are fewer.
    """
    if device.index >= len(gpus):
        there = ", ".join(gpu.name for gpu in gpus) or "no GPU"
        raise DeviceError(f"{device} is not available: the driver lists {there}")
    return gpus[device.index]


def lease_name(gpu: Gpu) -> str:
    """Return what the ledger calls the lease of a GPU."""
    return f"device:{gpu.uuid}"


@dataclass(frozen=True)
class Claimant:
    """A worker that starts and wants a device."""

    ledger: Ledger
    holder: str
    """What others read of it when it holds what they want."""
    ttl_s: float
    sleep: Callable[[float], None] = time.sleep

    def find(self, text: str, *, require_gpu: bool) -> Claim:
        """Return the device that `text` names; `auto` is a free GPU, or the CPU without any.

        Raises:
            SpecError: `text` is no device.
            DeviceError: There is no such GPU, or none is free.
        """
        device = None if text == "auto" else parse_device(choose_devices(text, "auto")[0])
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        gpus = shown_gpus(visible) if text != "cpu" else []
        if device is not None and device.kind != "cpu":
            return self._named(device, gpus)
        if gpus:
            return self._free(gpus)
        if require_gpu:
            raise DeviceError(no_gpu(text, visible))
        return Claim(Device("cpu"))

    def _named(self, device: Device, gpus: list[Gpu]) -> Claim:
        """Return the GPU that was asked for; others may use it too."""
        gpu = gpu_of(device, gpus)
        lease = DeviceLease(self.ledger, gpu, self.holder, self.ttl_s, exclusive=False)
        with suppress(UnreachableError):  # the heartbeat takes it later
            lease.renew()
        return Claim(device, lease)

    def _free(self, gpus: list[Gpu]) -> Claim:
        """Take the first GPU that nobody holds, or whose holder turns out to be dead."""
        holders: dict[Gpu, str] = {}
        for _ in range(max(1, round(self.ttl_s * PATIENCE / POLL_S))):
            for place, gpu in enumerate(gpus):
                holders[gpu] = self._lease(gpu)
                if holders[gpu] == self.holder:
                    lease = DeviceLease(self.ledger, gpu, self.holder, self.ttl_s, exclusive=True)
                    return Claim(Device("optix", place), lease)
            self.sleep(POLL_S)
        told = [f"{gpu.uuid} ({gpu.name}) is held by {who}" for gpu, who in holders.items()]
        raise DeviceError(
            f"no GPU is free: {'; '.join(told)}; start fewer workers, or stop one of these"
        )

    def _lease(self, gpu: Gpu) -> str:
        """Ask for a GPU until Redis answers; return who has it now."""
        told = False
        while True:
            try:
                return self.ledger.lease(lease_name(gpu), self.holder, self.ttl_s + START_S)
            except UnreachableError as error:
                if not told:
                    log.warning("%s; it is needed to find a free GPU; waiting", error)
                told = True
                self.sleep(1.0)


def no_gpu(text: str, visible: str | None) -> str:
    """Say why there is no GPU where there must be one."""
    if text == "cpu":
        return "the device is cpu, but FARM_REQUIRE_GPU is set; remove one of them"
    if visible is not None:
        return f"no GPU is visible: CUDA_VISIBLE_DEVICES={visible!r} hides all; correct it"
    return (
        "no GPU is visible, and FARM_REQUIRE_GPU is set; install the NVIDIA driver, or start "
        "the container with --gpus all on a host with the NVIDIA container toolkit"
    )
