"""What a consumer is told, as bytes: a head and samples, each beginning at a multiple of 64."""

from __future__ import annotations

import struct

from farm.errors import StreamError
from farm.feeding.asking import PREFIX, Pulled
from farm.spec.base import Spec

HEAD = struct.Struct("<QQ")
"""Of an answer: bytes of its head, and 0. Of a sample: its bytes, and its number."""
MEDIA_TYPE = "application/x-viewfarm-samples"


class Head(Spec):
    """What an answer says beside its samples."""

    drop: tuple[int, ...] = ()
    over: bool = False
    short: bool = False
    gone: bool = False


def write_answer(found: Pulled) -> bytes:
    """Return what a consumer is told as bytes."""
    told = Head(drop=found.drop, over=found.over, short=found.short, gone=found.gone)
    head = told.model_dump_json().encode()
    parts = [*padded(HEAD.pack(len(head), 0)), *padded(head)]
    for number, data in found.samples:
        parts += [*padded(HEAD.pack(len(data) - PREFIX, number)), *padded(data[PREFIX:])]
    return b"".join(parts)


def padded(data: bytes) -> tuple[bytes, bytes]:
    """Return bytes, and what makes their length a multiple of 64."""
    return data, bytes(-len(data) % PREFIX)


def read_answer(body: bytes) -> tuple[Pulled, tuple[tuple[int, memoryview], ...]]:
    """Return what `write_answer` wrote, the samples as numbers and parts of `body`.

    Raises:
        StreamError: It is not that.
    """
    view, samples = memoryview(body), []
    try:
        head, at, _ = piece(view, 0)
        told = Head.model_validate_json(bytes(head), extra="ignore")
        while at < len(view):
            data, at, number = piece(view, at)
            samples.append((number, data))
        return Pulled((), told.drop, told.over, told.short, told.gone), tuple(samples)
    except (struct.error, ValueError) as error:
        raise StreamError(
            f"what the farm sent is not an answer to a stream ({error}); is it of this version?"
        ) from None


def piece(view: memoryview, at: int) -> tuple[memoryview, int, int]:
    """Return the bytes whose head is at a place, where the next head is, and the number."""
    size, number = HEAD.unpack_from(view, at)
    start = at + PREFIX
    if start + size > len(view):
        raise ValueError("it is cut off")
    return view[start : start + size], start + size + -size % PREFIX, number
