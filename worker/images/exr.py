"""Floats as EXR files with ZIP, made and read back several blocks at a time.

OpenEXR itself goes through a file channel by channel and byte by byte, and deflates it at a level
that takes eight times as long for 4 % fewer bytes. Its own part here is the header, and to read.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any

import imagecodecs
import numpy as np
import OpenEXR
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]

BLOCK_LINES = 16
"""Lines that ZIP deflates together."""
AT_ONCE_BYTES = 1 << 18
"""What is worked on at once, as far as blocks allow: it stays in a core's cache."""
LEVEL = 1
"""0 makes half as much again, 2 and 3 save nothing."""
MIDDLE = np.uint8(128)
"""Stands for two bytes that are alike."""
BEFORE_ATTRIBUTES = 8
"""Bytes of the magic number and the version."""
PIXEL = (1, 1)
"""(height, width) of a picture that is there for its header."""


def encode_exr(
    planes: Floats, channels: Sequence[str], header: Mapping[str, str] | None = None
) -> bytes:
    """Encode floats without losing a bit, with as many bits as they have.

    Args:
        planes: (H, W) for one channel, else (H, W, channels); float32 or float16.
        channels: Their names, which begin with their layer if they have one.
        header: What else the file's header says.
    """
    planes = planes.reshape(*planes.shape[:2], len(channels))
    begin = beginning(planes, channels, header)
    blocks = [packed(lines, steps) for lines, steps in line_blocks(planes, channels)]
    sizes = [len(head_of(0, block)) + len(block) for block in blocks]
    table = np.cumsum([len(begin) + 8 * len(blocks), *sizes], dtype=np.uint64)[:-1]
    parts = [begin, table.tobytes()]
    for number, block in enumerate(blocks):
        parts += [head_of(number, block), block]
    return b"".join(parts)


def decode_exr(data: bytes, channels: Sequence[str]) -> Floats:
    """Return the channels of an EXR file as `encode_exr` took them, (H, W, channels).

    Raises:
        RuntimeError: It is broken.
        KeyError: It has no such channel.
    """
    with OpenEXR.File(BytesIO(data), separate_channels=True) as file:
        there = {name: channel.pixels for name, channel in file.channels().items()}
    return np.stack([there[name] for name in channels], axis=-1)


def strange_exr(
    data: bytes,
    planes: Floats,
    channels: Sequence[str],
    header: Mapping[str, str] | None = None,
) -> str | None:
    """Say what of an EXR file is not as it must be to hold floats, to the bit.

    Its blocks are found by its table and inflated by another library than deflated them; they must
    hold what follows anew from the floats. Each of these steps can be undone in one way alone, so
    that the file decodes to the floats and nothing else.

    Args:
        data: The file.
        planes: What `encode_exr` took, as its other arguments.
        channels: As there.
        header: As there.
    """
    planes = planes.reshape(*planes.shape[:2], len(channels))
    begin = beginning(planes, channels, header)
    count = -(-planes.shape[0] // BLOCK_LINES)
    first = len(begin) + 8 * count
    if data[: len(begin)] != begin or len(data) < first:
        return "has another header"
    table = np.frombuffer(data, np.uint64, count, len(begin)).tolist()
    if table[0] != first:
        return "has blocks elsewhere than it says"
    there = zip(pairwise([*table, len(data)]), line_blocks(planes, channels), strict=True)
    for number, ((start, end), (lines, steps)) in enumerate(there):
        block = data[start + 8 : end]
        if data[start : start + 8] != head_of(number, block):
            return "has blocks elsewhere than it says"
        if not (block == lines.tobytes() if len(block) == lines.size else holds(block, steps)):
            return f"decodes to other values from line {number * BLOCK_LINES} on"
    return None


def beginning(planes: Floats, channels: Sequence[str], header: Mapping[str, str] | None) -> bytes:
    """Return all of a file of (H, W, channels) that stands before the table of its blocks."""
    more = tuple(sorted((header or {}).items()))
    begin = header_of_pixel(tuple(channels), planes.dtype.str, more)
    height, width = planes.shape[:2]
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    for name in (b"dataWindow", b"displayWindow"):
        said = name + b"\0box2i\0" + struct.pack("<i", len(window))
        place = begin.index(said) + len(said)
        begin = begin[:place] + window + begin[place + len(window) :]
    return begin


@functools.lru_cache(maxsize=256)
def header_of_pixel(
    channels: tuple[str, ...], dtype: str, header: tuple[tuple[str, str], ...]
) -> bytes:
    """Return all that stands before the table in a file of one pixel, as OpenEXR writes it."""
    said = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        **dict(header),
    }
    data = BytesIO()
    with OpenEXR.File(said, {name: np.zeros(PIXEL, dtype) for name in channels}) as file:
        file.write(data)
    whole = data.getvalue()
    return whole[: end_of_header(whole)]


def end_of_header(data: bytes) -> int:
    """Return where the table of blocks begins: after attributes, which end with an empty name."""
    place = BEFORE_ATTRIBUTES
    while data[place]:
        for _ in ("name", "type"):
            place = data.index(b"\0", place) + 1
        place += 4 + int.from_bytes(data[place : place + 4], "little")
    return place + 1


def head_of(number: int, block: bytes) -> bytes:
    """Return what stands before a block: its first line, and its size."""
    return struct.pack("<2i", number * BLOCK_LINES, len(block))


def line_blocks(planes: Floats, channels: Sequence[str]) -> Iterator[tuple[Bytes, Bytes]]:
    """Yield the bytes of each block, top down: as they lie in a file, and as they are deflated."""
    height, width, count = planes.shape
    order = sorted(range(count), key=channels.__getitem__)
    block_bytes = BLOCK_LINES * width * count * planes.itemsize
    at_once = BLOCK_LINES * max(1, AT_ONCE_BYTES // block_bytes)
    for top in range(0, height, at_once):
        lines = np.empty((min(at_once, height - top), count, width), planes.dtype)
        for place, channel in enumerate(order):
            lines[:, place] = planes[top : top + at_once, :, channel]
        whole = len(lines) - len(lines) % BLOCK_LINES
        for blocks, size in ((lines[:whole], BLOCK_LINES), (lines[whole:], len(lines) - whole)):
            if len(blocks):
                found = blocks.reshape(len(blocks) // size, -1).view(np.uint8)
                yield from zip(found, steps_of(found), strict=True)


def steps_of(lines: Bytes) -> Bytes:
    """Return what is deflated of blocks (N, bytes): all even bytes, then all odd ones, of each how
    much more it is than the one before."""
    half = lines.shape[1] // 2
    pairs = lines.view("<u2")
    bytes_ = np.empty_like(lines)
    np.copyto(bytes_[:, :half], pairs, casting="unsafe")  # the lower byte, which comes first
    np.copyto(bytes_[:, half:], pairs >> 8, casting="unsafe")
    steps = np.empty_like(lines)
    steps[:, 0] = bytes_[:, 0]
    np.subtract(bytes_[:, 1:], bytes_[:, :-1], out=steps[:, 1:])
    steps[:, 1:] += MIDDLE
    return steps


def packed(lines: Bytes, steps: Bytes) -> bytes:
    """Return a block as a file holds it: as it is where deflating makes it no smaller."""
    small = deflated(steps)
    return small if len(small) < lines.size else lines.tobytes()


def deflated(steps: Bytes) -> bytes:
    """Deflate bytes, by ISA-L where it is."""
    if imagecodecs.ISAL.available:
        return bytes(imagecodecs.isal_encode(steps, level=LEVEL))
    return zlib.compress(steps, LEVEL)


def holds(block: bytes, steps: Bytes) -> bool:
    """Say whether a block inflates to these bytes, by zlib-ng where it is."""
    try:
        found = inflated(block, steps.size)
    except (RuntimeError, ValueError, zlib.error):
        return False
    return np.array_equal(np.frombuffer(found, np.uint8), steps)


def inflated(block: bytes, size: int) -> bytes | bytearray | memoryview[int]:
    """Inflate bytes, of which there should be so many."""
    if not imagecodecs.ZLIBNG.available:
        return zlib.decompress(block)
    room = np.empty(size, np.uint8)  # bytes would be cleared first
    return imagecodecs.zlibng_decode(block, out=memoryview(room))
