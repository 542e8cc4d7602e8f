"""Views that several attempts may have written: each must be that of one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from farm.dataset.records.read import RECORDS_FOLDER, RecordLine, Report, attempts, read_file
from farm.spec.record import FileRecord, ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage, hash_of


def settle_conflicts(storage: Storage, dataset: str, report: Report) -> set[str]:
    """Keep of each disputed view the record that its files bear out; return the broken tasks.

    A worker that was frozen while it wrote a view may continue after another attempt rendered it.
    A view that no record describes is removed: its task is to be rendered again. Only tasks with
    more than a first attempt are read.
    """
    broken = set()
    for task_id, keys in conflicting_attempts(storage, dataset).items():
        views: dict[str, list[RecordLine]] = defaultdict(list)
        for key in keys:
            for entry in read_file(storage, key, report):
                views[entry.record.view_id].append(entry)
        chosen = {view: true_record(storage, dataset, found) for view, found in views.items()}
        if any(chosen[view] is None for view in views):
            broken.add(task_id)
        if any(chosen[view] is not found[-1] for view, found in views.items()):
            keep_only(storage, keys, [each for each in chosen.values() if each])
        for view, found in views.items():
            if chosen[view] is None:
                report(f"{dataset}/{found[-1].record.view.name}: was written by two attempts")
                delete_files(storage, dataset, found[-1].record)
    return broken


def keep_only(storage: Storage, keys: list[str], entries: list[RecordLine]) -> None:
    """Make `entries` all that the files under `keys` say."""
    *others, last = keys
    storage.put(last, b"".join(each.line + b"\n" for each in entries))
    for key in others:
        storage.delete(key)


def delete_files(storage: Storage, dataset: str, record: ViewRecord) -> None:
    """Delete what was written of a view."""
    for file in record.files.values():
        storage.delete(dataset_key(dataset, file.path))


def conflicting_attempts(storage: Storage, dataset: str) -> dict[str, list[str]]:
    """Return the tasks with more than a first attempt, and where their records are, in order."""
    depth = dataset_key(dataset, RECORDS_FOLDER).count("/") + 1
    tasks = attempts(storage, dataset)
    return {task: keys for task, keys in tasks.items() if keys[-1].count("/") > depth}


def true_record(storage: Storage, dataset: str, found: list[RecordLine]) -> RecordLine | None:
    """Return the newest record whose files are on storage to the byte."""
    hashes: dict[str, str] = {}

    def is_there(file: FileRecord) -> bool:
        if file.path not in hashes:
            key = dataset_key(dataset, file.path)
            hashes[file.path] = "" if storage.size(key) is None else hash_of(storage, key)
        return hashes[file.path] == file.sha256

    newest_first: Iterator[RecordLine] = reversed(found)
    return next(
        (each for each in newest_first if all(map(is_there, each.record.files.values()))), None
    )
