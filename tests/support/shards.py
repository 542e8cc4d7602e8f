"""Views that are put into shards, as a worker does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from farm.spec.record import ViewRecord
from farm.storage.shards import sample_key
from worker.render.writers.shard_maker import Packed, ShardMaker

SUFFIXES = {"webdataset": "tar", "parquet": "parquet"}


def pack_views(
    shard: ShardMaker, records: Iterable[ViewRecord], data_of: Callable[[str], bytes]
) -> Packed:
    """Put views into a shard, whose files are somewhere else."""
    for record in records:
        files = {}
        for name, file in record.files.items():
            suffix = PurePosixPath(file.path).suffix
            key = shard.add(f"{sample_key(record.view.name)}.{name}{suffix}", data_of(file.path))
            files[name] = file.model_copy(update={"path": key})
        shard.add_view(record.model_copy(update={"files": files, "previews": {}}))
    return shard.finish()
