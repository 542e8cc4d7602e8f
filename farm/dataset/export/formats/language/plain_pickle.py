"""Pickles of a list, written item by item: memory holds one, and equal lists are equal bytes."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from typing import IO, Any

PROTOCOL = 2
"""Newest protocol that readers in Python 2 know."""


def write_pickle(file: IO[bytes], items: Iterable[Any]) -> None:
    """Write a list of plain values: dicts, lists, texts and numbers."""
    file.write(pickle.PROTO + bytes([PROTOCOL]) + pickle.EMPTY_LIST)
    for item in items:
        file.write(steps_of(item) + pickle.APPEND)
    file.write(pickle.STOP)


def steps_of(item: Any) -> bytes:
    """Return how a pickle makes one value, with neither head nor end."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=PROTOCOL)
    pickler.fast = True  # refers to no other value, so that it depends on this one alone
    pickler.dump(item)
    return buffer.getvalue()[2:-1]
