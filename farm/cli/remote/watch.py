"""`farm watch`: a job while it is rendered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from farm.cli.remote.farm_options import (
    PATIENT_S,
    JobName,
    Json,
    err_console,
    exit_code,
    farm_client,
    interruptible,
    say,
)

if TYPE_CHECKING:
    from rich.console import Console

    from farm.client import Client
    from farm.spec.wire import JobInfo, WorkerInfo

    Show = Callable[[JobInfo], None]

LOG_EVERY_S = 10.0
WORKERS_EVERY_S = 3.0


def watch(job: JobName, *, json: Json = False) -> None:
    """Show a job while it renders; Ctrl-C leaves the job running.

    With --json, one line per change. Exit codes are those of `farm wait`.

    Example:  farm watch last
    """
    with farm_client(patience_s=PATIENT_S) as client:
        found = client.job(job)
        with interruptible(f"the job continues; `farm watch {job}` shows it again"):
            code = watch_job(client, found.job_id, said=job, json=json)
    if code:
        raise typer.Exit(code)


def watch_job(client: Client, job_id: str, *, said: str, json: bool) -> int:
    """Show a job, which the user has named as `said`, until it is over; return the exit code."""
    console = err_console()
    with _json_lines() if json else _words(console, client) as show:
        for found in client.follow(job_id):
            show(found)
    if not json:
        from farm.cli.remote.jobs import next_commands
        from farm.cli.remote.sentences import newest_failures, standing
        from farm.client.lookup import label

        say(console, f"{label(found)} {standing(found)}")
        for sentence in newest_failures(found):
            say(console, f"failed: {sentence}", style="red")
        for line in next_commands(found, said):
            say(console, line)
    return exit_code(found)


@contextmanager
def _json_lines() -> Iterator[Show]:
    yield lambda job: typer.echo(job.model_dump_json())


@contextmanager
def _words(console: Console, client: Client) -> Iterator[Show]:
    if not console.is_terminal:
        yield _Log(console)
        return
    from rich.live import Live

    from farm.cli.remote.tables import live_view

    crew = _Crew(client)
    with Live(console=console, transient=True, refresh_per_second=4) as live:
        yield lambda job: live.update(live_view(job, crew()))


class _Log:
    """A line when the state changes, and one every so often; how it ended is for others to say."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.last = -LOG_EVERY_S
        self.state = ""

    def __call__(self, job: JobInfo) -> None:
        from farm.cli.remote.tables import job_line
        from farm.client.events import is_over

        now = time.monotonic()
        if is_over(job):
            return
        if job.state != self.state or now - self.last >= LOG_EVERY_S:
            self.last, self.state = now, job.state
            say(self.console, job_line(job))


class _Crew:
    """The workers, asked for every so often."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.last = -WORKERS_EVERY_S
        self.workers: tuple[WorkerInfo, ...] = ()

    def __call__(self) -> tuple[WorkerInfo, ...]:
        now = time.monotonic()
        if now - self.last >= WORKERS_EVERY_S:
            self.last = now
            self.workers = self.client.workers()
        return self.workers
