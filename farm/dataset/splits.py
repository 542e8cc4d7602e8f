"""The splits of a dataset as they lie in it: which views are for training, which for testing."""

from __future__ import annotations

import json
import re
from collections.abc import Container

from farm.dataset.records import read_lines
from farm.errors import SpecError
from farm.spec.task import dataset_key
from farm.storage import Storage

SPLITS_FILE = "splits.json"
"""Written last: without it there are no splits."""
SPLITS_FOLDER = "splits"
"""Holds a file for each split with the keys of its views, one per line."""
NAME = re.compile(rb'"view":\{"index":[0-9]+,"name":"([^"\\]+)"')
"""A view's name in its record, as records are written."""


PLAIN_NAME = re.compile(r"(?!\.)[^/\\\0\r\n]+")
"""Of views and splits: no folder, nothing hidden."""


class NoSplitError(SpecError):
    """A split that is not there."""


def split_key(split: str) -> str:
    """Return where the list of a split's views lies."""
    return f"{SPLITS_FOLDER}/{split}.txt"


def split_names(storage: Storage) -> tuple[str, ...]:
    """Return the names of a dataset's splits; none where it was not split.

    Raises:
        NoSplitError: Nobody can say what they are.
    """
    summary = storage.get(SPLITS_FILE)
    if summary is None:
        return ()
    try:
        names = tuple(json.loads(summary)["views"])
    except (ValueError, KeyError, TypeError):
        names = ()
    if not names or not all(isinstance(name, str) and PLAIN_NAME.fullmatch(name) for name in names):
        raise NoSplitError(
            f"{storage.place}/{SPLITS_FILE}: names no splits: make them anew with farm dataset "
            f"split {storage.place} --fresh, or delete it"
        )
    return names


def read_split(storage: Storage, split: str) -> frozenset[str]:
    """Return the keys of a split's views.

    Raises:
        NoSplitError: There is no such split.
    """
    place = storage.place
    there = split_names(storage)
    if not there:
        raise NoSplitError(f"{place}: has no splits; make them: farm dataset split {place}")
    if split not in there:
        raise NoSplitError(f"{place}: has no split {split!r}, but {', '.join(there)}")
    lines = read_lines(storage, split_key(split))
    return frozenset(line.decode() for _start, line in lines if line)


def is_in(only: Container[str] | None, prefix: str, line: bytes) -> bool:
    """Say whether the view of a record is one of `only`; all are where there is no such list."""
    if only is None:
        return True
    found = NAME.search(line)
    name = found[1].decode() if found else str(json.loads(line)["view"]["name"])
    return dataset_key(prefix, name) in only
