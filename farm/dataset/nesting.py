"""The datasets in a place, none of which may lie within another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from farm.dataset.records.read import RECORDS_FOLDER, VIEWS_FILE
from farm.errors import SpecError, StorageError
from farm.spec.passes import PASS_FOLDERS, PREVIEWS_FOLDER
from farm.spec.task import dataset_key
from farm.storage import FolderStorage, Storage

FILES_FOLDERS = {*PASS_FOLDERS.values(), PREVIEWS_FOLDER}
"""Folders that hold a dataset's files, unless they are datasets themselves."""
NAMED = 3
"""Datasets that a sentence names."""


def is_dataset(storage: Storage, prefix: str) -> bool:
    """Say whether a dataset lies under a prefix; one whose first views are rendered counts, too."""
    if storage.size(dataset_key(prefix, VIEWS_FILE)) is not None:
        return True
    records = storage.keys(dataset_key(prefix, RECORDS_FOLDER))
    return any(key.endswith(".jsonl") for key in records)


def datasets_under(storage: Storage, prefix: str = "") -> Iterator[str]:
    """Yield the prefixes of all datasets under a folder, itself included, each once.

    What datasets consist of is not listed, however much it is.
    """
    known = Known(storage)
    told: set[str] = set()
    listing = storage.keys(prefix)
    while (key := next(listing, None)) is not None:
        found = dataset_of(key)
        if found is not None and found not in told:
            told.add(found)
            yield found
        if behind := known.end_of(key):
            listing = storage.keys(prefix, after=behind)


def dataset_of(key: str) -> str | None:
    """Return the dataset that a record file belongs to; None for other files."""
    folder, _, name = key.rpartition("/")
    if name == VIEWS_FILE:
        return folder
    above, found, _ = f"/{key}".partition(f"/{RECORDS_FOLDER}/")
    return above[1:] if name.endswith(".jsonl") and found else None


class Known:
    """Which folders are datasets, each looked up once."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: dict[str, bool] = {}

    def is_dataset(self, prefix: str) -> bool:
        if prefix not in self._known:
            self._known[prefix] = is_dataset(self._storage, prefix)
        return self._known[prefix]

    def end_of(self, key: str) -> str:
        """Return what sorts behind all of the dataset's folder that a key lies in.

        That folder holds no datasets: its records or pictures. "" where the key lies in none.
        """
        parts = key.split("/")
        for at, part in enumerate(parts[:-1]):
            above, here = "/".join(parts[:at]), "/".join(parts[: at + 1])
            if part not in FILES_FOLDERS and part != RECORDS_FOLDER:
                continue
            if self.is_dataset(above) and not self.is_dataset(here):
                return f"{here}0"  # the character after `/`
        return ""


def check_alone(storage: FolderStorage, datasets: Iterable[str], *, flag: str) -> None:
    """Hold that datasets that are new will lie in no other, and around none.

    A dataset that is there already is continued, whatever lies around it.

    Args:
        storage: Where they are to be written.
        datasets: Their key prefixes.
        flag: The option with which another place would be given.

    Raises:
        SpecError: One would.
    """
    known: dict[Path, bool] = {}
    for dataset in datasets:
        folder = storage.path(dataset)
        if is_folder_of_dataset(folder):
            continue
        outer = next((above for above in folder.parents if holds(above, known)), None)
        if outer is not None:
            raise SpecError(
                f"{folder}: lies within the dataset {outer}, whose readers would not see it; "
                f"choose another {flag}, or move that dataset into a folder of its own"
            )
        inner = next(datasets_under(FolderStorage(folder)), None) if folder.is_dir() else None
        if inner is not None:
            raise SpecError(
                f"{folder}: holds the dataset {folder / inner} already, which readers of a dataset "
                f"around it would not see; choose another {flag}"
            )


def holds(folder: Path, known: dict[Path, bool]) -> bool:
    """Say whether a folder is a dataset, asking once for each."""
    if folder not in known:
        try:
            known[folder] = is_folder_of_dataset(folder)
        except StorageError:  # what nobody may look into, nobody reads either
            known[folder] = False
    return known[folder]


def is_folder_of_dataset(folder: Path) -> bool:
    """Say whether a folder is a dataset."""
    return is_dataset(FolderStorage(folder), "")


def listed(names: Iterable[str]) -> str:
    """Return the first of several names as a sentence has them."""
    some = list(names)
    more = f" and {len(some) - NAMED} more" if len(some) > NAMED else ""
    return ", ".join(some[:NAMED]) + more
