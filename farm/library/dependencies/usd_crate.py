"""The tokens of a USD crate (.usdc), among which are names of files."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

MAGIC = b"PXR-USDC"
TOC_AT = 16
"""Place in the file at which it says where its list of sections is."""
SECTION = struct.Struct("<16sqq")
TOKENS = struct.Struct("<QQQ")
MOST_SECTIONS = 64
MOST_TOKEN_BYTES = 256 << 20
"""Words of a larger crate are not read: they are data rather than names."""


def tokens(path: Path) -> list[bytes]:
    """Return all words of a crate.

    Raises:
        ValueError: They cannot be read, or are too many.
    """
    with path.open("rb") as file:
        try:
            _count, size, packed_size = TOKENS.unpack(_tokens_section(file).read(TOKENS.size))
            if max(size, packed_size) > MOST_TOKEN_BYTES:
                raise ValueError("it has too many words")
            return unpack(file.read(packed_size), size).split(b"\0")
        except (struct.error, RuntimeError, OverflowError) as error:  # lz4 raises RuntimeError's
            raise ValueError("its words cannot be read") from error


def _tokens_section(file: BinaryIO) -> BinaryIO:
    """Return a crate's file at the beginning of its words."""
    file.seek(TOC_AT)
    file.seek(*struct.unpack("<q", file.read(8)))
    (count,) = struct.unpack("<Q", file.read(8))
    for _ in range(min(count, MOST_SECTIONS)):
        name, start, _size = SECTION.unpack(file.read(SECTION.size))
        if name.rstrip(b"\0") == b"TOKENS":
            file.seek(start)
            return file
    raise ValueError("it has no words")


def unpack(data: bytes, size: int) -> bytes:
    """Return the bytes that a crate has packed: one block of LZ4, or a few, each behind its size.

    Args:
        data: As they are in the file: first, in one byte, how many blocks there are; 0: one.
        size: Of all bytes when unpacked.
    """
    import lz4.block  # a laptop that has no such file does without

    blocks = [data[1:]]
    if data[:1] > b"\0":
        blocks, at = [], 1
        for _ in range(data[0]):
            (length,) = struct.unpack_from("<i", data, at)
            blocks.append(data[at + 4 : at + 4 + length])
            at += 4 + length
    return b"".join(lz4.block.decompress(block, uncompressed_size=size) for block in blocks)
