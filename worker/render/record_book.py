"""The records of one task, kept on storage beside its files."""

from __future__ import annotations

import threading

from pydantic import ValidationError

from farm.spec.record import ViewRecord, read_record
from farm.spec.task import RenderTask, dataset_key, records_key, view_id
from farm.spec.view import View
from worker.render.results import Results


class RecordBook:
    """One JSON line per finished view, in the views' order, written whole after each view.

    All attempts are read, one is written.
    """

    def __init__(self, task: RenderTask, storage: Results, attempt: int = 1) -> None:
        self._task = task
        self._key = records_key(task, attempt)
        self._first = records_key(task)
        self._storage = storage
        self._ids = [view_id(task, view) for view in task.views]
        self._lock = threading.Lock()
        later = storage.keys(self._first.removesuffix(".jsonl"))
        self._records = self._read(self._first, *later)

    def has(self, view: View) -> bool:
        """Tell whether a view is recorded and its files are there in full size."""
        record = self._records.get(view_id(self._task, view))
        if record is None:
            return False
        previews = record.previews if self._task.render.previews else {}
        return all(
            self._storage.size(dataset_key(self._task.dataset, file.path)) == file.size_bytes
            for file in (*record.files.values(), *previews.values())
        )

    def add(self, record: ViewRecord) -> None:
        """Record a view whose files are written."""
        with self._lock:
            self._records |= self._read(self._key) | {
                record.view_id: record
            }  # another attempt may write
            lines = [
                self._records[each].model_dump_json() for each in self._ids if each in self._records
            ]
            text = "".join(f"{line}\n" for line in lines)
            self._storage.put(self._key, text.encode())

    def _read(self, *keys: str) -> dict[str, ViewRecord]:
        """Return what is recorded of this task's views; lines of another version are not."""
        records = {}
        found = (self._storage.get(key) or b"" for key in keys)
        for line in (line for data in found for line in data.splitlines()):
            try:
                record = read_record(line)
            except ValidationError:
                continue
            if record.view_id in self._ids:
                records[record.view_id] = record
        return records
