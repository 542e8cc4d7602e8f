"""`farm doctor`: what is well here, what is not, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from farm.doctor.finding import Finding

MARKS = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}
SICK = 1
MANY = 20
SHOWN = 8
"""Names that are shown of a list of more than so many."""


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
        sentence = finding.sentence if only else folded(finding)
        typer.echo(f"{MARKS[finding.verdict]}  {finding.check:<9}  {sentence}")
        if finding.remedy:
            typer.echo(f"{'':<20}> {finding.remedy}")
    raise typer.Exit(SICK if sick else 0)


def folded(finding: Finding) -> str:
    """Return what was found on a line or two: of a long list its beginning."""
    names = finding.sentence.split(", ")
    if finding.verdict != "ok" or len(names) <= MANY:
        return finding.sentence
    rest = f"and {len(names) - SHOWN} more; farm doctor --only {finding.check} names all"
    return f"{', '.join(names[:SHOWN])} {rest}"
