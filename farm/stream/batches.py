"""Batches that are filled straight from what came: each array is copied once, into its row."""

from __future__ import annotations

import math
import weakref
from collections import defaultdict, deque
from collections.abc import Collection
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from farm.errors import StreamError
from farm.stream.sample import Kind, Schema, Value, kind_of, owned
from farm.stream.wire import FORM, Buffer, Decoder, kind_of_part, read_header, value_of

MOST_SPARE_BYTES = 64 << 20
"""Of the buffers of one size that are kept for later; one is in any case."""
PLAIN_TYPES = {"bool": np.dtype(bool), "int": np.dtype(np.int64), "float": np.dtype(np.float64)}

Column: TypeAlias = Any
"""An array or a tensor with a row for each sample; of texts and ragged fields, a list."""


class Batch(NamedTuple):
    """Samples side by side."""

    ids: list[str]
    fields: dict[str, Column]


class Memory(Protocol):
    """What gives room for the arrays of batches."""

    def take(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[NDArray[Any], Any]:
        """Return an array to be filled, and what its user gets: the same memory."""


class Pool:
    """Memory that is used again once its user has let go of all that shows it.

    An array, a part of it, a tensor made of it: each keeps the array that we made alive, and with
    it the memory. So a batch that is kept stays what it was, and one that is dropped costs no
    new memory.
    """

    def __init__(self) -> None:
        self._spare: dict[int, deque[NDArray[np.uint8]]] = {}

    def __reduce__(self) -> tuple[type[Pool], tuple[()]]:
        return Pool, ()  # in another process it begins anew

    def take(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[NDArray[Any], Any]:
        """Return an array, twice."""
        size = max(1, math.prod(shape) * dtype.itemsize)
        spare = self._spare.setdefault(size, deque(maxlen=max(1, MOST_SPARE_BYTES // size)))
        try:
            memory = spare.pop()
        except IndexError:
            memory = np.empty(size, np.uint8)
        whole = np.frombuffer(memory.data, np.uint8)  # NumPy's views all lead to this one
        weakref.finalize(whole, spare.append, memory).atexit = False
        array = whole[: math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)
        return array, array


class Collator:
    """A batch that is being filled."""

    def __init__(
        self,
        size: int,
        *,
        ragged: Collection[str] = (),
        memory: Memory | None = None,
        decode: Decoder | None = None,
    ) -> None:
        """Begin with an empty batch.

        Args:
            size: Samples of a batch.
            ragged: Fields whose shape changes; each becomes a list of arrays.
            memory: Where arrays lie; left out: in a `Pool`.
            decode: What makes arrays of pictures.
        """
        if size < 1:
            raise StreamError(f"a batch has at least one sample, not {size}")
        self.size = size
        self.schema = Schema(ragged)
        self.memory = memory or Pool()
        self.decode = decode
        self._clear()

    def _clear(self) -> None:
        self.ids: list[str] = []
        self.lists: defaultdict[str, list[Value]] = defaultdict(list)
        self.rows: dict[str, NDArray[Any]] = {}
        self.given: dict[str, Any] = {}

    @property
    def room(self) -> int:
        """Return how many samples are missing."""
        return self.size - len(self.ids)

    def add(self, message: Buffer) -> str:
        """Copy a sample into the next row; return its id.

        Raises:
            StreamError: It is damaged, or not like those before it.
        """
        view = memoryview(message).cast("B")
        name, parts = read_header(view)
        values: dict[str, Value] = {}
        kinds: dict[str, Kind] = {}
        for part in parts:
            values[part.name] = value_of(part, view, self.decode)
            kinds[part.name] = (
                kind_of(values[part.name]) if part.how == FORM else kind_of_part(part)
            )
        self.schema.check(name, kinds)
        for field, value in values.items():
            self._place(field, kinds[field], value)
        self.ids.append(name)
        return name

    def _place(self, field: str, kind: Kind, value: Value) -> None:
        dtype = PLAIN_TYPES.get(kind.what) if kind.shape is None else np.dtype(kind.what)
        if dtype is None or field in self.schema.ragged:
            self.lists[field].append(owned(value))
            return
        if field not in self.rows:
            shape = (self.size, *(kind.shape or ()))
            self.rows[field], self.given[field] = self.memory.take(shape, dtype)
        self.rows[field][len(self.ids)] = value

    def finish(self) -> Batch:
        """Return what was filled, and begin with an empty batch."""
        count = len(self.ids)
        fields = {
            field: self.lists[field] if field in self.lists else self._cut(field, count)
            for field in self.schema.first
        }
        batch = Batch(self.ids, fields)
        self._clear()
        return batch

    def _cut(self, field: str, count: int) -> Column:
        return self.given[field] if count == self.size else self.given[field][:count]
