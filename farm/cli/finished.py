"""`farm render` of what is rendered already, told without the plan being made again."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path

from platformdirs import user_cache_path

from farm.local.receipt import Draft, draft_of, find
from farm.spec.amounts import duration
from farm.spec.counted import counted

NOTE = "note: "
LISTED = 10
"""Datasets that are named in the end."""
OTHERWISE = frozenset({"--dry-run", "--page", "--help", "-h"})
"""Flags with which `farm render` does something else."""

draft: ContextVar[Draft | None] = ContextVar("draft", default=None)
"""What the command that runs notes, for its receipt."""


def renders(arguments: Sequence[str]) -> bool:
    """Say whether a command is to render here, and do nothing else."""
    return len(arguments) > 1 and arguments[0] == "render" and OTHERWISE.isdisjoint(arguments)


def is_finished(arguments: Sequence[str]) -> bool:
    """Say that a command has nothing to do, if that is known: `farm render` of a whole dataset."""
    draft.set(None)
    if not renders(arguments):
        return False
    began = time.monotonic()
    folder = user_cache_path("viewfarm", appauthor=False) / "rendered"
    reading = draft_of(arguments, folder)
    draft.set(reading)
    assert reading.file is not None
    receipt = find(reading.file)
    if receipt is None:
        return False
    closing = closing_lines(
        views=receipt.views,
        views_there=receipt.views,
        rendered=0,
        seconds=time.monotonic() - began,
        folders=[(folder, Path(sheet) if sheet else None) for folder, sheet in receipt.folders],
    )
    for line in (*receipt.said, *closing):
        sys.stderr.write(f"{line}\n")
    return True


def closing_lines(  # noqa: PLR0913 - what a run came to
    *,
    views: int,
    views_there: int,
    rendered: int,
    seconds: float,
    folders: Sequence[tuple[str, Path | None]],
    interrupted: bool = False,
) -> Iterator[str]:
    """Yield what a run came to, and where to look.

    Args:
        views: Of the job.
        views_there: Of these, those that are rendered.
        rendered: Of these, those of this run.
        seconds: What it took.
        folders: Of the datasets, each with its contact sheet.
        interrupted: Somebody stopped it.
    """
    rate = f", {rendered / seconds:.2f} views/s" if rendered else ""
    word = "stopped: " if interrupted else ""
    complete = f"{word}{views_there:,} of {counted(views, 'view')} complete"
    yield f"{complete}: {rendered:,} rendered in {duration(seconds)}{rate}"
    for folder, sheet in folders[:LISTED]:
        yield f"dataset {folder}"
        if sheet:
            yield f"  look at {sheet}"
    if len(folders) > LISTED:
        yield f"... and {counted(len(folders) - LISTED, 'more dataset')} next to them"
