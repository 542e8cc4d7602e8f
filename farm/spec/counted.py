"""Numbers of things, as sentences say them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return such as `1 view` or `1,200 views`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ordinal(number: int) -> str:
    """Return such as `2nd` or `1,011th`."""
    last = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number:,}{last or 'th'}"


def coarse(seconds: float) -> str:
    """Return a span of time in its largest unit alone: `9 days`, `1 hour`."""
    for size_s, noun in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size_s:
            return counted(round(seconds / size_s), noun)
    return counted(int(seconds), "second")
