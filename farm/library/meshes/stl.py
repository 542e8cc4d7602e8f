"""STL files as programs write them, and as Blender reads them."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import BinaryIO

from farm.errors import AssetError

COUNT_AT, BODY_AT, FACET_BYTES = 80, 84, 50
"""A binary STL: a comment, the number of its triangles, then 50 bytes of each."""
UNCOUNTED = (0, 0xFFFFFFFF)
"""Numbers of triangles that mean: nobody went back to write how many there are."""
CHUNK = 1 << 20
WORD = re.compile(rb"^\s*(solid|facet|outer|vertex|endloop|endfacet|endsolid)\b", re.I | re.M)
"""Words that begin a line of an STL in words."""


def check_stl(path: Path, head: bytes) -> None:
    """Make sure that all the triangles are there that a binary STL announces.

    Raises:
        AssetError: It is cut off.
    """
    if is_text(head):
        return
    size = path.stat().st_size
    if size < BODY_AT:
        raise AssetError(str(path), f"the file is cut off: {size} bytes are too few for an STL")
    triangles, whole = count_triangles(head, size), (size - BODY_AT) // FACET_BYTES
    if whole < triangles:
        reason = f"it is cut off ({whole:,} of {triangles:,} triangles); copy or export it again"
        raise AssetError(str(path), reason)


def is_text(head: bytes) -> bool:
    """Tell whether an STL is one in words; binary ones may begin with `solid`, too."""
    text = head.lower()
    start = text.removeprefix(b"\xef\xbb\xbf").lstrip()
    return b"\0" not in text and (start.startswith(b"solid") or b"vertex" in text)


def count_triangles(head: bytes, size: int) -> int:
    """Return the number of triangles in a binary STL of `size` bytes."""
    stated: int = struct.unpack_from("<I", head, COUNT_AT)[0]
    whole, rest = divmod(size - BODY_AT, FACET_BYTES)
    return whole if stated in UNCOUNTED and rest == 0 else stated


def is_plain(path: Path) -> bool:
    """Tell whether Blender can read an STL as it is.

    It takes a file for a binary one if its size is that of its triangles to the byte, and else
    for a text, of which it knows the words in lower case alone, in lines that end with a LF.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(CHUNK)
    if is_text(head):
        return b"\n" in head and all(word[1].islower() for word in WORD.finditer(head))
    stated = struct.unpack_from("<I", head, COUNT_AT)[0]
    return bool(size == BODY_AT + stated * FACET_BYTES)


def write_plain(path: Path, target: Path) -> None:
    """Write the triangles of an STL as Blender can read them."""
    with path.open("rb") as source, target.open("wb") as file:
        head = source.read(CHUNK)
        source.seek(0)
        if is_text(head):
            write_words(source, file)
        else:
            write_triangles(source, file, count_triangles(head, path.stat().st_size))


def write_words(source: BinaryIO, target: BinaryIO) -> None:
    """Copy an STL in words, all in lower case and in lines."""
    while chunk := source.read(CHUNK):
        target.write(chunk.lower().replace(b"\r", b"\n"))


def write_triangles(source: BinaryIO, target: BinaryIO, count: int) -> None:
    """Copy a binary STL without what follows its triangles, or each of them."""
    apart = ends_with_notes(source, count)
    source.seek(0)
    target.write(source.read(COUNT_AT) + struct.pack("<I", count))
    source.seek(BODY_AT)
    for _ in range(count):
        facet = source.read(FACET_BYTES)
        target.write(facet)
        if apart:
            source.seek(note_bytes(facet), os.SEEK_CUR)


def ends_with_notes(source: BinaryIO, count: int) -> bool:
    """Tell whether bytes of its own follow each triangle, as many as its last two say.

    Few programs write such; many write other things into those two bytes.
    """
    source.seek(BODY_AT)
    for _ in range(count):
        source.seek(note_bytes(source.read(FACET_BYTES)), os.SEEK_CUR)
    return source.tell() == source.seek(0, os.SEEK_END)


def note_bytes(facet: bytes) -> int:
    """Return the number of bytes that a triangle says follow it."""
    return int.from_bytes(facet[-2:], "little")
