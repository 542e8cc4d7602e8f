"""The views of each split of a dataset."""

from __future__ import annotations

from pathlib import Path

from farm.dataset.reader import Dataset, find_datasets, open_in
from farm.dataset.split_lists import SPLITS_FILE, NoSplitError, read_split, split_names
from farm.dataset.splits.summary import read_summary
from farm.errors import SpecError
from farm.spec.task import dataset_key
from farm.storage import FolderStorage, open_storage

WHOLE = "train"
"""Name of the one split of a dataset without splits: all readers know it."""


def open_splits(place: str, *, every: bool = False) -> dict[str, Dataset]:
    """Open a dataset, or the folder that holds several, split by split; without the empty ones.

    Args:
        place: Where it is.
        every: Of a dataset that others lie within, open these, too.

    Raises:
        DatasetError: No dataset is there.
        NoSplitError: Nobody can say what its splits are, or a view is in two.
    """
    storage = open_storage(place)
    names = split_names(storage)
    if not names:
        return {WHOLE: open_in(storage, every=every)}
    where: dict[str, str] = {}
    for name in names:
        for key in read_split(storage, name):
            if where.setdefault(key, name) != name:
                raise NoSplitError(
                    f"{place}: {key} is in the splits {where[key]} and {name}: make them again "
                    f"with farm dataset split {place} --fresh"
                )
    opened = {name: open_in(storage, split=name) for name in names}
    return {name: dataset for name, dataset in opened.items() if len(dataset)}


def views_in_none(place: str, splits: dict[str, Dataset], *, every: bool = False) -> int:
    """Return how many views of a dataset are in no split, such as those rendered since."""
    storage = open_storage(place)
    if not split_names(storage):
        return 0
    return max(0, len(open_in(storage, every=every)) - sum(map(len, splits.values())))


def split_kind(place: str) -> str:
    """Return in words how a dataset's splits were made; empty where there are none."""
    try:
        summary = read_summary(open_storage(place))
    except SpecError:  # somebody else's
        return f"of {SPLITS_FILE}"
    return summary.kind if summary else ""


def unused_splits(place: str) -> tuple[str, ...]:
    """Return where splits lie that an export of a place leaves alone: below it, and above it."""
    storage = open_storage(place)
    below = [dataset_key(prefix, SPLITS_FILE) for prefix in find_datasets(storage) if prefix]
    found = [f"{storage.place}/{key}" for key in below if storage.size(key) is not None]
    if isinstance(storage, FolderStorage):
        above = Path(storage.place).parent / SPLITS_FILE
        found += [str(above)] if above.is_file() else []
    return tuple(found)
