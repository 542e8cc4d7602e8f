"""The views of each split of a dataset."""

from __future__ import annotations

from farm.dataset.reader import Dataset, open_in
from farm.dataset.splits import SPLITS_FILE, split_names
from farm.storage import open_storage

WHOLE = "train"
"""What the one split of a dataset without splits is called: all readers know it."""


def open_splits(place: str) -> dict[str, Dataset]:
    """Open a dataset, or the folder that holds several, split by split; without the empty ones.

    Raises:
        DatasetError: No dataset is there.
        NoSplitError: Nobody can say what its splits are.
    """
    storage = open_storage(place)
    names = split_names(storage)
    if not names:
        return {WHOLE: open_in(storage)}
    opened = {name: open_in(storage, split=name) for name in names}
    return {name: dataset for name, dataset in opened.items() if len(dataset)}


def views_in_none(place: str, splits: dict[str, Dataset]) -> int:
    """Return how many views of a dataset are in no split, such as those rendered since."""
    storage = open_storage(place)
    if storage.size(SPLITS_FILE) is None:
        return 0
    return len(open_in(storage)) - sum(map(len, splits.values()))
