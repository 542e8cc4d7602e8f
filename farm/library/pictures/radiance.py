"""The headers of Radiance pictures, read without decoding a pixel.

They are as in "Radiance File Formats" by Greg Ward: lines of text, an empty line, a line with size
and orientation, then the scanlines.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

RESOLUTION = re.compile(rb"([-+])([XY])[ \t]+(\d{1,9})[ \t]+([-+])([XY])[ \t]+(\d{1,9})[ \t]*")
FORMATS = ("32-bit_rle_rgbe", "32-bit_rle_xyze")
MOST_LINES = 50
"""Of a header that every reader takes."""
ORDINARY = re.compile(rb"\n\n-Y \d{1,9} \+X \d{1,9}\n")


class RadianceHeader(NamedTuple):
    """A picture, by its header."""

    shape: tuple[int, int]
    """Scanlines, and pixels of each."""
    axes: tuple[str, str]
    """Which way scanlines follow each other, and the pixels in them: `-Y` is down, `+X` right."""
    lines: tuple[tuple[str, str], ...]
    """The variables, `NAME=value`, in their order."""
    data_at: int
    """Where the scanlines begin."""
    ordinary: bool
    """Every reader understands how the header ends."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        first, second = self.shape
        return (second, first) if self.axes[0][1] == "Y" else (first, second)

    @property
    def format(self) -> str | None:
        """What the pixels hold, if the header says."""
        return next(self.values("FORMAT"), None)

    @property
    def plain_format(self) -> bool:
        """It says that it holds red, green and blue, to the letter."""
        return [value for key, value in self.lines if key == "FORMAT"] == [FORMATS[0]]

    def values(self, name: str) -> Iterator[str]:
        """Yield what is said of a variable."""
        return (value.strip() for key, value in self.lines if key == name)

    def numbers(self, name: str, count: int) -> Iterator[tuple[float, ...] | None]:
        """Yield what is said of a variable of `count` numbers; None for what is not that."""
        for value in self.values(name):
            try:
                found = tuple(map(float, value.split()))
            except ValueError:
                found = ()
            yield found if len(found) == count and all(map(math.isfinite, found)) else None


def radiance_header(head: bytes) -> RadianceHeader | None:
    """Read a header; None if it is damaged or tells no size."""
    lines: list[tuple[str, str]] = []
    at = 0
    while (end := head.find(b"\n", at)) >= 0:
        line = head[at:end].removesuffix(b"\r")
        at = end + 1
        if match := RESOLUTION.fullmatch(line):
            if match[2] == match[5]:
                return None
            axes = ((match[1] + match[2]).decode(), (match[4] + match[5]).decode())
            shape = (int(match[3]), int(match[6]))
            ordinary = (
                ORDINARY.search(head, 0, at) is not None and head.count(b"\n", 0, at) <= MOST_LINES
            )
            return RadianceHeader(shape, axes, tuple(lines), at, ordinary)
        name, equals, value = line.decode("latin-1").partition("=")
        if equals and not line.startswith((b"#", b" ", b"\t")):  # indented: of what it was made of
            lines.append((name.rstrip(), value))
    return None


def radiance_size_px(head: bytes) -> tuple[int, int] | None:
    """Return (width, height) from a Radiance header."""
    header = radiance_header(head)
    return header.size_px if header else None
