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
        place: A folder, `s3://bucket/prefix`, or a job of a farm: `farm:JOB`, or its address
            such as `https://farm.example/v1/datasets/JOB`, with the token of `farm login`.
        split: Only the views of this split, which `farm dataset split` has made.

    Raises:
        DatasetError: No dataset is there, or no view of it is finished.
        NoSplitError: No such split is there.
        FarmError: The place cannot be reached.
    """
    if str(place).startswith(FARMS):
        from farm.client.dataset import open_farm

        return open_farm(str(place), split=split)
    from farm.dataset.reader import open_dataset

    return open_dataset(place, split=split)
