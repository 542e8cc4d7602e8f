"""What to do with a dataset once views are rendered: read, collect, check, look, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from farm.dataset.reader import Dataset

__all__ = ["open"]


def open(place: str | PathLike[str]) -> Dataset:  # noqa: A001  farm.dataset.open(...)
    """Open a dataset, or the folder that holds several: views in order, passes as arrays.

    Args:
        place: A folder, or `s3://bucket/prefix`.

    Raises:
        DatasetError: No dataset is there.
    """
    from farm.dataset.reader import open_dataset

    return open_dataset(place)
