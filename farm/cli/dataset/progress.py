"""Progress of a command that goes through views: a bar for people, an occasional line for logs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from farm.cli.progress import LOG_EVERY_S, duration
from farm.cli.remote.farm_options import say


@contextmanager
def views_bar(
    console: Console, word: str, *, total: int, unit: str = "views"
) -> Iterator[Callable[[int], None]]:
    """Yield a function that counts finished views and shows how long the rest will take."""
    with growing_bar(console, word, total=total, unit=unit) as (add, _more):
        yield add


@contextmanager
def growing_bar(
    console: Console, word: str, *, total: int, unit: str = "views"
) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Yield a function that counts finished views, and one that takes how many more there are."""
    done = 0
    with report_bar(console, word, unit=unit) as report:

        def add(views: int) -> None:
            nonlocal done
            done += views
            report(done, total)

        def more(views: int) -> None:
            nonlocal total
            total += views
            report(done, total)

        add(0)
        yield add, more


@contextmanager
def report_bar(
    console: Console, word: str, *, unit: str = "views"
) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that takes the numbers of finished and of all views, and shows the same."""
    if not console.is_terminal:
        yield Lines(console, word).tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TextColumn(unit), TimeRemainingColumn(), console=console, transient=True
    ) as progress:
        bar = progress.add_task(word, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


class Lines:
    """One line every ten seconds."""

    def __init__(self, console: Console, word: str) -> None:
        self._console = console
        self._word = word
        self._start = self._last = time.monotonic()

    def tell(self, done: int, total: int) -> None:
        """Print how many views are done, unless a line was printed a moment ago."""
        now = time.monotonic()
        if not done or now - self._last < LOG_EVERY_S:
            return
        self._last = now
        left_s = (now - self._start) / done * max(total - done, 0)
        say(self._console, f"{self._word}: {done}/{total}  ETA {duration(left_s)}")
