"""The command itself, and the one place where errors become a sentence.

What has nothing to do ends here, before all other commands are imported.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from farm.errors import FarmError

if TYPE_CHECKING:
    from typer import Typer

INTERRUPTED = 130


def make_app() -> Typer:
    """Gather the commands: ours, and those that installed packages add."""
    from farm.cli import app

    return app.make_app()


def run(arguments: list[str]) -> None:
    """Do what the arguments say; what takes time to start begins before they are read."""
    from contextlib import nullcontext

    from farm.cli.finished import is_finished, renders
    from farm.local.early import started_ahead

    if is_finished(arguments):
        return
    with started_ahead() if renders(arguments) else nullcontext():
        make_app()()


def main() -> None:
    """Run the command: our own errors are one line each, bugs keep their traceback."""
    try:
        run(sys.argv[1:])
    except FarmError as error:
        import typer

        for line in str(error).splitlines():
            typer.echo(f"error: {line}", err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:  # while modules are imported: later on commands have words for it
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:  # `farm spec | head`
        sys.stderr.close()
        raise SystemExit(1) from None
    except Exception as error:  # the door: pydantic is not imported here only to name its errors
        if not hides_interrupt(error):
            raise
        raise SystemExit(INTERRUPTED) from None


def hides_interrupt(error: Exception) -> bool:
    """Say whether an error is what pydantic makes of Ctrl-C while it builds or writes a model."""
    return type(error).__module__.startswith("pydantic") and "KeyboardInterrupt" in str(error)
