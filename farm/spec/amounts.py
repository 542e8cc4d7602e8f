"""Spans of time and sizes, as people write them."""

from __future__ import annotations

DAY_S = 86_400
LONG_S = 100 * DAY_S
"""Shortest span of time that is written in days alone."""


def duration(seconds: float) -> str:
    """Return seconds as people write them: `8 s`, `3 min 20 s`, `5 h 10 min`, `2 d 3 h`."""
    whole = round(seconds)
    if whole >= LONG_S:
        return f"{whole // DAY_S:,} d"
    for size, unit, part_size, part in (
        (DAY_S, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            first, rest = divmod(whole, size)
            return f"{first} {unit} {rest // part_size} {part}"
    return f"{whole} s" if seconds >= 10 or whole == seconds else f"{seconds:.1f} s"


def file_size(size_bytes: int) -> str:
    """Return a size in bytes as people write it."""
    size = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} PB"
