"""`farm add-passes`: labels and pictures of another kind for a dataset that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.errors import SpecError

WHERE = "Where"
ON_A_FARM = "On a farm"
AUTO = "auto"


def add_passes(  # noqa: PLR0913 - one parameter per flag
    place: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="A dataset, or a folder of several, also s3://bucket/prefix; or farm:JOB, a job "
            "of the farm, which the farm renders.",
        ),
    ],
    passes: Annotated[
        str, typer.Argument(metavar="PASSES", help="Passes, such as depth,normal,index.")
    ],
    *,
    assets: Annotated[
        Path | None,
        typer.Option(help="Folder with models and HDRIs that are not where they were; by content."),
    ] = None,
    any_blender: Annotated[
        bool,
        typer.Option(
            "--any-blender",
            help="Also where another version of Blender rendered the views: the pixels decide.",
        ),
    ] = False,
    workers: Annotated[
        str, typer.Option(help="How many, or auto: one per device.", rich_help_panel=WHERE)
    ] = AUTO,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda:N or optix:N.", rich_help_panel=WHERE)
    ] = AUTO,
    priority: Annotated[
        int,
        typer.Option(min=-100, max=100, help="Higher goes first.", rich_help_panel=ON_A_FARM),
    ] = 0,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait/--no-wait", help="Show the job until it is over.", rich_help_panel=ON_A_FARM
        ),
    ] = True,
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print JSON for programs on stdout.", rich_help_panel=ON_A_FARM
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be added, and stop.")
    ] = False,
) -> None:
    """Add passes to the views of a dataset, without rendering their pictures again.

    Each view is set up from its record, whatever release rendered it. What it has already of
    index, depth, mask or picture is rendered beside, and must be equal pixel for pixel: only then
    is anything added. The same command again resumes, or finds nothing to do.

    Labels take one sample where the views have an index or depth; else the mask is compared, which
    takes all of its samples. Passes of light need the picture, as do frames of sequences and
    scenes on tables that have no depth.

    Of farm:JOB, the workers of the farm add them to its datasets, by a job of its own, which goes
    on when this command is stopped.

    Exit codes: 0 all views have the passes, 1 some were refused or failed, 2 the request is wrong,
    3 the farm's job was cancelled, 130 stopped.

    Example:  farm add-passes datasets/vase_studio depth,normal,index
    """
    if place.startswith("farm:"):
        refuse_local(assets=assets is not None, workers=workers != AUTO, device=device != AUTO)
        from farm.cli.remote.add_passes import add_on_farm

        names = [name.strip() for name in passes.split(",") if name.strip()]
        add_on_farm(
            place,
            names,
            any_blender=any_blender,
            priority=priority,
            dry_run=dry_run,
            wait=wait,
            json=json,
        )
        return
    refuse_remote(priority=priority != 0, no_wait=not wait, json=json)
    from farm.cli.add_passes_run import add_to_place

    code = add_to_place(
        place,
        passes,
        assets=assets,
        any_blender=any_blender,
        workers=workers,
        device=device,
        dry_run=dry_run,
    )
    if code:
        raise typer.Exit(code)


def refuse_local(**given: bool) -> None:
    """Refuse flags that are about this machine, where a farm renders.

    Raises:
        SpecError: One is given.
    """
    if told := flags(given):
        raise SpecError(
            f"{told}: is for a dataset on this machine, and a farm's workers and library are its "
            "own: leave it out"
        )


def refuse_remote(**given: bool) -> None:
    """Refuse flags that are about a farm, where this machine renders.

    Raises:
        SpecError: One is given.
    """
    if told := flags(given):
        raise SpecError(f"{told}: is for a job of a farm: name one as farm:JOB, or leave it out")


def flags(given: dict[str, bool]) -> str:
    """Return which flags are given, as they are written."""
    return ", ".join(f"--{name.replace('_', '-')}" for name, is_given in given.items() if is_given)


add_passes.__name__ = "add-passes"
