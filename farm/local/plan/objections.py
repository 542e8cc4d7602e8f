"""Objections to a plan: files that do not fit, or more time than anybody means to wait."""

from __future__ import annotations

from pathlib import Path

from farm.spec.amounts import duration, file_size
from farm.storage import free_bytes

WEEK_S = 7 * 86_400.0


def too_large(size_bytes: int, folder: Path) -> str | None:
    """Say that files do not fit where `folder` is, or will be; None where they do."""
    free = free_bytes(folder)
    if free is None or size_bytes <= free:
        return None
    return f"about {file_size(size_bytes)} does not fit into the {file_size(free)} free at {folder}"


def too_long(seconds: float | None) -> str | None:
    """Say that something takes longer than a week; None where it does not, or nobody knows."""
    if seconds is None or seconds <= WEEK_S:
        return None
    return f"roughly {duration(seconds)} is longer than a week"
