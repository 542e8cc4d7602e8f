"""The pixels of Radiance pictures: flat, or run-length encoded in the new way or the old one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(N, 4): three mantissas and the exponent that they share."""

NEW_WIDTHS = range(8, 32768)
"""Widths of scanlines that may be encoded in the new way."""
EXPONENT_BIAS = 128 + 8
DIGITS = 3
"""Of the length of a run in the old way, at most, beside the lowest."""
RUN = 128
"""Codes above it repeat a byte, the others copy bytes."""


class ScanlineError(Exception):
    """Scanlines that end too early or run over."""


def begins_scanline(data: memoryview, at: int, width: int) -> bool:
    """Say whether a scanline in the new way begins here: it names its own width."""
    return (
        width in NEW_WIDTHS
        and bytes(data[at : at + 2]) == b"\2\2"
        and bytes(data[at + 2 : at + 4]) == width.to_bytes(2, "big")
    )


def decode(data: memoryview, rows: int, width: int) -> NDArray[np.uint8]:
    """Decode scanlines; each may be written in another way.

    Args:
        data: What follows the header.
        rows: How many scanlines there are.
        width: Pixels of each.

    Returns:
        (rows, width, 4).

    Raises:
        ScanlineError: There are fewer, or a run is longer than its scanline.
    """
    pixels = np.empty((rows, width, 4), np.uint8)
    at = 0
    for row in range(rows):
        if begins_scanline(data, at, width):
            pixels[row], at = new_scanline(data, at + 4, width)
        else:
            pixels[row], at = old_scanline(data, at, width)
    return pixels


def new_scanline(data: memoryview, at: int, width: int) -> tuple[Pixels, int]:
    """Decode one scanline in the new way: all bytes of one kind after the other."""
    line = bytearray()
    size = 4 * width
    while len(line) < size:
        if at >= len(data):
            raise ScanlineError
        code = data[at]
        if code > RUN:
            line += bytes(data[at + 1 : at + 2]) * (code - RUN)
            at += 2
        else:
            line += data[at + 1 : at + 1 + code]
            at += 1 + code
            if not code:
                raise ScanlineError
    if len(line) != size:
        raise ScanlineError
    return np.frombuffer(bytes(line), np.uint8).reshape(4, width).T, at


def old_scanline(data: memoryview, at: int, width: int) -> tuple[Pixels, int]:
    """Decode one scanline in the old way, or a flat one, which is the same without repetitions.

    A pixel 1, 1, 1, n repeats the one before n times; several in a row count as digits of base
    256, the lowest first.
    """
    there = min(width, (len(data) - at) // 4)
    stored = np.frombuffer(data[at : at + 4 * there], np.uint8).reshape(-1, 4)
    own = (stored[:, :3] != 1).any(axis=1)
    places = np.arange(len(stored))
    source = np.maximum.accumulate(np.where(own, places, 0))
    digit = np.minimum(places - source - 1, DIGITS)
    repeats = np.where(own, 1, stored[:, 3].astype(np.int64) << 8 * np.maximum(digit, 0))
    used = int(np.searchsorted(np.cumsum(repeats), width)) + 1
    if used > len(stored) or not own[0] or repeats[:used].sum() != width:
        raise ScanlineError
    return np.repeat(stored[source[:used]], repeats[:used], axis=0), at + 4 * used


def radiance_of(pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Return red, green and blue of decoded pixels (rows, width, 4), each (rows, width).

    As OpenImageIO has it: Greg Ward's own reader adds half a step to each mantissa.
    """
    scale = np.ldexp(np.float32(1), pixels[..., 3].astype(np.int32) - EXPONENT_BIAS)
    scale[pixels[..., 3] == 0] = 0
    return [pixels[..., each].astype(np.float32) * scale for each in range(3)]
