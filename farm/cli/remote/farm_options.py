"""What all commands that talk to a farm share: options, the client, words and JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from farm.client import Client
    from farm.spec.wire import JobInfo

INTERRUPTED = 130
SOME_FAILED = 1
NOT_RENDERED = 3
QUICK_S = 4.0
"""Longest wait of a command that only asks, for a farm that does not answer."""
PATIENT_S = 120.0
"""Longest wait of one that transfers or watches."""
LOGIN_PATIENT_S = 3600.0
"""Longest wait of such a one for another `farm login`, where its token expires meanwhile."""

JobName = Annotated[
    str,
    typer.Argument(metavar="JOB", help="Its name, its id or the beginning of one, or `last`."),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs, and nothing else, on stdout.")
]
Every = Annotated[
    bool, typer.Option("--all", help="Also take datasets that lie inside another one.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Trace = Annotated[
    bool,
    typer.Option(
        "--trace",
        help="Take down where the time goes, for `farm dataset trace`.",
        rich_help_panel="Where to render",
    ),
]


def err_console() -> Console:
    """Return the console for notes and progress: stdout is for what the user asked for."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def out_console() -> Console:
    """Return the console for tables and facts; into a pipe, lines are not folded."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 240)


@contextmanager
def farm_client(*, patience_s: float | None = None) -> Iterator[Client]:
    """Yield a client that prints its notes on stderr."""
    from rich.text import Text

    from farm.client import Client
    from farm.client.text import printable

    console = err_console()

    def note(sentence: str) -> None:
        console.print(Text(f"note: {printable(sentence)}"), soft_wrap=True)

    quick = patience_s is None
    with Client(
        patience_s=QUICK_S if patience_s is None else patience_s,
        note=note,
        login_patience_s=0.0 if quick else LOGIN_PATIENT_S,
    ) as client:
        yield client


def print_json(value: BaseModel | Iterable[BaseModel] | dict[str, Any]) -> None:
    """Print a model, a list of them, or plain data."""
    import json

    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        data: Any = value.model_dump(mode="json")
    elif isinstance(value, dict):
        data = value
    else:
        data = [item.model_dump(mode="json") for item in value]
    typer.echo(json.dumps(data, indent=2))


def say(console: Console, text: str, *, style: str = "") -> None:
    """Print one line that may hold a stranger's words."""
    from rich.text import Text

    from farm.client.text import printable

    console.print(Text(printable(text), style=style), soft_wrap=True)


def confirm(question: str, *, yes: bool, default: bool) -> None:
    """Return if the user agrees to continue.

    Raises:
        SetupError: There is nobody to ask.
    """
    from farm.errors import SetupError

    if yes:
        return
    if not sys.stdin.isatty():
        raise SetupError("there is no terminal to ask on; pass --yes to continue without asking")
    if not typer.confirm(question, default=default, err=True):
        say(err_console(), "nothing was done")
        raise typer.Exit(1)


@dataclass
class Interrupt:
    """What a command says where the user presses Ctrl-C."""

    sentence: str


@contextmanager
def interruptible(sentence: str) -> Iterator[Interrupt]:
    """End with 130 and `sentence`, or another one as things are by then, at Ctrl-C."""
    interrupt = Interrupt(sentence)
    try:
        yield interrupt
    except KeyboardInterrupt:
        say(err_console(), interrupt.sentence)
        raise typer.Exit(INTERRUPTED) from None


def exit_code(job: JobInfo) -> int:
    """Return 0 if all of a job is done, 1 if some tasks failed, 3 if it failed or was cancelled."""
    if job.state != "completed":
        return NOT_RENDERED
    return SOME_FAILED if failed_tasks(job) else 0


def failed_tasks(job: JobInfo) -> int:
    """Return how many tasks will not be retried automatically."""
    return job.counts.get("failed", 0) + job.counts.get("set aside", 0)
