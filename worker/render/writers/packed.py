"""Views that are kept in shards, many in one file."""

from __future__ import annotations

import hashlib
import threading
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from farm.spec.record import FileRecord, ViewRecord
from farm.spec.task import dataset_key
from farm.spec.view import View
from farm.storage.shards import SHARDS_FOLDER, sample_key
from worker.render.writers.packs import check_installed, new_shard, suffix_of
from worker.render.writers.shard_maker import ShardMaker
from worker.render.writers.writer import ViewWriter, done_view

SHARD_BYTES = 64 << 20
"""Size from which on a shard is written, though its task has more views: it waits in memory."""


class Kept(NamedTuple):
    """A view whose files are in the shard that is being made."""

    record: ViewRecord
    glimpse: bytes | None
    develop_s: float


class PackedWriter(ViewWriter):
    """Puts the files of a task's views into shards. A view counts when its shard is on storage."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._packing = threading.RLock()
        self._number = 0
        self._kept: list[Kept] = []
        self._shard: ShardMaker | None = None
        check_installed(self._task.render.pack)

    def deliver(self, *args: Any, **more: Any) -> ViewRecord:
        """Add a view to the shard, and write it where it is large enough."""
        with self._packing:
            record = super().deliver(*args, **more)
            if self._shard is not None and self._shard.size_bytes >= SHARD_BYTES:
                self.close()
            return record

    def close(self) -> None:
        """Write the shard, then the records of its views, then tell of them.

        Raises:
            StaleAttempt: Somebody else does now.
        """
        with self._packing:
            if self._shard is None or not self._kept:
                return
            self._may_write()
            shard, packed = self._shard, self._shard.finish()
            self._storage.put(dataset_key(self._task.dataset, shard.key), packed.data)
            told = FileRecord(
                path=shard.key,
                sha256=hashlib.sha256(packed.data).hexdigest(),
                size_bytes=len(packed.data),
            )
            kept = [
                each._replace(record=record.model_copy(update={"shard": told}))
                for each, record in zip(self._kept, packed.records, strict=True)
            ]
            self._kept, self._shard = [], None
            assert self._book is not None
            self._book.add(*(each.record for each in kept))
            for each in kept:
                self.show(each.record, each.glimpse)
                self._on_done(done_view(each.record, each.develop_s))

    def _keep(self, record: ViewRecord, glimpse: bytes | None, develop_s: float) -> None:
        self._open().add_view(record)
        self._kept.append(Kept(record, glimpse, develop_s))

    def _write(self, view: View, what: str, path: str, data: bytes) -> FileRecord:
        name = f"{sample_key(view.name)}.{what}{PurePosixPath(path).suffix}"
        key = self._open().add(name, data)
        return FileRecord(path=key, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))

    def _open(self) -> ShardMaker:
        """Return the shard that is being made: none of those that an earlier run has left."""
        while self._shard is None:
            number, self._number = self._number, self._number + 1
            name = f"{self._task.task_id}-{self._circumstances.attempt}-{number}"
            key = f"{SHARDS_FOLDER}/{name}{suffix_of(self._task.render.pack)}"
            if self._storage.size(dataset_key(self._task.dataset, key)) is None:
                self._shard = new_shard(key)
        return self._shard
