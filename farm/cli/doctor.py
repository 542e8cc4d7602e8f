"""`farm doctor`: what is well here, what is not, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import typer

MARKS = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}
SICK = 1


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    only: Annotated[
        str | None,
        typer.Option(
            help="Checks to make, separated by commas; api, dispatcher, flower and worker "
            "are made only if named."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only what is not ok.")] = False,
) -> None:
    """Check versions, devices, Blender, storage, Redis and login; exit with 1 on a problem."""
    from farm.doctor import examine

    sick = False
    for finding in examine(tuple(only.split(",")) if only else ()):
        sick = sick or finding.verdict == "problem"
        if quiet and finding.verdict == "ok":
            continue
        if as_json:
            typer.echo(finding.model_dump_json())
            continue
        typer.echo(f"{MARKS[finding.verdict]}  {finding.check:<9}  {finding.sentence}")
        if finding.remedy:
            typer.echo(f"{'':<20}> {finding.remedy}")
    raise typer.Exit(SICK if sick else 0)
