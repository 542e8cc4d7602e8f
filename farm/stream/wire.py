"""A sample as bytes, and back: a msgpack header, then the arrays as they lie in memory.

    0   magic, 4 bytes
    4   length of the header, u32
    8   length of the whole message, u64
    16  header: msgpack of [id, [[name, kind, ...], ...]]
        arrays and pictures, each beginning at a multiple of 64 bytes

Nothing in a message is executed, nothing is allocated by what it says of itself: arrays are views
of the bytes that came.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgpack
import numpy as np
from numpy.typing import NDArray

from farm.errors import StreamError
from farm.stream.sample import (
    LONGEST_NAME,
    MOST_AXES,
    MOST_FIELDS,
    NUMBERS,
    Encoded,
    Kind,
    Sample,
    Value,
)

Buffer: TypeAlias = bytes | bytearray | memoryview
"""One after the other they are the message."""
MAGIC = b"VFS1"
PREFIX = struct.Struct("<4sIQ")
ALIGNED = 64
LONGEST_HEADER = 1 << 20
LARGEST_MESSAGE = 1 << 32
"""Bytes of one sample, at most, where the receiver names no bound of its own."""
SCALARS = (bool, int, float, str)
TYPES = {dtype.str: dtype for dtype in NUMBERS}
RAW, DEFLATED, FORM, PLAIN = "raw", "zlib", "form", "plain"
"""How a field is there: bytes as in memory, compressed, a picture's file, in the header."""
LEVEL = 1
"""Of zlib: more takes far longer and gains little on pictures."""


class Part(NamedTuple):
    """One field of a message, as its header tells."""

    name: str
    how: str
    start: int = 0
    size: int = 0
    type: str = ""
    """Of an array: NumPy's name of its type; of a picture: its form."""
    shape: tuple[int, ...] = ()
    value: bool | int | float | str = False
    """Of a plain value."""


def pack(sample: Sample, *, compress: bool = False) -> list[Buffer]:
    """Return the buffers of a message; arrays are not copied.

    Args:
        sample: What to send.
        compress: For a slow link: arrays take less bytes and more time.
    """
    bodies: list[Buffer] = []
    fields = []
    place = 0
    for name, value in sample.fields.items():
        if isinstance(value, SCALARS):
            fields.append([name, PLAIN, value])
            continue
        how, body, *more = _body(value, compress=compress)
        fields.append([name, how, place, len(body), *more])
        bodies += [body, bytes(-len(body) % ALIGNED)]
        place += _aligned(len(body))
    return [*_head(sample.id, fields, place), *bodies]


def pack_rows(fields: Mapping[str, Sequence[NDArray[Any]]]) -> list[Buffer]:
    """Return the buffers of a message of arrays whose rows are alike and lie anywhere."""
    bodies: list[Buffer] = []
    told = []
    place = 0
    for name, rows in fields.items():
        body = [_body(row, compress=False)[1] for row in rows]
        size = length(body)
        shape = (len(rows), *rows[0].shape)
        told.append([name, RAW, place, size, rows[0].dtype.str, shape])
        bodies += [*body, bytes(-size % ALIGNED)]
        place += _aligned(size)
    return [*_head("rows", told, place), *bodies]


def _head(name: str, fields: list[list[Any]], bodies: int) -> list[Buffer]:
    header: bytes = msgpack.packb([name, fields])
    if len(header) > LONGEST_HEADER:
        raise StreamError(
            f"sample {name}: its texts and names have {len(header):,} bytes, at most "
            f"{LONGEST_HEADER:,} fit"
        )
    start = _aligned(PREFIX.size + len(header))
    padding = bytes(start - PREFIX.size - len(header))
    return [PREFIX.pack(MAGIC, len(header), start + bodies), header, padding]


def _body(value: NDArray[Any] | Encoded, *, compress: bool) -> tuple[Any, ...]:
    """Return how a field is sent, its bytes, and what the header tells of them."""
    if isinstance(value, Encoded):
        return FORM, memoryview(value.data).cast("B"), value.form
    flat = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
    if compress:
        return DEFLATED, zlib.compress(flat, LEVEL), value.dtype.str, value.shape
    return RAW, memoryview(flat), value.dtype.str, value.shape


def _aligned(size: int) -> int:
    return size + -size % ALIGNED


def length(buffers: Sequence[Buffer]) -> int:
    """Return the bytes of a message."""
    return sum(len(each) for each in buffers)


def message_length(start: Buffer, *, most: int = LARGEST_MESSAGE) -> int:
    """Return the length of the message that begins with these 16 bytes.

    Raises:
        StreamError: They begin no message, or one that is longer than `most`.
    """
    magic, header, whole = PREFIX.unpack_from(start)
    if magic != MAGIC:
        raise StreamError("what came is not a sample: is the sender a farm of this version?")
    if whole > most:
        raise StreamError(f"a sample of {whole:,} bytes came, at most {most:,} are taken")
    if not 0 < header <= LONGEST_HEADER or PREFIX.size + header > whole:
        raise StreamError("a sample came with a header of a wrong length; send it again")
    return int(whole)


Decoder: TypeAlias = Callable[[str, Encoded], Value]
"""From a field's name and its picture to an array."""


def unpack(message: Buffer, decode: Decoder | None = None) -> Sample:
    """Return the sample of a message; its arrays are views of the message.

    Args:
        message: The whole of it.
        decode: What makes arrays of pictures; left out: they stay as they came.

    Raises:
        StreamError: It is damaged.
    """
    view = memoryview(message).cast("B")
    name, parts = read_header(view)
    return Sample(name, {part.name: value_of(part, view, decode) for part in parts})


def read_header(view: memoryview) -> tuple[str, list[Part]]:
    """Return the id of a message and its fields, whose places are checked.

    Raises:
        StreamError: It is damaged.
    """
    if len(view) < PREFIX.size or message_length(view, most=len(view)) != len(view):
        raise StreamError("a sample came incomplete; send it again")
    size = PREFIX.unpack_from(view)[1]
    try:
        name, fields = msgpack.unpackb(
            view[PREFIX.size : PREFIX.size + size], use_list=False, strict_map_key=True
        )
        if not isinstance(name, str) or len(name) > LONGEST_NAME or len(fields) > MOST_FIELDS:
            raise ValueError("its id or number of fields")  # noqa: TRY301  one answer to all of it
        start = _aligned(PREFIX.size + size)
        parts = [_part(each, start, len(view)) for each in fields]
        if len({part.name for part in parts}) != len(parts):
            raise ValueError("two fields of one name")  # noqa: TRY301
    except (ValueError, TypeError, IndexError, RecursionError, msgpack.UnpackException) as error:
        raise StreamError(f"a sample came damaged ({str(error)[:100]}); send it again") from None
    return name, parts


def _part(told: tuple[Any, ...], start: int, end: int) -> Part:
    """Return one field of a header, or raise ValueError or TypeError."""
    name, how = told[:2]
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise ValueError("a field's name")
    if how == PLAIN:
        (value,) = told[2:]
        if not isinstance(value, SCALARS):
            raise ValueError("a plain value that is none")
        return Part(name, how, value=value)
    place, size = told[2:4]
    if not _is_whole(place) or not _is_whole(size) or start + place + size > end:
        raise ValueError("a field outside of it")
    if how == FORM:
        (form,) = told[4:]
        return Part(name, how, start + place, size, str(form)[:LONGEST_NAME])
    dtype, shape = told[4:]
    return _array_part(name, how, start + place, size, dtype, shape)


def _array_part(name: str, how: str, place: int, size: int, dtype: Any, shape: Any) -> Part:  # noqa: PLR0913
    if how not in (RAW, DEFLATED) or dtype not in TYPES:
        raise ValueError("a field of an unknown kind")
    if len(shape) > MOST_AXES or not all(_is_whole(each) for each in shape):
        raise ValueError("an array's shape")
    part = Part(name, how, place, size, dtype, shape)
    if nbytes(part) > LARGEST_MESSAGE or (how == RAW and nbytes(part) != size):
        raise ValueError("an array's length")
    if how == RAW and place % TYPES[dtype].itemsize:
        raise ValueError("an array's place")
    return part


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_MESSAGE


def kind_of_part(part: Part) -> Kind:
    """Return what a field is, without looking at its bytes."""
    if part.how == PLAIN:
        return Kind(type(part.value).__name__)
    return Kind(part.type) if part.how == FORM else Kind(TYPES[part.type].name, part.shape)


def nbytes(part: Part) -> int:
    """Return the bytes of an array in memory."""
    return math.prod(part.shape) * TYPES[part.type].itemsize


def value_of(part: Part, view: memoryview, decode: Decoder | None = None) -> Value:
    """Return one field of a message."""
    if part.how == PLAIN:
        return part.value
    body = view[part.start : part.start + part.size]
    if part.how == FORM:
        picture = Encoded(part.type, body)
        return picture if decode is None else decode(part.name, picture)
    data = body if part.how == RAW else _inflated(body, nbytes(part))
    return np.frombuffer(data, TYPES[part.type]).reshape(part.shape)


def _inflated(body: memoryview, size: int) -> bytes:
    """Return what was compressed, never more than it should be."""
    try:
        stream = zlib.decompressobj()
        data = stream.decompress(body, size) if size else b""
    except zlib.error as error:
        raise StreamError(f"a sample came damaged ({error}); send it again") from None
    if len(data) != size:
        raise StreamError("a sample came damaged (an array's length); send it again")
    return data


def messages_in(chunks: Iterator[Buffer], *, most: int = LARGEST_MESSAGE) -> Iterator[memoryview]:
    """Cut what a connection delivers, in pieces of any size, into messages.

    Args:
        chunks: The pieces in their order, such as those of an HTTP answer.
        most: Bytes of one message, at most.

    Raises:
        StreamError: They are not messages, or end within one.
    """
    assembly = Assembly(most=most)
    for chunk in chunks:
        yield from assembly.feed(chunk)
    assembly.finish()


class Assembly:
    """What came of a message so far; each byte is copied once, into the message it belongs to."""

    def __init__(self, *, most: int = LARGEST_MESSAGE) -> None:
        self.most = most
        self._prefix = bytearray()
        self._message: memoryview | None = None
        self._filled = 0

    def feed(self, chunk: Buffer) -> Iterator[memoryview]:
        """Yield the messages that are whole by now."""
        rest = memoryview(chunk).cast("B")
        while len(rest):
            if self._message is None:
                rest = self._begin(rest)
                continue
            count = min(len(rest), len(self._message) - self._filled)
            self._message[self._filled : self._filled + count] = rest[:count]
            self._filled += count
            rest = rest[count:]
            if self._filled == len(self._message):
                whole, self._message = self._message, None
                yield whole

    def _begin(self, rest: memoryview) -> memoryview:
        count = min(len(rest), PREFIX.size - len(self._prefix))
        self._prefix += rest[:count]
        if len(self._prefix) == PREFIX.size:
            size = message_length(self._prefix, most=self.most)
            self._message = memoryview(np.empty(size, np.uint8)).cast("B")
            self._message[: PREFIX.size] = self._prefix
            self._filled = PREFIX.size
            self._prefix = bytearray()
        return rest[count:]

    def finish(self) -> None:
        """Make sure that nothing is left.

        Raises:
            StreamError: The connection ended within a message.
        """
        if self._message is not None or self._prefix:
            raise StreamError("the connection ended within a sample; connect again to resume")
