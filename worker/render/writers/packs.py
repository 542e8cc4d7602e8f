"""Shards of views, by their kinds: tar files of WebDataset, and Parquet."""

from __future__ import annotations

from importlib.util import find_spec

from farm.errors import RenderError
from farm.spec.record import ViewRecord
from farm.spec.render import Pack
from farm.storage.shards import PARQUET, TarShard, sample_key
from worker.render.writers.shard_maker import Packed, ShardMaker

TAR = ".tar"


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
        from worker.render.writers.parquet_pack import ParquetMaker  # takes half a second to import

        return ParquetMaker(key)
    return TarMaker(key)
