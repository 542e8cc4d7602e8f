"""The records of a dataset as they stand at one moment, also while it is being rendered."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

from farm.dataset.records.current import is_running, standing_lines
from farm.dataset.records.read import VIEWS_FILE, DatasetError, Report, read_lines
from farm.errors import StorageError
from farm.spec.task import dataset_key
from farm.storage import FolderStorage, Storage


class Snapshot(FolderStorage):
    """A `views.jsonl` for each dataset, in a folder of its own that goes with its maker.

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


def refuse(sentence: str) -> None:
    """Let no line pass that is not a record.

    Raises:
        DatasetError: This is one.
    """
    raise DatasetError(f"{sentence}; farm dataset verify explains how to mend it")


def remove(folder: Path, owner: int) -> None:
    """Delete a folder, if this is the process that made it and not a fork of it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def records_at_hand(
    storage: Storage, datasets: Iterable[str], broken: Report = refuse
) -> list[Storage]:
    """Return for each dataset a storage that has all its records as one `views.jsonl` nearby.

    That is the storage itself where it is a folder in which nothing is being rendered. Else it is
    a copy, which stays as it is while a run continues and folds its records.

    Args:
        storage: Where the datasets are.
        datasets: Their key prefixes.
        broken: Takes a sentence for each line that is not a record and is not copied therefore.

    Raises:
        DatasetError: A line is not a record, where nobody takes it.
    """
    copies: Snapshot | None = None
    found: list[Storage] = []
    for dataset in datasets:
        running = is_running(storage, dataset)
        if storage.local_path("") is not None and not running:
            found.append(storage)
            continue
        copies = copies or Snapshot()
        kept = standing_lines(storage, dataset, broken) if running else all_lines(storage, dataset)
        copies.add(dataset, kept)
        found.append(copies)
    return found


def all_lines(storage: Storage, dataset: str) -> Iterator[bytes]:
    """Yield the lines of a `views.jsonl` as they are, so that each keeps its number."""
    return (line for _start, line in read_lines(storage, dataset_key(dataset, VIEWS_FILE)))
