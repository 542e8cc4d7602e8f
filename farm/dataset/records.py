"""The records of a dataset: `views.jsonl` and what its running tasks have written so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pydantic import ValidationError

from farm.spec.base import first_reason
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask, dataset_key, records_key
from farm.storage import Storage

VIEWS_FILE = "views.jsonl"
RECORDS_FOLDER = ".records"

Report = Callable[[str], None]
"""Takes one sentence for a person."""


class RecordLine(NamedTuple):
    """A record and the very line that it was read from."""

    record: ViewRecord
    line: bytes


def read_records(storage: Storage, dataset: str, report: Report) -> Iterator[RecordLine]:
    """Yield all records of a dataset, older before newer; a view may occur again.

    A line that is no record, such as the cut-off last one of a worker that died, is reported
    and skipped.
    """
    for key in record_keys(storage, dataset):
        yield from read_file(storage, key, report)


def record_keys(storage: Storage, dataset: str) -> list[str]:
    """Return the keys that records may lie under, older first."""
    views = dataset_key(dataset, VIEWS_FILE)
    running = storage.keys(dataset_key(dataset, RECORDS_FOLDER))
    return [views, *(key for key in running if key.endswith(".jsonl"))]


def read_file(storage: Storage, key: str, report: Report) -> Iterator[RecordLine]:
    """Yield the records under one key; none where there is nothing."""
    for number, (_place, line) in enumerate(read_lines(storage, key), start=1):
        if not line:
            continue
        try:
            record = ViewRecord.model_validate_json(line)
        except ValidationError as error:
            reason = first_reason(error)
            report(f"{key}: line {number} is not a whole record and is skipped: {reason}")
            continue
        yield RecordLine(record, line)


def read_lines(storage: Storage, key: str, *, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file from the byte `start` on, each with its place, stripped."""
    if (storage.size(key) or 0) <= start:
        return
    rest = b""
    for piece in storage.read(key, start=start):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield start, line.strip()
            start += len(line) + 1
    if rest.strip():
        yield start, rest.strip()


def newest(records: Iterable[RecordLine]) -> dict[str, RecordLine]:
    """Return the last record of each view, by view id.

    A view whose file a later view has overwritten, as after a change of the spec, is gone.
    """
    views: dict[str, RecordLine] = {}
    owners: dict[str, str] = {}
    for entry in records:
        view_id = entry.record.view_id
        for file in entry.record.files.values():
            owner = owners.get(file.path)
            if owner is not None and owner != view_id:
                views.pop(owner, None)
            owners[file.path] = view_id
        views[view_id] = entry
    return views


def finished(storage: Storage, dataset: str, report: Report) -> dict[str, RecordLine]:
    """Return the views, by id, whose files are all there with the size that was recorded."""
    views = newest(read_records(storage, dataset, report))
    return {view_id: entry for view_id, entry in views.items() if is_whole(storage, dataset, entry)}


def is_whole(storage: Storage, dataset: str, entry: RecordLine) -> bool:
    """Say whether all files of a view are there with the size that was recorded."""
    return all(
        storage.size(dataset_key(dataset, file.path)) == file.size_bytes
        for file in entry.record.files.values()
    )


def seed_records(storage: Storage, task: RenderTask, lines: Iterable[bytes]) -> None:
    """Make `lines` the records of a task, so that its worker skips the views that are done."""
    data = b"".join(line + b"\n" for line in lines)
    if data:
        storage.put(records_key(task), data)
    else:
        storage.delete(records_key(task))
