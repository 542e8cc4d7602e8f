"""The views of each split of a dataset."""

from __future__ import annotations

import json

from farm.dataset.export.survey import PLAIN_NAME
from farm.dataset.reader import Dataset, DatasetError, open_in
from farm.dataset.splits import SPLITS_FILE
from farm.storage import open_storage

WHOLE = "train"
"""What the one split of a dataset without splits is called: all readers know it."""


def open_splits(place: str) -> dict[str, Dataset]:
    """Open a dataset, or the folder that holds several, split by split; without the empty ones.

    Raises:
        DatasetError: No dataset is there, or nobody can say what its splits are.
    """
    storage = open_storage(place)
    summary = storage.get(SPLITS_FILE)
    if summary is None:
        return {WHOLE: open_in(storage)}
    try:
        names = list(json.loads(summary)["views"])
    except (ValueError, KeyError, TypeError):
        names = []
    if not names or not all(PLAIN_NAME.fullmatch(name) for name in names):
        raise DatasetError(
            f"{storage.place}/{SPLITS_FILE}: names no splits: make them anew with farm dataset "
            f"split {storage.place} --fresh, or delete it"
        )
    opened = {name: open_in(storage, split=name) for name in names}
    return {name: dataset for name, dataset in opened.items() if len(dataset)}


def views_in_none(place: str, splits: dict[str, Dataset]) -> int:
    """Return how many views of a dataset are in no split, such as those rendered since."""
    storage = open_storage(place)
    if storage.size(SPLITS_FILE) is None:
        return 0
    return len(open_in(storage)) - sum(map(len, splits.values()))
