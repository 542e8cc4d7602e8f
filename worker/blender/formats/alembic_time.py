"""How long an Alembic file moves things, by its own table: Blender does not tell."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

OGAWA = b"Ogawa\xff"
"""First bytes of a file that was written to its end."""
HEADER_BYTES = 16
SAMPLINGS = 4
"""Place of the table of times among the parts of the whole."""
DATA = 1 << 63
"""Marks the place of a part that holds data rather than parts."""
TABLE_MAX_BYTES = 64 << 20
SAMPLING = struct.Struct("<IdI")
"""Of each way to take samples: how many there are, seconds of a cycle, and times in one."""


class Sampling(NamedTuple):
    """When samples of something were taken."""

    samples: int
    cycle_s: float
    times: tuple[float, ...]
    """Of the first cycle, in seconds; of all samples, where they do not repeat."""

    def time(self, sample: int) -> float:
        """Return when a sample was taken, in seconds."""
        if len(self.times) >= self.samples:
            return self.times[sample]
        cycle, place = divmod(sample, len(self.times))
        return self.times[place] + cycle * self.cycle_s


def seconds_of(path: Path) -> tuple[float, float] | None:
    """Return the first and the last moment for which a file holds something that moves.

    None where nothing in it moves, or where its table cannot be read.
    """
    try:
        with path.open("rb") as file:
            moving = [each for each in samplings(file) if each.samples > 1 and each.times]
    except (OSError, struct.error):
        return None
    if not moving:
        return None
    return min(each.time(0) for each in moving), max(each.time(each.samples - 1) for each in moving)


def samplings(file: BinaryIO) -> Iterator[Sampling]:
    """Yield the ways in which samples of a file were taken."""
    table = table_of(file)
    at = 0
    while at < len(table):
        samples, cycle_s, count = SAMPLING.unpack_from(table, at)
        at += SAMPLING.size
        times = struct.unpack_from(f"<{count}d", table, at)
        at += 8 * count
        yield Sampling(samples, cycle_s, times)


def table_of(file: BinaryIO) -> bytes:
    """Return the table of times; nothing where a file is of another kind."""
    header = file.read(HEADER_BYTES)
    if not header.startswith(OGAWA):
        return b""
    (root,) = struct.unpack_from("<Q", header, 8)
    file.seek(root)
    (count,) = struct.unpack("<Q", file.read(8))
    if count <= SAMPLINGS:
        return b""
    parts = struct.unpack(f"<{SAMPLINGS + 1}Q", file.read(8 * (SAMPLINGS + 1)))
    if not parts[SAMPLINGS] & DATA:
        return b""
    file.seek(parts[SAMPLINGS] & ~DATA)
    (size,) = struct.unpack("<Q", file.read(8))
    return file.read(size) if size <= TABLE_MAX_BYTES else b""
