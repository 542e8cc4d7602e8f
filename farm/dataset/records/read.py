"""The records of a dataset: `views.jsonl` and what its running tasks have written so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pydantic import ValidationError

from farm.errors import SpecError
from farm.spec.base import first_reason
from farm.spec.record import ViewRecord, read_record
from farm.spec.task import RenderTask, dataset_key, records_key
from farm.storage import Storage

VIEWS_FILE = "views.jsonl"
RECORDS_FOLDER = ".records"
JSON_PLACE = re.compile(r" at line 1 column (\d+)")
"""Where in its line a fault is, as the parser says it, to whom each line is the first."""

Report = Callable[[str], None]
"""Takes one sentence for a person."""


class RecordLine(NamedTuple):
    """A record and the very line that it was read from."""

    record: ViewRecord
    line: bytes


class DatasetError(SpecError):
    """A dataset that is not there, or not whole."""


class NotARecordError(DatasetError):
    """A line that is not a record; its text is why."""


class BrokenLineError(DatasetError):
    """A line of a dataset's records that is not one: which, and why."""

    def __init__(self, file: str, number: int, reason: str) -> None:
        super().__init__(file, number, reason)  # every argument, so that it pickles
        self.file = file
        self.number = number
        self.reason = reason

    def __str__(self) -> str:
        folder = self.file.rpartition("/")[0]
        return f"{self.sentence}; farm dataset verify {folder} explains how to mend it"

    @property
    def sentence(self) -> str:
        """What is wrong, without what to do about it."""
        return f"{self.file}: line {self.number} is not a record: {self.reason}"


def parse_record(line: bytes) -> ViewRecord:
    """Return the record that a line holds: the one door through which records come in.

    Raises:
        NotARecordError: The line is half a one, other JSON, of another version, or not text.
    """
    try:
        return read_record(line)
    except ValidationError as error:
        reason = JSON_PLACE.sub(r" at its character \1", first_reason(error))
        raise NotARecordError(reason) from None


def record_at(book: Storage, key: str, start: int, line: bytes, *, place: str) -> ViewRecord:
    """Return the record that the line at the byte `start` of a file holds.

    Args:
        book: Where the file is read.
        key: The file.
        start: Where the line begins.
        line: What it says.
        place: What a person knows as the file's folder, be `book` a copy or not.

    Raises:
        BrokenLineError: It holds none.
    """
    try:
        return parse_record(line)
    except NotARecordError as error:
        number = line_number(book, key, start)
        raise BrokenLineError(f"{place}/{key}", number, str(error)) from None


def line_number(storage: Storage, key: str, start: int) -> int:
    """Return which line of a file begins at the byte `start`; the first is 1."""
    pieces = storage.read(key, length=start) if start else ()
    return 1 + sum(piece.count(b"\n") for piece in pieces)


def read_records(storage: Storage, dataset: str, report: Report) -> Iterator[RecordLine]:
    """Yield all records of a dataset, older before newer; a view may occur again.

    A line that is not a record, such as the cut-off last one of a worker that died, is reported
    and skipped.
    """
    for key in record_keys(storage, dataset):
        yield from read_file(storage, key, report)


def record_keys(storage: Storage, dataset: str) -> list[str]:
    """Return the keys that records may lie under, older first."""
    views = dataset_key(dataset, VIEWS_FILE)
    running = storage.keys(dataset_key(dataset, RECORDS_FOLDER))
    return [views, *(key for key in running if key.endswith(".jsonl"))]


def attempts(storage: Storage, dataset: str) -> dict[str, list[str]]:
    """Return the tasks that have records of their own, with the keys of their attempts in order."""
    folder = dataset_key(dataset, RECORDS_FOLDER, "")
    tasks: dict[str, list[str]] = {}
    for key in record_keys(storage, dataset)[1:]:
        task = key.removeprefix(folder).lstrip("/").removesuffix(".jsonl").partition("/")[0]
        tasks.setdefault(task, []).append(key)
    return tasks


def has_records(storage: Storage, dataset: str) -> bool:
    """Say whether anything was rendered for a dataset."""
    if next(storage.keys(dataset), None) is None:  # one question, where most datasets are empty
        return False
    views, *others = record_keys(storage, dataset)
    return bool(others) or storage.size(views) is not None


def read_file(storage: Storage, key: str, report: Report) -> Iterator[RecordLine]:
    """Yield the records under one key; none where there is nothing."""
    for number, (_place, line) in enumerate(read_lines(storage, key), start=1):
        if not line:
            continue
        try:
            record = parse_record(line)
        except NotARecordError as error:
            broken = BrokenLineError(f"{storage.place}/{key}", number, str(error))
            report(f"{broken.sentence}; it is skipped")
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


def is_whole(storage: Storage, dataset: str, record: ViewRecord, *, previews: bool) -> bool:
    """Say whether all files of a view are there with the size that was recorded.

    Args:
        storage: Where the dataset lives.
        dataset: Its key prefix.
        record: What is known of the view.
        previews: Its previews count, too.
    """
    files = record.all_files if previews else record.files.values()
    return all(storage.size(dataset_key(dataset, file.path)) == file.size_bytes for file in files)


def seed_records(storage: Storage, task: RenderTask, lines: Iterable[bytes]) -> None:
    """Make `lines` the records of a task, so that its worker skips the views that are done."""
    data = b"".join(line + b"\n" for line in lines)
    if data:
        storage.put(records_key(task), data)
    else:
        storage.delete(records_key(task))
