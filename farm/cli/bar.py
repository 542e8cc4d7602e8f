"""How far a command is that goes through views: a bar for people, a line now and then for logs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from farm.cli.progress import LOG_EVERY_S, duration
from farm.cli.remote import say


@contextmanager
def views_bar(console: Console, word: str, *, total: int) -> Iterator[Callable[[int], None]]:
    """Yield what counts views that are done, and shows how long the rest will take."""
    if not console.is_terminal:
        yield Lines(console, word, total).add
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TextColumn("views"), TimeRemainingColumn(), console=console, transient=True
    ) as progress:
        bar = progress.add_task(word, total=total)
        yield lambda views: progress.advance(bar, views)


class Lines:
    """A line when ten seconds have passed."""

    def __init__(self, console: Console, word: str, total: int) -> None:
        self.done = 0
        self._console = console
        self._word = word
        self._total = total
        self._start = self._last = time.monotonic()

    def add(self, views: int) -> None:
        """Count views that are done."""
        self.done += views
        now = time.monotonic()
        if now - self._last < LOG_EVERY_S:
            return
        self._last = now
        left_s = (now - self._start) / self.done * max(self._total - self.done, 0)
        say(self._console, f"{self._word}: {self.done}/{self._total}  ETA {duration(left_s)}")
