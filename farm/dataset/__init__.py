"""What to do with a dataset once views are rendered: read, collect, check, look, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from farm.dataset.reader import Dataset

__all__ = ["open"]

FARMS = ("farm:", "http://", "https://")
"""What the addresses of a farm's datasets begin with."""


def open(  # noqa: A001  farm.dataset.open(...)
    place: str | PathLike[str], *, split: str | None = None
) -> Dataset:
    """Open a dataset, or the folder that holds several: views in order, passes as arrays.

    Args:
        place: A folder, or `s3://bucket/prefix`.
        split: Only the views of this split, which `farm dataset split` has made.

    Raises:
        DatasetError: No dataset is there.
        NoSplitError: No such split is there.
    """
    from farm.dataset.reader import open_dataset

    return open_dataset(place, split=split)
