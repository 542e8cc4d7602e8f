"""The records of a dataset as they stand at one moment, also while it is being rendered."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

from farm.dataset.fold import Fold
from farm.dataset.records import (
    RECORDS_FOLDER,
    VIEWS_FILE,
    read_lines,
    read_records,
    record_keys,
)
from farm.dataset.scratch import scratch
from farm.errors import StorageError
from farm.spec.task import dataset_key
from farm.storage import FolderStorage, Storage

READINGS = 5
"""So often records are read anew because a run folded them meanwhile."""


class Snapshot(FolderStorage):
    """A `views.jsonl` for each dataset, in a folder of its own that goes with whoever made it.

    Copies in other processes, such as those that load data, read the same folder and leave it.
    """

    def __init__(self) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="farm-views-")))
        weakref.finalize(self, remove, self.root, os.getpid())

    def add(self, dataset: str, lines: Iterable[bytes]) -> None:
        """Append `lines` to the records of a dataset.

        Raises:
            StorageError: There is no room for them.
        """
        path = self.path(dataset_key(dataset, VIEWS_FILE))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.writelines(line + b"\n" for line in lines)
        except OSError as error:
            raise StorageError(f"{path}: cannot be written: {error.strerror}") from error


def remove(folder: Path, owner: int) -> None:
    """Delete a folder, if this is the process that made it and not a fork of it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def records_at_hand(storage: Storage, datasets: Iterable[str]) -> list[Storage]:
    """Return for each dataset a storage that has all its records as one `views.jsonl` nearby.

    That is the storage itself where it is a folder in which nothing is being rendered. Else it is
    a copy, which stays as it is while a run goes on and folds its records.
    """
    copies: Snapshot | None = None
    found: list[Storage] = []
    for dataset in datasets:
        if storage.local_path("") is not None and not is_running(storage, dataset):
            found.append(storage)
            continue
        copies = copies or Snapshot()
        copies.add(dataset, standing_lines(storage, dataset))
        found.append(copies)
    return found


def is_running(storage: Storage, dataset: str) -> bool:
    """Say whether a dataset has records that are not folded into its `views.jsonl` yet."""
    return len(record_keys(storage, dataset)) > 1


def standing_lines(storage: Storage, dataset: str) -> Iterator[bytes]:
    """Yield the newest record of each finished view, in the dataset's order.

    Raises:
        StorageError: They cannot be read, or do not come to rest.
    """
    if not is_running(storage, dataset):
        lines = read_lines(storage, dataset_key(dataset, VIEWS_FILE))
        yield from (line for _start, line in lines if line)
        return
    for _reading in range(READINGS):
        with scratch(), Fold() as fold:
            if fill(fold, storage, dataset):
                yield from fold.lines()
                return
    place = f"{storage.place}/{dataset_key(dataset, RECORDS_FOLDER)}"
    raise StorageError(f"{place}: changes too quickly to be read; try again")


def fill(fold: Fold, storage: Storage, dataset: str) -> bool:
    """Read all records into `fold`; say whether none were folded away by a run meanwhile."""
    before = record_keys(storage, dataset)
    try:
        for entry in read_records(storage, dataset, lambda _cut_off: None):
            fold.add(entry)
    except StorageError:
        if set(before) <= set(record_keys(storage, dataset)):
            raise
        return False
    return set(before) <= set(record_keys(storage, dataset))
