"""What one view of a stream is: an id and named values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from farm.errors import StreamError

LONGEST_NAME = 200
"""Characters of an id or of a field's name, at most."""
MOST_FIELDS = 1000
MOST_AXES = 8
LARGEST_INT = 2**63 - 1
NUMBERS = frozenset(
    np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    )
)
"""Types of arrays that every consumer has."""


@dataclass(frozen=True)
class Encoded:
    """A picture as it was written, such as a PNG: whoever receives it decodes it."""

    form: str
    """Suffix of its file: `png`, `jxl`, `exr`."""
    data: bytes | memoryview


Value: TypeAlias = NDArray[Any] | Encoded | int | float | str | bool


@dataclass(frozen=True, eq=False)
class Sample:
    """A view as training sees it; `of` makes one from values that are not checked yet."""

    id: str
    """Unique in its stream: a sample is acknowledged by it."""
    fields: dict[str, Value]

    @classmethod
    def of(cls, name: str, fields: Mapping[str, Any]) -> Sample:
        """Return a sample of checked values: lists become arrays, NumPy's numbers plain ones.

        Raises:
            StreamError: A value cannot be sent; the sentence names its field.
        """
        if not 0 < len(name) <= LONGEST_NAME:
            raise StreamError(f"a sample's id has 1 to {LONGEST_NAME} characters, not {len(name)}")
        if len(fields) > MOST_FIELDS:
            raise StreamError(f"sample {name}: has {len(fields)} fields, at most {MOST_FIELDS} fit")
        return cls(name, {key: checked(name, key, value) for key, value in fields.items()})

    def copy(self) -> Sample:
        """Return the same with arrays of its own, for values that lie in memory of others."""
        return Sample(self.id, {key: owned(value) for key, value in self.fields.items()})


def checked(sample: str, name: Any, value: Any) -> Value:
    """Return a value as it is sent.

    Raises:
        StreamError: It cannot be.
    """
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise StreamError(
            f"sample {sample}: a field's name has 1 to {LONGEST_NAME} characters, not {name!r:.60}"
        )
    if isinstance(value, np.generic):
        value = value.item() if value.dtype in NUMBERS and value.dtype.kind != "c" else value
    if isinstance(value, (bool, float, Encoded)):
        return value
    if isinstance(value, int):
        return _in_range(sample, name, value)
    if isinstance(value, str):
        return _in_unicode(sample, name, value)
    return _array(sample, name, value)


def _in_range(sample: str, name: str, value: int) -> int:
    if -LARGEST_INT - 1 <= value <= LARGEST_INT:
        return value
    raise StreamError(f"sample {sample}: its field {name} is a number of more than 64 bits")


def _in_unicode(sample: str, name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise StreamError(
            f"sample {sample}: its field {name} is a text with half a character ({error.reason})"
        ) from None
    return value


def _array(sample: str, name: str, value: Any) -> NDArray[Any]:
    """Return an array of numbers in this machine's byte order."""
    if isinstance(value, (np.ndarray, list, tuple)):
        try:
            array = np.asarray(value)
        except (ValueError, OverflowError):  # of rows that differ in length
            array = np.empty(0, object)
        native = array.dtype.newbyteorder("=")
        if native in NUMBERS and array.ndim <= MOST_AXES:
            return np.asarray(array, native)
        kind = f"an array of {array.dtype.name} with {array.ndim} axes"
    else:
        kind = f"a {type(value).__name__}"
    raise StreamError(
        f"sample {sample}: its field {name} is {kind}; a field is an array of numbers, a number, "
        "a text, or True or False"
    )


def owned(value: Value) -> Value:
    """Return a value that lies in no memory but its own."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, Encoded):
        return Encoded(value.form, bytes(value.data))
    return value


class Kind(NamedTuple):
    """What must stay the same of a field."""

    what: str
    """The name of an array's type, the form of a picture, or which plain value it is."""
    shape: tuple[int, ...] | None = None
    """Of an array."""

    def __str__(self) -> str:
        if self.shape is None:
            return PLAIN_WORDS.get(self.what, self.what)
        return f"{self.what} ({', '.join(map(str, self.shape))})"


PLAIN_WORDS = {
    "bool": "True or False",
    "int": "a whole number",
    "float": "a number with a fraction",
    "str": "a text",
}


def kind_of(value: Value) -> Kind:
    """Return what a field is."""
    if isinstance(value, np.ndarray):
        return Kind(value.dtype.name, value.shape)
    return Kind(value.form if isinstance(value, Encoded) else type(value).__name__)


class Schema:
    """The fields that all samples of a stream have: those of the first one.

    Fields in `ragged` may have another shape each time, such as the points that are seen.
    """

    def __init__(self, ragged: Collection[str] = ()) -> None:
        self.ragged = frozenset(ragged)
        self.first: dict[str, Kind] = {}

    def check(self, name: str, found: dict[str, Kind]) -> None:
        """Make sure that a sample is like those before it.

        Raises:
            StreamError: It is not; the sentence names the field, before and after.
        """
        if found == self.first:
            return
        if not self.first:
            self.first = found
        for change in self._changes(found):
            raise StreamError(f"sample {name}: {change}")

    def _changes(self, found: dict[str, Kind]) -> Iterator[str]:
        for field, before in self.first.items():
            after = found.get(field)
            if after is None:
                yield f"has no field {field} ({before}), which those before it have"
            elif before != after and not self._may(field, before, after):
                yield f"its field {field} is {after}, before it was {before}: {self._remedy(after)}"
        for field in found.keys() - self.first.keys():
            yield f"has a field {field} ({found[field]}), which those before it do not have"

    def _may(self, field: str, before: Kind, after: Kind) -> bool:
        return field in self.ragged and before.what == after.what and None not in (
            before.shape, after.shape
        )  # fmt: skip

    def _remedy(self, after: Kind) -> str:
        if after.shape is None:
            return "give it one type, such as float(...)"
        return (
            "give all views of a stream one resolution and type, or name a field whose shape "
            "changes in ragged=..."
        )
