"""Arrays of a whole sequence in one `.npz` file, frame by frame: memory holds one frame."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from farm.dataset.export.output_folder import OutputFolder

FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The same arrays are the same bytes; zip knows no earlier day."""
LEVEL = 4


class Stack:
    """An array (frames, ...) on disk that grows by frames."""

    def __init__(self, path: Path, frames: int) -> None:
        self.path = path
        self._frames = frames
        self._file: IO[bytes] | None = None
        self._start = 0
        self._shape: tuple[int, ...] = ()
        self._type: np.dtype[Any] = np.dtype(np.uint8)

    def add(self, frame: NDArray[Any]) -> None:
        """Append a frame; all have one shape and type."""
        if self._file is None:
            self._file = self.path.open("wb")
            self._shape, self._type = (self._frames, *frame.shape), frame.dtype
            told = {
                "descr": npy.dtype_to_descr(frame.dtype),
                "fortran_order": False,
                "shape": self._shape,
            }
            npy.write_array_header_1_0(self._file, told)
            self._start = self._file.tell()
        if frame.shape != self._shape[1:] or frame.dtype != self._type:
            raise ValueError(f"a frame of {frame.shape} {frame.dtype} in an array of others")
        self._file.write(np.ascontiguousarray(frame).tobytes())

    def close(self) -> None:
        """Write what is in memory still."""
        if self._file is not None:
            self._file.close()

    def read(self) -> NDArray[Any]:
        """Return all frames, which stay on disk."""
        self.close()
        return np.memmap(
            self.path, dtype=self._type, mode="r", offset=self._start, shape=self._shape
        )


class Stacks:
    """Arrays that grow side by side, by name."""

    def __init__(self, folder: Path, frames: int) -> None:
        self._folder = folder
        self._frames = frames
        self.known: dict[str, Stack] = {}

    def add(self, name: str, frame: NDArray[Any]) -> None:
        """Append a frame to an array."""
        if name not in self.known:
            path = self._folder / f"{len(self.known)}.npy"
            self.known[name] = Stack(path, self._frames)
        self.known[name].add(frame)

    def close(self) -> None:
        """Write what is in memory still."""
        for stack in self.known.values():
            stack.close()


@contextmanager
def stacks(outbox: OutputFolder, frames: int) -> Iterator[Stacks]:
    """Give arrays that grow beside an export; they go in the end."""
    with outbox.scratch() as folder:
        found = Stacks(folder, frames)
        try:
            yield found
        finally:
            found.close()


def put_npz(outbox: OutputFolder, path: str, stacked: Stacks, others: Mapping[str, Any]) -> str:
    """Write a compressed `.npz`, which no reader needs pickles for; return its path."""
    stacked.close()
    with outbox.open(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, stack in stacked.known.items():
            with stack.path.open("rb") as source, archive.open(entry(name), "w") as target:
                while block := source.read(1 << 20):
                    target.write(block)
        for name, value in others.items():
            array = np.asarray(value)
            with archive.open(entry(name), "w") as target:
                npy.write_array(target, array, allow_pickle=False)
    return path


def entry(name: str) -> zipfile.ZipInfo:
    """Return where an array lies in an archive."""
    info = zipfile.ZipInfo(f"{name}.npy", FIRST_DAY)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.compress_level = LEVEL
    return info
