"""The command itself: its groups, and the one place where errors become a sentence."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Annotated

import typer

from farm.cli.doctor import doctor
from farm.cli.flower import flower
from farm.cli.render import render
from farm.cli.spec import schema, spec
from farm.cli.up import down, up
from farm.errors import FarmError

HELP = """Turn 3D models and HDR environments into labelled vision datasets.

Start with:  farm render --models MODELS --hdrs HDRS --output datasets --dry-run
"""


def make_app() -> typer.Typer:
    """Gather the commands: ours, and those that the installed packages add."""
    app = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_version_option)
    app.command("render")(render)
    app.command("spec")(spec)
    app.command("schema")(schema)
    app.command("up")(up)
    app.command("down")(down)
    app.command("doctor")(doctor)
    app.command("flower")(flower)
    for entry in sorted(entry_points(group="farm.commands")):
        app.command(entry.name)(entry.load())
    return app


def main() -> None:
    """Run the command: our own errors are one line each, bugs keep their traceback."""
    try:
        make_app()()
    except FarmError as error:
        for line in str(error).splitlines():
            typer.echo(f"error: {line}", err=True)
        raise SystemExit(2) from None
    except BrokenPipeError:  # `farm spec | head`
        sys.stderr.close()
        raise SystemExit(1) from None


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
