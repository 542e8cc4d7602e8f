"""Shards of views: what all kinds of them share, and the tar file of WebDataset."""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple, Protocol

from farm.errors import RenderError
from farm.spec.record import ViewRecord
from farm.spec.render import Pack
from farm.storage.shards import PARQUET, TarShard, sample_key

TAR = ".tar"


class Packed(NamedTuple):
    """A whole shard."""

    data: bytes
    records: list[ViewRecord]
    """Of its views, each with the keys by which its files are read."""


class ShardMaker(Protocol):
    """A shard that is being made, in memory."""

    key: str
    """Relative to the dataset."""

    @property
    def size_bytes(self) -> int:
        """Bytes so far, about."""

    def add(self, name: str, data: bytes) -> str:
        """Add a file of a view; return its key, which may change until the shard is whole.

        Raises:
            RenderError: A shard of this kind cannot hold it.
        """

    def add_view(self, record: ViewRecord) -> None:
        """Add the view whose files were added."""

    def finish(self) -> Packed:
        """Return the shard; nothing can be added afterwards.

        Raises:
            RenderError: It cannot be made as records would tell.
        """


class TarMaker:
    """A tar file: of each view its files, then its record."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._shard = TarShard(key)
        self._records: list[ViewRecord] = []

    @property
    def size_bytes(self) -> int:
        return self._shard.size_bytes

    def add(self, name: str, data: bytes) -> str:
        return self._shard.add(name, data)

    def add_view(self, record: ViewRecord) -> None:
        self.add(f"{sample_key(record.view.name)}.json", record.model_dump_json().encode())
        self._records.append(record)

    def finish(self) -> Packed:
        return Packed(self._shard.finish(), self._records)


def check_installed(pack: Pack) -> None:
    """Hold that shards of a kind can be made here, before anything is rendered for them.

    Raises:
        RenderError: A package is missing.
    """
    if pack == "parquet" and find_spec("pyarrow") is None:
        raise RenderError(
            "pack: parquet needs pyarrow, which this worker does not have; run: pip install "
            "'viewfarm[worker]', or take pack: webdataset"
        )


def suffix_of(pack: Pack) -> str:
    """Return how the names of shards of a kind end."""
    return PARQUET if pack == "parquet" else TAR


def new_shard(key: str) -> ShardMaker:
    """Return an empty shard of the kind that its key ends with."""
    if key.endswith(PARQUET):
        from worker.render.parquet_pack import ParquetMaker  # takes half a second to import

        return ParquetMaker(key)
    return TarMaker(key)
