"""Which device a worker renders on, claimed before Blender is imported."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from farm.errors import DeviceError
from farm.spec.counted import counted

DeviceKind = Literal["cpu", "cuda", "optix"]
CUDA_CACHE_BYTES = 4 << 30
"""Room for the kernels that the driver compiles once; its own default drops some of them."""


@dataclass(frozen=True)
class Device:
    """One device of this machine."""

    kind: DeviceKind
    index: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.index}"


def parse_device(text: str) -> Device:
    """Read `cpu`, `cuda:N` or `optix:N`.

    Raises:
        DeviceError: It is none of these.
    """
    if text == "cpu":
        return Device("cpu")
    match = re.fullmatch(r"(cuda|optix)(?::(\d+))?", text)
    if match is None:
        raise DeviceError(f"device {text!r} is unknown: use cpu, cuda:N or optix:N")
    kind: DeviceKind = "cuda" if match[1] == "cuda" else "optix"
    return Device(kind, int(match[2] or 0))


CLAIM = "FARM_CLAIMED_DEVICE"
"""Set in a process (and its children) that has narrowed its GPUs down to one already."""


def claim_device(device: Device) -> None:
    """Hide every other GPU from this process; call it before anything touches CUDA."""
    if os.environ.get(CLAIM) != str(device):
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        pin(device, visible_gpus(device, visible))


def pin(device: Device, visible: str) -> None:
    """Let this process and its children see nothing but `visible`: a GPU's UUID, index, or ""."""
    os.environ["CUDA_VISIBLE_DEVICES"] = visible
    os.environ[CLAIM] = str(device)
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    os.environ.setdefault("CUDA_CACHE_MAXSIZE", str(CUDA_CACHE_BYTES))


def keep_kernels(folder: Path) -> None:
    """Let the driver keep the kernels that it compiles in `folder`, which outlives the process.

    Raises:
        DeviceError: The folder cannot be written.
    """
    for variable, name in (("CUDA_CACHE_PATH", "cuda"), ("OPTIX_CACHE_PATH", "optix")):
        place = folder / name
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeviceError(
                f"{place}: cannot keep kernels: {error.strerror}; correct FARM_KERNEL_CACHE"
            ) from error
        os.environ[variable] = str(place)


def visible_gpus(device: Device, visible: str | None) -> str:
    """Return CUDA_VISIBLE_DEVICES for `device`, counted among those that are `visible` now.

    Raises:
        DeviceError: Fewer GPUs are visible.
    """
    if device.kind == "cpu":
        return ""
    if visible is None:
        return str(device.index)
    names = [name for name in visible.split(",") if name]
    if device.index >= len(names):
        shown = counted(len(names), "GPU")
        raise DeviceError(
            f"{device} is not available: CUDA_VISIBLE_DEVICES={visible!r} shows {shown}"
        )
    return names[device.index]
