"""Passes that are arrays with names: rows of numbers as an NPZ file, and back."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.spec.passes import Column

Rows = NDArray[Any]
"""(N,), of a type with a field for each column: `rows["px"]` is (N, 2)."""
LARGEST_BYTES = 1 << 32
"""Bytes of the arrays of one file, at most."""
BROKEN = (
    ValueError, OSError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip
"""Errors of reading what is no such file."""


class ArraysError(ValueError):
    """A file without the arrays that a pass has."""


def row_type(columns: Sequence[Column]) -> np.dtype[np.void]:
    """Return the type of the rows of a pass."""
    return np.dtype(
        [
            (each.name, each.type, (each.width,)) if each.width > 1 else (each.name, each.type)
            for each in columns
        ]
    )


def encode_rows(rows: Rows) -> bytes:
    """Encode rows, each column an array of its own; the same rows are always the same bytes."""
    names = rows.dtype.names or ()
    columns: dict[str, Any] = {name: np.ascontiguousarray(rows[name]) for name in names}
    file = BytesIO()
    np.savez_compressed(file, allow_pickle=False, **columns)  # which writes no time
    return file.getvalue()


def decode_rows(data: bytes, columns: Sequence[Column]) -> Rows:
    """Return the rows of a file.

    Raises:
        ArraysError: It is broken, or has other arrays.
    """
    try:
        there = arrays_in(data)
    except BROKEN as error:
        raise ArraysError(f"cannot be decoded; delete it and render again: {error}") from error
    wanted = [each.name for each in columns]
    if sorted(there) != sorted(wanted):
        raise ArraysError(f"has the arrays {', '.join(there)}, not {', '.join(wanted)}")
    count = len(there[wanted[0]]) if there[wanted[0]].ndim else 0
    rows = np.zeros(count, row_type(columns))
    for each in columns:
        check_column(there[each.name], each, count)
        rows[each.name] = there[each.name]
    return rows


def arrays_in(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an NPZ file, by name; objects in it are never made."""
    with zipfile.ZipFile(BytesIO(data)) as file:
        size = sum(each.file_size for each in file.infolist())
    if size > LARGEST_BYTES:
        raise ValueError(f"its arrays have {size:,} bytes, more than any frame's")
    with np.load(BytesIO(data), allow_pickle=False) as found:
        return {name: np.asarray(found[name]) for name in found.files}


def check_column(found: NDArray[Any], column: Column, rows: int) -> None:
    """Make sure that an array is what a column holds.

    Raises:
        ArraysError: It is not.
    """
    wanted = (rows, column.width) if column.width > 1 else (rows,)
    if found.shape != wanted or found.dtype != np.dtype(column.type):
        raise ArraysError(
            f"its array {column.name} is {found.dtype.name} {found.shape}, not "
            f"{np.dtype(column.type).name} {wanted}"
        )
