"""Splits written so that a crash leaves the old ones or the new ones, never a mix."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from farm.dataset.split_lists import NEXT_FOLDER, SPLITS_FILE, folder_of_splits, split_key
from farm.dataset.splits.summary import SplitSummary, names_in
from farm.errors import FarmError
from farm.spec.task import dataset_key
from farm.storage import Storage


def write_splits(storage: Storage, summary: SplitSummary, parts: Mapping[str, IO[str]]) -> None:
    """Write all files, or none: first apart, where `splits.json` comes last.

    From then on they count, and are read there until all are in their places. So a crash leaves
    the old splits or the new ones; an error leaves the old ones.
    """
    settle(storage)
    before = {key: storage.get(key) for key in (*map(split_key, parts), SPLITS_FILE)}
    try:
        put_splits(storage, NEXT_FOLDER, summary, parts)
        put_splits(storage, "", summary, parts)
    except BaseException:
        with contextlib.suppress(FarmError):
            restore(storage, before)
            forget_next(storage)
        raise
    forget_next(storage)
    for name in names_in(before[SPLITS_FILE]).difference(parts):
        storage.delete(split_key(name))


def settle(storage: Storage) -> None:
    """Put splits into their places whose writing was stopped there."""
    if folder_of_splits(storage):
        summary = storage.get(f"{NEXT_FOLDER}/{SPLITS_FILE}") or b""
        for name in names_in(summary):
            storage.put(split_key(name), storage.get(split_key(name, NEXT_FOLDER)) or b"")
        storage.put(SPLITS_FILE, summary)
    forget_next(storage)


def put_splits(
    storage: Storage, folder: str, summary: SplitSummary, parts: Mapping[str, IO[str]]
) -> None:
    """Write lists, then `splits.json`."""
    for name, file in parts.items():
        storage.put_file(split_key(name, folder), Path(file.name))
    data = (summary.model_dump_json(indent=2) + "\n").encode()
    storage.put(dataset_key(folder, SPLITS_FILE), data)


def restore(storage: Storage, before: Mapping[str, bytes | None]) -> None:
    """Make files what they were."""
    for key, data in before.items():
        if data is None:
            storage.delete(key)
        elif storage.get(key) != data:
            storage.put(key, data)


def forget_next(storage: Storage) -> None:
    """Remove splits that are written apart; first what makes them count."""
    storage.delete(f"{NEXT_FOLDER}/{SPLITS_FILE}")
    storage.delete_tree(NEXT_FOLDER)


def hash_written(file: IO[str]) -> str:
    """Return the SHA-256 of what was written into a temporary file."""
    file.flush()
    with Path(file.name).open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()
