"""The command's groups, gathered from all files of commands."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Annotated

import typer

from farm.cli.add_passes import add_passes
from farm.cli.dataset.commands import dataset
from farm.cli.doctor import doctor
from farm.cli.flower import flower
from farm.cli.recover import recover
from farm.cli.remote.download import download
from farm.cli.remote.jobs import (
    cancel,
    delete,
    jobs,
    leave_out,
    logs,
    pause,
    priority,
    resume,
    retry,
    status,
    wait,
)
from farm.cli.remote.login import login, logout
from farm.cli.remote.open import open_
from farm.cli.remote.submit import submit
from farm.cli.remote.tidy import tidy
from farm.cli.remote.watch import watch
from farm.cli.remote.workers import workers
from farm.cli.render import render
from farm.cli.request.spec import schema, spec
from farm.cli.server import api, dispatcher
from farm.cli.token.commands import token
from farm.cli.up import down, up
from farm.cli.words.commands import words

HELP = """Turn 3D models and HDR environments into labelled vision datasets.

Start with:  farm render --models MODELS --hdrs HDRS --output datasets --dry-run

Or, on a farm:  farm login URL, then farm submit --models MODELS --hdrs HDRS
"""
HERE, USE, RUN = "Render here", "Use a farm", "Run a farm"
NEGATIVE = {"ignore_unknown_options": True}
"""Settings of a command that takes numbers below 0: `-5` is not an option of it."""
COMMANDS = {
    HERE: (render, add_passes, spec, schema),
    USE: (
        login, submit, jobs, status, open_, watch, wait, logs, download, pause, resume, cancel,
        retry, leave_out, priority, delete, tidy, logout,
    ),
    RUN: (up, down, doctor, api, dispatcher, flower, recover),
}  # fmt: skip
PANELS = {"assets": HERE, "samples": HERE, "scenes": HERE, "worker": RUN}
"""Panel of the help that lists the commands of installed packages."""


def make_app() -> typer.Typer:
    """Gather the commands: ours, and those that installed packages add."""
    app = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_version_option)
    for panel, commands in COMMANDS.items():
        for command in commands:
            cls = getattr(command, "command_class", None)
            app.command(
                command.__name__,
                cls=cls,
                rich_help_panel=panel,
                context_settings=NEGATIVE if command is priority else None,
            )(command)
    app.add_typer(dataset, name="dataset", rich_help_panel=HERE)
    app.add_typer(words, name="words", rich_help_panel=HERE)
    app.add_typer(workers, name="workers", rich_help_panel=USE)
    app.add_typer(token, name="token", rich_help_panel=RUN)
    for entry in sorted(entry_points(group="farm.commands")):
        loaded, place = entry.load(), PANELS.get(entry.name)
        if isinstance(loaded, typer.Typer):
            app.add_typer(loaded, name=entry.name, rich_help_panel=place)
        else:
            app.command(entry.name, rich_help_panel=place)(loaded)
    return app


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's way to call back
    if wanted:
        from importlib.metadata import version

        typer.echo(f"farm {version('viewfarm')}")
        raise typer.Exit


def _version_option(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass
