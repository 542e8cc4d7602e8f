"""Textures: the size that a PNG or JPEG file states."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
LONGEST_PX, MOST_PX = 16384, 16384 * 8192
"""A larger one is taken for a mistake or an attack."""
MOST_SEGMENTS = 10_000
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG that begin a frame."""


def picture_suffixes(head: bytes) -> tuple[str, ...]:
    """Return what a picture's name may end in, by its first bytes; nothing if it is not one."""
    if head.startswith(PNG_MAGIC):
        return (".png",)
    return (".jpg", ".jpeg") if head.startswith(JPEG_MAGIC) else ()


def picture_fault(path: Path, head: bytes) -> str | None:
    """Say why a picture cannot be used, as far as its header tells."""
    size = png_size_px(head) if head.startswith(PNG_MAGIC) else jpeg_size_px(path)
    if size is None:
        return "its header is damaged: it has no picture size"
    width, height = size
    if min(size) < 1 or max(size) > LONGEST_PX or width * height > MOST_PX:
        return f"{width} x {height} pixels: a picture may have 16384 x 8192; make it smaller"
    return None


def png_size_px(head: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG picture."""
    if len(head) < 24 or head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def jpeg_size_px(path: Path) -> tuple[int, int] | None:
    """Return width and height of a JPEG picture; what its camera wrote comes before."""
    with path.open("rb") as file:
        file.seek(2)
        for _segment in range(MOST_SEGMENTS):
            marker = next_marker(file)
            length = file.read(2)
            if marker is None or len(length) < 2:
                return None
            if marker in FRAMES:
                frame = file.read(5)
                return struct.unpack(">xHH", frame)[::-1] if len(frame) == 5 else None
            file.seek(max(int.from_bytes(length) - 2, 0), 1)
    return None


def next_marker(file: BinaryIO) -> int | None:
    """Return the next marker; fill bytes may come before it."""
    if file.read(1) != b"\xff":
        return None
    while (byte := file.read(1)) == b"\xff":
        pass
    return byte[0] if byte else None
