"""`farm add-passes`: labels and pictures of another kind for a dataset that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WHERE = "Where"


def add_passes(  # noqa: PLR0913 - one parameter per flag
    place: Annotated[
        str, typer.Argument(metavar="DATASET", help="A dataset, or a folder of several.")
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
    ] = "auto",
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda:N or optix:N.", rich_help_panel=WHERE)
    ] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be added, and stop.")
    ] = False,
) -> None:
    """Add passes to the views of a dataset, without rendering their pictures again.

    Each view is set up from its record, whatever release rendered it. What it has already of
    index, depth, mask or picture is rendered beside, and must be equal pixel for pixel: only then
    is anything added. The same command again resumes, or finds nothing to do.

    Labels take one sample where the views have an index or depth; else the mask is compared, which
    takes all of its samples. Passes of light need the picture.

    Exit codes: 0 all views have the passes, 1 some were refused or failed, 2 the request is wrong,
    130 stopped.

    Example:  farm add-passes datasets/vase_studio depth,normal,index
    """
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


add_passes.__name__ = "add-passes"
