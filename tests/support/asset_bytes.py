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


TRIANGLES = 4
CORNERS = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
FACES = ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3))


def a_stl(
    *,
    comment: bytes = b"a test",
    count: int = TRIANGLES,
    attribute: int = 0,
    note: bytes = b"",
    tail: bytes = b"",
) -> bytes:
    """A pyramid of four triangles, of which it says that there are `count`.

    Each is followed by `note`, and its attribute is as long as that or what is told.
    """
    last = len(note) or attribute
    body = [
        struct.pack("<12fH", 0, 0, 0, *(number for each in face for number in CORNERS[each]), last)
        for face in FACES
    ]
    facets = b"".join(facet + note for facet in body)
    return comment.ljust(80, b"\0") + struct.pack("<I", count) + facets + tail


def a_stl_text() -> bytes:
    """The same in words."""
    lines = ["solid a"]
    for face in FACES:
        corners = [" ".join(map(str, CORNERS[each])) for each in face]
        lines += ["facet normal 0 0 0", "outer loop"]
        lines += [f"vertex {corner}" for corner in corners]
        lines += ["endloop", "endfacet"]
    return "\n".join([*lines, "endsolid a", ""]).encode()


def noise(length: int, seed: int) -> bytes:
    """Bytes that tell apart where they stand."""
    return b"".join(struct.pack("<II", seed, place) for place in range(length // 8 + 1))[:length]
