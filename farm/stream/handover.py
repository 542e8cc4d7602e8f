"""Batches from a `DataLoader`'s workers to the training, by memory that is used again.

PyTorch gives each batch new shared memory, whose pages the system clears, and sends every tensor's
file through a socket of its own: that takes longer than to copy the batch. So samples are of a type
for which PyTorch asks us how to put them side by side (`default_collate_fn_map`). Their large
tensors go into a file of a folder that both sides share (`farm.stream.memory`); what is small goes
along in the message. The training gets ordinary tensors in a `dict`.
"""

from __future__ import annotations

import functools
import os
import secrets
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from farm.errors import StreamError, needing
from farm.owned_folders import Owned, make_owned
from farm.stream.memory import SampleReader, SampleWriter
from farm.stream.wire import pack_rows, unpack

with needing("tensors need", "pip install 'viewfarm[torch]'"):
    import torch
    from torch.utils.data import default_collate, get_worker_info
    from torch.utils.data._utils.collate import default_collate_fn_map

IN_MEMORY = Path("/dev/shm")
LEAST_BYTES = 1 << 14
"""Of a field of a batch that is worth a place in a file."""


class HandedSample(dict[str, Any]):
    """A sample that goes into a batch by memory of `folder`; else a `dict` like any other."""

    def __init__(self, fields: dict[str, Any], folder: Path | None) -> None:
        super().__init__(fields)
        self.folder = folder


class HandedBatch(dict[str, Any]):
    """A batch on its way: where it arrives it is a `dict` of tensors."""

    def __init__(self, small: dict[str, Any], folder: Path, name: str) -> None:
        super().__init__(small)
        self.folder = folder
        self.name = name

    def __reduce__(self) -> tuple[Callable[..., dict[str, Any]], tuple[Any, ...]]:
        return arrived, (self.folder, self.name, dict(self))


class Handover:
    """The folder through which a training's workers hand batches to it, where there is memory.

    It goes with the process that made it, however that ends; its workers have it, too.
    """

    def __init__(self) -> None:
        owned = made_folder()
        self.folder = None if owned is None else owned.folder
        self._end = None if owned is None else weakref.finalize(self, end, owned, os.getpid())

    def sample(self, fields: Any) -> Any:
        """Return a sample that PyTorch lets us put into batches, if it is a `dict`."""
        return HandedSample(fields, self.folder) if type(fields) is dict else fields

    def close(self) -> None:
        """Remove the folder; batches that are held stay."""
        if self._end is not None:
            self._end()

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_end": None}


def made_folder() -> Owned | None:
    """Make a folder in memory, if there is such."""
    try:
        return make_owned("farm-batches-", IN_MEMORY) if IN_MEMORY.is_dir() else None
    except OSError:
        return None


def end(owned: Owned, owner: int) -> None:
    """Remove the folder, unless this is a fork of its owner."""
    if os.getpid() == owner:
        owned.remove()


def collate_handed(batch: Sequence[HandedSample], *, collate_fn_map: Any = None) -> dict[str, Any]:
    """Put samples side by side, as PyTorch asks for."""
    folder = batch[0].folder
    if folder is None or get_worker_info() is None:
        return together(batch, list(batch[0]))
    large = [name for name in batch[0] if is_large([sample[name] for sample in batch])]
    rows = {name: [numpy_of(sample[name]) for sample in batch] for name in large}
    try:
        file = writer_of(folder).put(f"{os.getpid()}-{secrets.token_hex(4)}", pack_rows(rows))
    except (StreamError, OSError):  # no memory, or no folder: PyTorch's way is slower and works
        return together(batch, list(batch[0]))
    small = together(batch, [name for name in batch[0] if name not in rows])
    order = dict.fromkeys(batch[0])
    return HandedBatch(order | {name: plain(each) for name, each in small.items()}, folder, file)


def together(batch: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Return some fields of samples side by side, as PyTorch does it."""
    return {name: default_collate([sample[name] for sample in batch]) for name in names}


def is_large(values: Sequence[Any]) -> bool:
    """Say whether values are tensors that fit together and are worth a file."""
    first = values[0]
    return (
        isinstance(first, torch.Tensor)
        and first.numel() * first.element_size() * len(values) >= LEAST_BYTES
        and first.dtype in TYPES
        and all(
            isinstance(each, torch.Tensor)
            and each.shape == first.shape
            and each.dtype == first.dtype
            and each.layout == torch.strided
            and each.device.type == "cpu"
            for each in values
        )
    )


TYPES = frozenset(
    {
        torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
        torch.float16, torch.float32, torch.float64,
    }
)  # fmt: skip
"""Those that NumPy has as well."""


def numpy_of(tensor: torch.Tensor) -> Any:
    """Return a tensor as an array of the same memory."""
    return tensor.detach().resolve_conj().resolve_neg().numpy()


def plain(value: Any) -> Any:
    """Return small tensors as arrays, which go along in a message without files."""
    if isinstance(value, torch.Tensor):
        return Small(numpy_of(value)) if value.dtype in TYPES else value
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


class Small:
    """A small tensor on its way."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any]]:
        return torch.from_numpy, (self.array,)


def arrived(folder: Path, name: str, small: dict[str, Any]) -> dict[str, Any]:
    """Return a batch that has arrived; its file is used again when its tensors are gone."""
    reader = reader_of(folder)
    fields = unpack(reader.open(name)).fields
    reader.release(name)
    return small | {field: torch.from_numpy(rows) for field, rows in fields.items()}


@functools.lru_cache(maxsize=4)
def writer_of(folder: Path) -> SampleWriter:
    """Return this process's writer."""
    return SampleWriter(folder)


@functools.lru_cache(maxsize=4)
def reader_of(folder: Path) -> SampleReader:
    """Return this process's reader, whose arrays may be written to."""
    return SampleReader(folder, write=True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=writer_of.cache_clear)
    os.register_at_fork(after_in_child=reader_of.cache_clear)
default_collate_fn_map[HandedSample] = collate_handed
