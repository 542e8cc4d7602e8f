"""The splits of a dataset as they lie in it: which views are for training, which for testing."""

from __future__ import annotations

import json
import re
from collections.abc import Container

from farm.dataset.records.read import NotARecordError, parse_record, read_lines
from farm.errors import SpecError
from farm.spec.hint import hint
from farm.spec.task import dataset_key
from farm.storage import Storage

SPLITS_FILE = "splits.json"
"""Written last: without it there are no splits."""
SPLITS_FOLDER = "splits"
"""Holds a file for each split with the keys of its views, one per line."""
NEXT_FOLDER = f"{SPLITS_FOLDER}/.next"
"""Where new splits are written whole, before they take the place of the old ones."""
NAME = re.compile(rb'"view":\{(?:"kind":"[^"\\]+",)?"index":[0-9]+,"name":"([^"\\]+)"')
"""A view's name in its record, as records are written, now and by releases without a `kind`."""


PLAIN_NAME = re.compile(r"(?!\.)[^/\\\0\r\n]+")
"""Of views and splits: no folder, nothing hidden."""


class NoSplitError(SpecError):
    """A split that is not there."""


def split_key(split: str, folder: str = "") -> str:
    """Return where the list of a split's views lies."""
    return dataset_key(folder, f"{SPLITS_FOLDER}/{split}.txt")


def folder_of_splits(storage: Storage) -> str:
    """Return where the splits that count lie: "" unless new ones are whole, but not in place."""
    return NEXT_FOLDER if storage.size(f"{NEXT_FOLDER}/{SPLITS_FILE}") is not None else ""


def split_names(storage: Storage) -> tuple[str, ...]:
    """Return the names of a dataset's splits; none where it was not split.

    Raises:
        NoSplitError: Nobody can say what they are.
    """
    summary = storage.get(dataset_key(folder_of_splits(storage), SPLITS_FILE))
    if summary is None:
        refuse_lists_alone(storage)
        return ()
    try:
        names = tuple(json.loads(summary)["views"])
    except (ValueError, KeyError, TypeError):
        names = ()
    if not names or not all(isinstance(name, str) and PLAIN_NAME.fullmatch(name) for name in names):
        raise NoSplitError(
            f"{storage.place}/{SPLITS_FILE}: names no splits: make them again with farm dataset "
            f"split {storage.place} --fresh, or delete it"
        )
    return names


def lists_alone(storage: Storage) -> list[str]:
    """Return the keys of lists of views that no `splits.json` tells of."""
    if storage.size(SPLITS_FILE) is not None:
        return []
    found = storage.keys(SPLITS_FOLDER)
    return [key for key in found if key.count("/") == 1 and key.endswith(".txt")]


def refuse_lists_alone(storage: Storage) -> None:
    """Hold that there are no lists without a `splits.json`: then nobody knows which views to take.

    Raises:
        NoSplitError: There are.
    """
    lists = lists_alone(storage)
    if lists:
        raise NoSplitError(
            f"{storage.place}/{lists[0]}: is a split, but {SPLITS_FILE} is gone: make the "
            f"splits again with farm dataset split {storage.place} --fresh, or delete "
            f"{SPLITS_FOLDER}"
        )


def read_split(storage: Storage, split: str) -> frozenset[str]:
    """Return the keys of a split's views.

    Raises:
        NoSplitError: There is no such split, or its list is gone or broken.
    """
    place = storage.place
    there = split_names(storage)
    if not there:
        raise NoSplitError(f"{place}: has no splits; make them: farm dataset split {place}")
    if split not in there:
        near = hint(split, there)
        raise NoSplitError(f"{place}: has no split {split!r}; it has {', '.join(there)}{near}")
    key = split_key(split, folder_of_splits(storage))
    if storage.size(key) is None:
        raise NoSplitError(
            f"{place}/{key}: is gone, but {SPLITS_FILE} lists it: make the splits again with "
            f"farm dataset split {place} --fresh"
        )
    try:
        return frozenset(line.decode() for _start, line in read_lines(storage, key) if line)
    except UnicodeDecodeError as error:
        raise NoSplitError(f"{place}/{key}: is not text in UTF-8: {error.reason}") from error


def is_in(only: Container[str] | None, prefix: str, line: bytes) -> bool:
    """Say whether the view of a record is one of `only`; all are where there is no such list."""
    if only is None:
        return True
    try:
        return dataset_key(prefix, name_in(line)) in only
    except (NotARecordError, UnicodeDecodeError):
        return True  # of no split, or of any: who reads it is told


def name_in(line: bytes) -> str:
    """Return the name of the view whose record a line is.

    Raises:
        NotARecordError: It is not a record.
        UnicodeDecodeError: Nor is it text.
    """
    found = NAME.search(line)
    return found[1].decode() if found else parse_record(line).view.name
