"""`farm tidy`: uploads that no job needs, given up."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.remote.farm_options import (
    Json,
    Yes,
    confirm,
    err_console,
    farm_client,
    print_json,
    say,
)


def tidy(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be removed.")
    ] = False,
    recent: Annotated[
        bool,
        typer.Option("--recent", help="Of yours alone, and those of the last day as well."),
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remove files that you uploaded and none of your jobs needs; with an admin's token, of all.

    Files of the last day stay without --recent: they may be for a job about to be submitted.

    Example:  farm tidy --dry-run
    """
    from farm.cli.progress import file_size
    from farm.spec.counted import counted

    with farm_client() as client:
        found = client.tidy(dry_run=True, recent=recent)
        words = f"{counted(found.files, 'file')}, {file_size(found.size_bytes)}"
        if found.files and not dry_run:
            say(err_console(), f"no job needs {words}")
            confirm("remove them?", yes=yes, default=True)
            found = client.tidy(dry_run=False, recent=recent)
    if json:
        print_json(found)
    elif not found.files:
        kept = "" if recent else "; uploads of the last day stay without --recent"
        say(err_console(), f"there is nothing to remove{kept}")
    else:
        say(err_console(), f"{'would remove' if found.dry_run else 'removed'} {words}")
