"""Numbers that a .ply has for each of its faces, which Blender's importer ignores."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from farm.library.meshes.ply import HEAD_BYTES, Element, ply_elements

Order = Literal["<", ">"]

ORDERS: dict[bytes, Order] = {b"binary_little_endian": "<", b"binary_big_endian": ">"}

Numbers = NDArray[np.float32]


def face_numbers(path: Path, names: Sequence[str]) -> Numbers | None:
    """Return what the faces of a .ply have under `names`, (faces, names).

    None where it cannot be found: the file is cut off, or something with lists stands before.
    """
    with path.open("rb") as file, contextlib.suppress(ValueError, TypeError, LookupError):
        head = file.read(HEAD_BYTES)
        elements = ply_elements(head)
        at = [each.name for each in elements].index("face")
        file.seek(head.index(b"\n", head.index(b"end_header")) + 1)
        order = ORDERS.get(head.split(b"format", 1)[1].split()[0])
        if order is None:
            return from_text(file, elements[:at], elements[at], names)
        skipped = sum(each.count * layout(each, order).itemsize for each in elements[:at])
        return from_binary(file.read()[skipped:], elements[at], names, order)
    return None


def from_text(
    file: BinaryIO, before: Iterable[Element], faces: Element, names: Sequence[str]
) -> Numbers:
    """Read faces of which each has a line."""
    lines = (line.split() for line in file if line.strip())
    first = sum(each.count for each in before)
    rows = itertools.islice(lines, first, first + faces.count)
    found = [[float(row[at]) for at in places(row, faces, names)] for row in rows]
    return np.array(found, dtype=np.float32)


def places(row: Sequence[bytes], faces: Element, names: Sequence[str]) -> list[int]:
    """Return where in a face's words the ones of `names` are."""
    at, found = 0, {}
    for name in faces.properties:
        found[name] = at
        at += 1 + (int(row[at]) if name in faces.lists else 0)
    return [found[name] for name in names]


def from_binary(data: bytes, faces: Element, names: Sequence[str], order: Order) -> Numbers:
    """Read faces, at once if all have as many corners as the first one."""
    record = layout(faces, order, data)
    if len(data) >= faces.count * record.itemsize:
        rows = np.frombuffer(data, record, faces.count)
        if all((rows[length(name)] == record[name].shape[0]).all() for name in faces.lists):
            return np.stack([rows[name] for name in names], axis=1).astype(np.float32)
    found, at = [], 0
    for _ in range(faces.count):
        record = layout(faces, order, data, at)
        row = np.frombuffer(data, record, 1, at)[0]
        found.append([row[name] for name in names])
        at += record.itemsize
    return np.array(found, dtype=np.float32)


def layout(element: Element, order: Order, data: bytes = b"", at: int = 0) -> np.dtype[np.void]:
    """Return how a record of an element stands in a binary file.

    Args:
        element: What it is.
        order: Of the bytes: `<` or `>`.
        data: Tells how long the lists of the record at `at` are; without, it may have none.
        at: Where in `data` it begins.
    """
    fields: list[Any] = []
    for name, kind in element.properties.items():
        if name in element.lists:
            counts, items = (np.dtype(each).newbyteorder(order) for each in element.lists[name])
            count = int(np.frombuffer(data, counts, 1, at + np.dtype(fields).itemsize)[0])
            fields += [(length(name), counts), (name, items, (count,))]
        else:
            fields.append((name, np.dtype(kind).newbyteorder(order)))
    return np.dtype(fields)


def length(name: str) -> str:
    """Return what the length of a list is called beside it."""
    return f"{name} (length)"
