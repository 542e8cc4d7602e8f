"""`farm workers`: who lives, who was lost; drain one, and let it take tasks again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from farm.cli.remote.farm_options import (
    Json,
    err_console,
    farm_client,
    out_console,
    print_json,
    say,
)

if TYPE_CHECKING:
    from farm.client import Client
    from farm.spec.wire import DrainInfo, LostWorker, WorkerInfo

LOST_SHOWN = 5

workers = typer.Typer(help="List the live workers; drain one, or let it take tasks again.")

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Its name, name@host, or host, if that means one.")
]


@workers.callback(invoke_without_command=True)
def list_(context: typer.Context, *, json: Json = False) -> None:
    """List the live workers: device, task, speed, and what their GPUs' driver measures.

    Example:  farm workers
    """
    if context.invoked_subcommand is not None:
        return
    with farm_client() as client:
        found = client.workers()
        lost = () if json else lost_ones(client)
    if json:
        print_json(found)
        return
    show(found, lost)


@workers.command("drain")
def drain(name: Name, *, json: Json = False) -> None:
    """Let a worker finish its task and take no more, so that its machine can be stopped.

    Example:  farm workers drain gpu0@rack-3
    """
    _turn(lambda client: client.drain_worker(name), json=json)


@workers.command("undrain")
def undrain(name: Name, *, json: Json = False) -> None:
    """Let a drained worker take tasks again.

    Example:  farm workers undrain gpu0@rack-3
    """
    _turn(lambda client: client.undrain_worker(name), json=json)


def show(found: tuple[WorkerInfo, ...], lost: tuple[LostWorker, ...]) -> None:
    """Print workers, then why some get no tasks, then which were lost."""
    from farm.cli.remote.tables import workers_table

    if found:
        out_console().print(workers_table(found))
    else:
        say(err_console(), "no worker is alive; `farm worker` on a GPU machine starts one")
    for worker in found:
        if worker.drained:
            say(err_console(), f"{worker.name} is {worker.drained}")
        if worker.quarantine:
            say(err_console(), f"{worker.name} is in quarantine: {worker.quarantine}")
    for line in lost_lines(lost):
        say(err_console(), line)


def lost_lines(lost: tuple[LostWorker, ...]) -> list[str]:
    """Say which workers were lost within the last day and are not back."""
    from farm.cli.remote.tables import rough_age

    gone = [worker for worker in lost if not worker.is_back]
    lines = []
    for worker in gone[:LOST_SHOWN]:
        held = f"; it held {worker.task}" if worker.task else ""
        lines.append(f"{worker.node} was lost {rough_age(worker.lost_s)} ago{held}")
    if len(gone) > LOST_SHOWN:
        lines.append(f"... and {len(gone) - LOST_SHOWN} more within the last day")
    return lines


def lost_ones(client: Client) -> tuple[LostWorker, ...]:
    """Return the workers that were lost; none on a farm of an earlier release."""
    from farm.errors import NotFoundError

    try:
        return client.lost_workers()
    except NotFoundError:
        return ()


def _turn(act: Callable[[Client], DrainInfo], *, json: bool) -> None:
    with farm_client() as client:
        found = act(client)
    if json:
        print_json(found)
        return
    say(err_console(), found.sentence)
