"""Which GPUs Blender brings a compiled kernel for, and which kernels drivers have compiled here.

Cycles takes the binary of a GPU's major version with the nearest minor version that is not above
the GPU's; else the PTX of the nearest earlier version, which the driver compiles at first use, for
minutes (`CUDADevice::compile_kernel` in Cycles' src/device/cuda/device_impl.cpp). A device of OptiX
needs the same kernel, and programs of OptiX's own, which always are PTX.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from farm.errors import DeviceError
from farm.storage.file_lock import lock_file

Capability = tuple[int, int]
"""Compute capability of a GPU, such as (9, 0) for an H100."""

KERNEL = re.compile(r"kernel_(sm|compute)_(\d+)(\d)\.(?:cubin|ptx)\.zst")
OLDEST_PTX = 5
"""Earliest major version whose PTX Cycles looks for."""
LOCK, STAMPS = "warm.lock", "warm"


@dataclass(frozen=True)
class CyclesKernels:
    """The CUDA kernels that come with Blender."""

    binaries: frozenset[Capability]
    ptx: frozenset[Capability]

    def binary_for(self, gpu: Capability) -> Capability | None:
        """Return what the binary that a GPU runs was compiled for; None if there is none."""
        fitting = (each for each in self.binaries if each[0] == gpu[0] and each[1] <= gpu[1])
        return max(fitting, default=None)

    def ptx_for(self, gpu: Capability) -> Capability | None:
        """Return what the PTX that the driver compiles for a GPU was made for; None if none is."""
        fitting = (each for each in self.ptx if (OLDEST_PTX, 0) <= each <= gpu)
        return max(fitting, default=None)

    def source_for(self, gpu: Capability) -> Capability | None:
        """Return what the kernel of a GPU comes from, compiled or not; None if there is none."""
        return self.binary_for(gpu) or self.ptx_for(gpu)


def cycles_kernels() -> CyclesKernels | None:
    """Return the kernels of the installed Blender; None where none is installed."""
    found = find_spec("bpy")
    if found is None or not found.submodule_search_locations:
        return None
    folders = [Path(place) for place in found.submodule_search_locations]
    files = [
        file.name
        for folder in folders
        for file in folder.glob("*/scripts/addons_core/cycles/lib/kernel_*")
    ]
    return kernels_among(files)


def kernels_among(names: Iterable[str]) -> CyclesKernels:
    """Return the kernels whose files are called so."""
    found: dict[str, set[Capability]] = {"sm": set(), "compute": set()}
    for match in filter(None, map(KERNEL.fullmatch, names)):
        found[match[1]].add((int(match[2]), int(match[3])))
    return CyclesKernels(frozenset(found["sm"]), frozenset(found["compute"]))


@dataclass(frozen=True)
class KernelStamp:
    """What kernels depend on: another of these, and the driver compiles again."""

    kind: str
    """`cuda` or `optix`."""
    capability: Capability
    driver: str
    blender: str

    @property
    def file_name(self) -> str:
        """The name of the file which says that these were compiled."""
        major, minor = self.capability
        return f"{self.kind}-sm{major}{minor}-driver{self.driver}-bpy{self.blender}.json"


def stamp_of(kind: str, capability: Capability, driver: str) -> KernelStamp:
    """Return what the kernels of a device depend on here."""
    try:
        blender = version("bpy")
    except PackageNotFoundError:
        blender = "none"
    return KernelStamp(kind, capability, driver, blender)


class KernelCache:
    """The folder in which drivers keep what they compile; the workers of a host share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def seconds(self, stamp: KernelStamp) -> float | None:
        """Return how long it took to compile these kernels here; None if they were not yet."""
        try:
            told = json.loads((self.folder / STAMPS / stamp.file_name).read_text())
            return float(told["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, stamp: KernelStamp, seconds: float) -> None:
        """Note that these kernels are here.

        Raises:
            DeviceError: The folder cannot be written.
        """
        place = self.folder / STAMPS / stamp.file_name
        told = json.dumps({"seconds": round(seconds, 1), "time_s": round(time.time())})
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(told)
            draft.replace(place)
        except OSError as error:
            raise self._unwritable(error) from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one process of the host compile at a time: the others wait, and find it done.

        Raises:
            DeviceError: The folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            held = lock_file(self.folder / LOCK, if_possible=True)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            os.close(held)

    def _unwritable(self, error: OSError) -> DeviceError:
        return DeviceError(
            f"{self.folder}: cannot keep kernels: {error.strerror}; correct FARM_KERNEL_CACHE"
        )


def cache_folder(told: Path | None) -> Path:
    """Return where drivers keep what they compile: the folder that was told, or their own."""
    return told or Path(os.environ.get("CUDA_CACHE_PATH") or Path.home() / ".nv" / "ComputeCache")


def dotted(capability: Capability) -> str:
    """Write a compute capability as NVIDIA does: `9.0`."""
    return f"{capability[0]}.{capability[1]}"
