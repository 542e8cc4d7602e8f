"""Numbers of things, as sentences say them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return such as `1 view` or `1,200 views`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
