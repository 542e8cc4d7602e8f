"""The records of one task, kept on storage beside its files."""

from __future__ import annotations

import threading

from pydantic import ValidationError

from farm.errors import ChangedViewError
from farm.spec.record import ViewRecord, read_record
from farm.spec.task import RenderTask, dataset_key, records_key, view_id
from farm.spec.view import View
from worker.render.results import Results


class RecordBook:
    """One JSON line per finished view, in the views' order, written whole after each view or shard.

    All attempts are read, one is written. Lines are kept as they are written: as records those of
    a long task would take many times the memory.
    """

    def __init__(self, task: RenderTask, storage: Results, attempt: int = 1) -> None:
        self._task = task
        self._key = records_key(task, attempt)
        self._storage = storage
        self._wanted = set(task.passes)
        self._ids = dict.fromkeys(self.id_of(view) for view in task.views)
        self._lock = threading.Lock()
        self._lines: dict[str, bytes] = {}
        self._written: bytes | None = None
        first = records_key(task)
        for key in (first, *storage.keys(first.removesuffix(".jsonl"))):
            self._take(storage.get(key))

    def id_of(self, view: View) -> str:
        """Return what a view is found by."""
        return view_id(self._task, view)

    def id_in(self, record: ViewRecord) -> str:
        """Return the same of a record."""
        return record.view_id

    def has(self, view: View) -> bool:
        """Tell whether a view is recorded and its files are there in full size."""
        line = self._lines.get(self.id_of(view))
        if line is None:
            return False
        record = read_record(line)
        previews = record.previews if self._task.render.previews else {}
        return record.files.keys() >= self._wanted and all(
            self._storage.size(dataset_key(self._task.dataset, file.path)) == file.size_bytes
            for file in (*record.files.values(), *previews.values())
        )

    def record_of(self, view: View) -> ViewRecord:
        """Return what is known of a view.

        Raises:
            ChangedViewError: The dataset has none of that name.
        """
        line = self._lines.get(self.id_of(view))
        if line is None:
            raise ChangedViewError(f"{view.name}: the dataset has no such view any more")
        return read_record(line)

    def add(self, *records: ViewRecord) -> None:
        """Record views whose files are written."""
        with self._lock:
            there = self._storage.get(self._key)
            if there != self._written:  # another attempt may write
                self._take(there)
            self._lines |= {self.id_in(record): line_of(record) for record in records}
            text = b"".join(self._lines[each] for each in self._ids if each in self._lines)
            self._storage.put(self._key, text)
            self._written = text

    def _take(self, data: bytes | None) -> None:
        """Know what is recorded of this task's views; lines of another version are not."""
        for line in (data or b"").splitlines():
            try:
                record = read_record(line)
            except ValidationError:
                continue
            if self.id_in(record) in self._ids:
                self._lines[self.id_in(record)] = line_of(record)


class AdditionBook(RecordBook):
    """The records of views that get more passes: they are on storage from the start, by name.

    What a view is may not be known any more by its id, which older releases may have made of other
    things; the proof tells.
    """

    def __init__(self, task: RenderTask, storage: Results, attempt: int = 1) -> None:
        super().__init__(task, storage, attempt)
        assert task.adds is not None
        self._wanted = set(task.adds.passes)

    def id_of(self, view: View) -> str:
        return view.name

    def id_in(self, record: ViewRecord) -> str:
        return record.view.name


def line_of(record: ViewRecord) -> bytes:
    """Return a record as a line of a file."""
    return f"{record.model_dump_json()}\n".encode()
