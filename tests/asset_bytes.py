"""Small files that are what their names say, as far as anybody looks."""

from __future__ import annotations

import struct


def an_exr(width: int = 64, height: int = 32, padding: int = 5000) -> bytes:
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    head = b"\x76\x2f\x31\x01\x02\0\0\0dataWindow\0box2i\0\x10\0\0\0" + window + b"\0"
    return head + noise(padding, width)


def a_radiance(width: int = 64, height: int = 32, padding: int = 5000) -> bytes:
    head = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n"
    return head.encode() + noise(padding, height)


def a_blend(seed: int = 0, padding: int = 5000) -> bytes:
    return b"BLENDER-v300" + noise(padding, seed)


def a_jpeg(padding: int = 5000) -> bytes:
    return b"\xff\xd8\xff\xe0" + noise(padding, 3)


def noise(length: int, seed: int) -> bytes:
    """Bytes that tell apart where they stand."""
    return b"".join(struct.pack("<II", seed, place) for place in range(length // 8 + 1))[:length]
