"""Checks of a dataset's splits: are they whole, and is each view in one of them at most?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from farm.dataset.split_lists import NoSplitError, read_split, split_key, split_names
from farm.dataset.verify.report import DatasetFinding
from farm.spec.counted import counted
from farm.storage import Storage


def check_splits(storage: Storage, is_view: Callable[[str], bool]) -> Iterator[DatasetFinding]:
    """Yield what is wrong with the splits of a place.

    Args:
        storage: The place.
        is_view: Says whether a key is that of a view of the place.
    """
    where: dict[str, str] = {}
    try:
        for name in split_names(storage):
            keys = sorted(read_split(storage, name))
            yield from check_list(name, keys, where, is_view)
            where |= dict.fromkeys(keys, name)
    except NoSplitError as error:
        yield DatasetFinding("splits", storage.place, str(error).removeprefix(f"{storage.place}/"))


def has_splits(storage: Storage) -> bool:
    """Say whether a place has splits, or something of them."""
    try:
        return bool(split_names(storage))
    except NoSplitError:
        return True


def check_list(
    name: str, keys: list[str], where: dict[str, str], is_view: Callable[[str], bool]
) -> Iterator[DatasetFinding]:
    """Yield what is wrong with the list of one split; `where` has the views of others."""
    again = [key for key in keys if key in where]
    if again:
        views = counted(len(again), "view")
        what = f"shares {views} with {where[again[0]]}, such as {again[0]}"
        yield DatasetFinding("splits", split_key(name), what)
    gone = [key for key in keys if not is_view(key)]
    if gone:
        views = counted(len(gone), "view")
        what = f"names {views} without a record, such as {gone[0]}; split again"
        yield DatasetFinding("splits", split_key(name), what)
