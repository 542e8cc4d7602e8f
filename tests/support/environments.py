"""HDR environments of every kind, written by hand: what a header says and what the pixels are."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import OpenEXR

AP0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
XYZ = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3)


def quarters(height: int = 16) -> np.ndarray:
    """(H, 2H, 3): red and green above, blue and yellow below, none of them pure."""
    pixels = np.empty((height, 2 * height, 3), np.float32)
    half = height // 2
    pixels[:half, :height], pixels[:half, height:] = (1, 0.25, 0.25), (0.25, 1, 0.25)
    pixels[half:, :height], pixels[half:, height:] = (0.25, 0.25, 1), (1, 1, 0.25)
    return pixels


def rgbe(pixels: np.ndarray) -> np.ndarray:
    """Return (H, W, 4) bytes: three mantissas and the exponent that they share."""
    mantissa, exponent = np.frexp(pixels.max(axis=-1))
    scaled = pixels / np.ldexp(1.0, exponent)[..., None] * 256
    bytes_of = [*np.moveaxis(scaled, -1, 0), np.where(mantissa > 0, exponent + 128, 0)]
    return np.stack(bytes_of, axis=-1).astype(np.uint8)


def flat(rows: np.ndarray) -> bytes:
    """Pixels as they are."""
    return rows.tobytes()


def new_runs(rows: np.ndarray) -> bytes:
    """Run-length encoded as Radiance has it since 1991: copies, and runs of one byte."""
    written = bytearray()
    for row in rows:
        written += struct.pack(">BBH", 2, 2, len(row))
        for kind in row.T:
            for start in range(0, len(kind), 100):
                piece = kind[start : start + 100]
                same = (piece == piece[0]).all()
                written.append(128 + len(piece) if same else len(piece))
                written += piece[:1].tobytes() if same else piece.tobytes()
    return bytes(written)


def old_runs(rows: np.ndarray) -> bytes:
    """Run-length encoded as it was before: 1, 1, 1, n repeats a pixel, digits of base 256."""
    written = bytearray()
    for row in rows:
        at = 0
        while at < len(row):
            length = 1
            while at + length < len(row) and (row[at + length] == row[at]).all():
                length += 1
            written += row[at].tobytes()
            more = length - 1
            while more:
                written += bytes([1, 1, 1, more % 256])
                more //= 256
            at += length
    return bytes(written)


def radiance(
    rows: np.ndarray,
    *lines: str,
    order: str | None = None,
    encode=new_runs,
    newline: str = "\n",
    end: str = "\n",
) -> bytes:
    """A Radiance picture of (rows, pixels, 4) bytes, in the order that `order` tells."""
    lines = lines if any(line.startswith("FORMAT") for line in lines) else (*lines, PLAIN)
    order = order or f"-Y {rows.shape[0]} +X {rows.shape[1]}"
    head = newline.join(["#?RADIANCE", *lines]) + newline + end + order + newline
    return head.encode() + encode(rows)


PLAIN = "FORMAT=32-bit_rle_rgbe"


def write_exr(path: Path, channels: object, **header: object) -> Path:
    """An OpenEXR file of one part; an array (H, W, 3) is its picture."""
    if isinstance(channels, np.ndarray):
        channels = {"RGB": channels}
    whole = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(whole | header, channels).write(str(path))
    return path


def window(left: int, top: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """A data or display window."""
    corners = (left, top), (left + width - 1, top + height - 1)
    return tuple(np.array(corner, np.int32) for corner in corners)


def every_second(name: str, plane: np.ndarray) -> OpenEXR.Channel:
    """Every second pixel of every second row, as a channel.

    OpenEXR's Python asks for an array as large as the picture, and writes what stands first in it.
    """
    rare = plane[::2, ::2].ravel()
    held = np.zeros(plane.shape, np.float32)
    held.ravel()[: rare.size] = rare
    return OpenEXR.Channel(name, held, 2, 2)


def mipmapped(levels: Sequence[np.ndarray]) -> bytes:
    """An OpenEXR file with smaller copies of its picture; OpenEXR's Python writes none.

    Uncompressed, one tile per level (openexr.com, "OpenEXR File Layout").
    """
    height, width, _ = levels[0].shape
    box = struct.pack("<4i", 0, 0, width - 1, height - 1)
    channels = b"".join(
        name + b"\0" + struct.pack("<iIii", 2, 0, 1, 1) for name in (b"B", b"G", b"R")
    )
    entries = (
        (b"channels", b"chlist", channels + b"\0"),
        (b"compression", b"compression", b"\0"),
        (b"dataWindow", b"box2i", box),
        (b"displayWindow", b"box2i", box),
        (b"lineOrder", b"lineOrder", b"\0"),
        (b"pixelAspectRatio", b"float", struct.pack("<f", 1)),
        (b"screenWindowCenter", b"v2f", bytes(8)),
        (b"screenWindowWidth", b"float", struct.pack("<f", 1)),
        (b"tiles", b"tiledesc", struct.pack("<IIB", width, width, 1)),
    )
    head = b"\x76\x2f\x31\x01" + struct.pack("<I", 2 | 0x200)
    for name, kind, value in entries:
        head += name + b"\0" + kind + b"\0" + struct.pack("<i", len(value)) + value
    head += b"\0"
    tiles, offsets = [], []
    at = len(head) + 8 * len(levels)
    for level, pixels in enumerate(levels):
        data = pixels[..., ::-1].transpose(0, 2, 1).astype("<f4").tobytes()
        offsets.append(at)
        tiles.append(struct.pack("<5i", 0, 0, level, level, len(data)) + data)
        at += len(tiles[-1])
    return head + struct.pack(f"<{len(offsets)}Q", *offsets) + b"".join(tiles)
