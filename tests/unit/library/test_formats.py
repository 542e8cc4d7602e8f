"""What a header says, and what only looks like it."""

from __future__ import annotations

import struct

from farm.library.formats import hdr_suffix
from farm.library.pictures.exr import exr_attributes, exr_size_px


def an_entry(name: bytes, kind: bytes, value: bytes) -> bytes:
    return name + b"\0" + kind + b"\0" + struct.pack("<i", len(value)) + value


def a_box(width: int, height: int) -> bytes:
    return struct.pack("<4i", -1, -1, width - 2, height - 2)


MAGIC = b"\x76\x2f\x31\x01\x02\0\0\0"


def test_the_size_is_read_from_its_own_entry():
    """Neither another window nor a comment that looks like one is taken for it."""
    trap = an_entry(b"dataWindow", b"box2i", a_box(9, 9))
    head = MAGIC + b"".join((
        an_entry(b"comment", b"string", trap),
        an_entry(b"crop", b"box2i", a_box(5, 5)),
        an_entry(b"dataWindow", b"box2i", a_box(4096, 2048)),
    )) + b"\0"  # fmt: skip

    assert exr_size_px(head) == (4096, 2048)
    assert [entry.name for entry in exr_attributes(head)] == [b"comment", b"crop", b"dataWindow"]


def test_a_damaged_header_says_nothing():
    whole = MAGIC + an_entry(b"dataWindow", b"box2i", a_box(64, 32)) + b"\0"
    assert exr_size_px(whole) == (64, 32)

    for length in range(len(whole) - 1):
        assert exr_size_px(whole[:length]) is None
    negative = MAGIC + b"a\0b\0" + struct.pack("<i", -5) + whole[8:]
    assert exr_size_px(negative) is None


def test_a_name_follows_from_the_first_bytes():
    assert hdr_suffix(MAGIC) == ".exr"
    assert hdr_suffix(b"#?RGBE\n") == ".hdr"
    assert hdr_suffix(b"\xff\xd8\xff") is None
