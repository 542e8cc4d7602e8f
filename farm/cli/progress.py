"""Progress for people (a bar) and for logs (an occasional line)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from farm.client.text import printable
from farm.local.job.status import Status
from farm.spec.amounts import duration as duration
from farm.spec.amounts import file_size as file_size

LOG_EVERY_S = 10.0


@contextmanager
def show_progress(
    console: Console, *, views: int, views_done: int = 0
) -> Iterator[Callable[[Status], None]]:
    """Yield a function that shows the status of the run whenever it is called."""
    if not console.is_terminal:
        yield _Log(console)
        return
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("views  {task.fields[facts]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=views, completed=views_done, facts="starting")
        yield lambda status: progress.update(bar, completed=status.views_there, facts=facts(status))


class _Log:
    """One line every ten seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.last = time.monotonic()

    def __call__(self, status: Status) -> None:
        if time.monotonic() - self.last >= LOG_EVERY_S:
            self.last = time.monotonic()
            self.console.print(f"{status.views_there}/{status.views} views  {facts(status)}")


@contextmanager
def show_looking(console: Console) -> Iterator[Callable[[int, int, str], None]]:
    """Yield a function that shows which scene is looked into; nothing shows before it is called."""
    last = time.monotonic()

    def log(done: int, total: int, name: str) -> None:
        nonlocal last
        if time.monotonic() - last >= LOG_EVERY_S:
            last = time.monotonic()
            console.print(looking(done, total, name), markup=False)

    if not console.is_terminal:
        yield log
        return
    status = console.status("")

    def show(done: int, total: int, name: str) -> None:
        status.update(escape(looking(done, total, name)))
        status.start()

    try:
        yield show
    finally:
        status.stop()


def looking(done: int, total: int, name: str) -> str:
    """Say which scene is looked into."""
    return f"looking into scenes: {done + 1}/{total} {printable(name, limit=40)}"


def facts(status: Status) -> str:
    """Say how the run is going, in a few words."""
    if status.waits_for:
        return f"waiting: {status.waits_for}"
    parts = [f"{status.tasks_done}/{status.tasks} tasks"]
    if status.tasks_failed:
        parts.append(f"{status.tasks_failed} failed")
    if status.views_per_s is None:
        parts.append("loading")
    else:
        parts.append(f"{status.views_per_s:.2f} views/s")
    if status.eta_s is not None:
        parts.append(f"ETA {duration(status.eta_s)}")
    return "  ".join(parts)
