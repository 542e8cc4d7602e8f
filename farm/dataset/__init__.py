"""Everything done with a dataset once views are rendered: read, collect, check, look, export."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from farm.dataset.reader import Dataset

__all__ = ["open"]

FARMS = ("farm:", "http://", "https://")
"""What the addresses of a farm's datasets begin with."""


def open(  # noqa: A001  farm.dataset.open(...)
    place: str | PathLike[str], *, split: str | None = None, every: bool = False
) -> Dataset:
    """Open a dataset, or the folder that holds several: views in order, passes as arrays.

    Args:
        place: A folder, `s3://bucket/prefix`, or a job of a farm: `farm:JOB`, or its address
            such as `https://farm.example/v1/datasets/JOB`, with the token of `farm login`.
        split: Only the views of this split, which `farm dataset split` has made.
        every: Of a dataset that others lie within, open these, too. Without it they are left out,
            and a warning names them.

    Raises:
        DatasetError: No dataset is there, or no view of it is finished.
        NoSplitError: No such split is there.
        FarmError: The place cannot be reached.
    """
    data = open_quietly(place, split=split, every=every)
    if data.note:
        warnings.warn(f"{data.note}; every=True opens all", stacklevel=2)
    return data


def open_quietly(
    place: str | PathLike[str], *, split: str | None = None, every: bool = False
) -> Dataset:
    """Open as `open` does; the caller reports `Dataset.note`."""
    if str(place).startswith(FARMS):
        from farm.client.dataset import open_farm

        return open_farm(str(place), split=split)
    from farm.dataset.reader import open_dataset

    return open_dataset(place, split=split, every=every)
