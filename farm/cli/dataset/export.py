"""`farm dataset export`: a dataset in another tool's format."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm.cli.remote.farm_options import (
    SOME_FAILED,
    Every,
    Json,
    err_console,
    interruptible,
    print_json,
    say,
)
from farm.dataset.export.registry import (
    FORMATS,
    LANGUAGE_FORMATS,
    PICTURE_FORMATS,
    SCENE_FORMATS,
    SEQUENCE_FORMATS,
)

if TYPE_CHECKING:
    from rich.console import Console

    from farm.dataset.export.base import ExportOptions
    from farm.dataset.export.run import ExportSummary

MOST_TOLD = 20
"""Damaged files that are listed for a person."""
MOST_THREADS = 32
"""Default number of views at a time; each holds two views."""


def format_lines(names: list[str]) -> str:
    """Return a line for each format."""
    return "\n".join(f"{name:12} {FORMATS[name].summary}" for name in names)


HELP = f"""Write a dataset, or all those in a folder, in another tool's format.

\b
{format_lines(PICTURE_FORMATS)}

Of sentences about pictures, as the recipe tabletop writes them:

\b
{format_lines(LANGUAGE_FORMATS)}

For 3D learning: views, frames of sequences too, of things that stand still under one light:

\b
{format_lines(SCENE_FORMATS)}

Of sequences alone, frames in time, as the recipe sequence renders them:

\b
{format_lines(SEQUENCE_FORMATS)}

Run the same command again to resume; it writes only what has changed since.
ATTRIBUTION.md comes with every export. Splits go where the format keeps them.
Exit code 1: views were left out because of files that differ from the records.

Example:  farm dataset export datasets --to coco --out coco --segmentation polygon
"""


def export(  # noqa: PLR0913  an option each
    place: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A dataset, or a folder of several; also s3://bucket/prefix.",
        ),
    ],
    *,
    to: Annotated[str, typer.Option(metavar="FORMAT", help=f"One of: {', '.join(FORMATS)}.")],
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    image_format: Annotated[
        str | None,
        typer.Option(help="Pictures as 8-bit png or jpg, or original: unchanged. (default: png)"),
    ] = None,
    segmentation: Annotated[
        str | None, typer.Option(help="For coco: rle or polygon; both are exact. (default: rle)")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(help="What an object's class is: category or model. (default: category)"),
    ] = None,
    passes: Annotated[
        str | None,
        typer.Option(
            help="Passes to export, such as rgb,mask,depth. (default: the format's usual ones)"
        ),
    ] = None,
    shard_views: Annotated[
        int | None,
        typer.Option(
            min=1, help="Views per shard or scene, or processed at a time. (default: 1000, or 64)"
        ),
    ] = None,
    shard_mb: Annotated[
        int | None, typer.Option(min=1, help="Approximate megabytes per shard. (default: 256)")
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100_000,
            help="For tapvid: tracks per sequence. For colmap and nerfstudio: points per scene. "
            "(default: 256; points: 100000)",
        ),
    ] = None,
    refer_name: Annotated[
        str | None,
        typer.Option(
            help="For refcoco: what readers call it: refcoco, refcoco+ or refcocog. "
            "(default: refcoco)"
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            help="Of sentences: the whole sentence, or only the phrase for what it means, such as "
            "'the red mug'. (default: sentence; pixmo: phrase)"
        ),
    ] = None,
    foreground: Annotated[
        bool | None,
        typer.Option(
            "--foreground/--whole",
            help="For 3D learning: the object alone with alpha in place of the whole picture; its "
            "light may then differ from view to view. (default: the format's usual one)",
        ),
    ] = None,
    link: Annotated[
        bool | None,
        typer.Option("--link/--copy", help="Hard-link files that stay unchanged. (default: copy)"),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace any other export in OUT with this one.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Views to process at a time. (default: one per core)"),
    ] = None,
    every: Every = False,
    json: Json = False,
) -> None:
    """Write a dataset in another tool's format; people read HELP instead."""
    from farm.cli.dataset.progress import report_bar
    from farm.dataset.export.checkpoints import check_folder
    from farm.dataset.export.run import export as write

    options = read_options(
        format=to, image_format=image_format, segmentation=segmentation, classes=classes,
        passes=passes, shard_views=shard_views, shard_mb=shard_mb, points=points, link=link,
        refer_name=refer_name, text=text, foreground=foreground,
    )  # fmt: skip
    check_folder(out)
    console = err_console()
    with (
        interruptible("stopped; run the same command again to resume"),
        held(out),
        report_bar(console, f"exporting {place}") as report,
    ):
        threads = jobs or min(os.cpu_count() or 1, MOST_THREADS)
        summary = write(
            place, out, options, threads=threads, report=report, replace=replace, every=every
        )
    if json:
        print_json({**summary._asdict(), "folder": str(out)})
    else:
        print_summary(console, summary, to)
    if summary.damaged:
        print_damaged(console, summary.damaged, place)
        raise typer.Exit(SOME_FAILED)


def read_options(**values: Any) -> ExportOptions:
    """Return what was chosen.

    Raises:
        SpecError: A value is not one of the known ones.
    """
    from typing import get_args

    from farm.dataset.export.base import (
        ExportOptions,
        ImageFormat,
        ReferName,
        Segmentation,
        SentenceText,
    )
    from farm.dataset.export.survey import ClassWord
    from farm.errors import SpecError
    from farm.spec.hint import none_of
    from farm.spec.passes import PASS_NAMES

    values = {name: value for name, value in values.items() if value is not None}
    if "passes" in values:
        words = values["passes"].replace(" ", "").split(",")
        values["passes"] = tuple(name for name in words if name)
    choices: dict[str, tuple[str, ...]] = {
        "format": tuple(FORMATS),
        "image_format": get_args(ImageFormat),
        "segmentation": get_args(Segmentation),
        "classes": get_args(ClassWord),
        "refer_name": get_args(ReferName),
        "text": get_args(SentenceText),
        "passes": PASS_NAMES,
    }
    for name, known in choices.items():
        flag = "--to" if name == "format" else f"--{name.replace('_', '-')}"
        said = values.get(name, ())
        for word in (said,) if isinstance(said, str) else said:
            if word not in known:
                raise SpecError(f"{flag}: {none_of(word, known)}")
    return ExportOptions(**values)


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold a folder as its only export; leave no trace if nothing is exported."""
    from farm.dataset.export.output_folder import STATE_FOLDER
    from farm.local.folder_lock import hold_folder

    state = out / STATE_FOLDER
    try:
        if sys.platform == "win32":  # knows no such locks
            yield
        else:
            with hold_folder(state, flag="--out"):
                yield
    finally:
        for folder in (state, out):
            with contextlib.suppress(OSError):  # something is in it
                folder.rmdir()


def print_summary(console: Console, summary: ExportSummary, kind: str) -> None:
    """Say what the export now holds."""
    from farm.spec.counted import counted

    there = f", {summary.there} of them already there" if summary.there else ""
    say(console, f"{counted(summary.views, 'view')} as {kind} in {summary.folder}{there}")
    views = ", ".join(f"{name}: {views}" for name, views in summary.splits.items())
    how = f"splits ({summary.split_kind})" if summary.split_kind else "no splits; all in"
    say(console, f"{how} {views}")
    if summary.fewer:
        say(
            console,
            f"note: {counted(summary.fewer, 'view')} fewer than before: the others were removed",
        )
    for sentence in summary.notes:
        say(console, f"note: {sentence}")
    for file in summary.unused_splits:
        say(
            console,
            f"note: {file} was not used: only the exported folder's own splits are",
        )
    if summary.left_out:
        say(
            console,
            f"note: {counted(summary.left_out, 'view')} left out, not in any split; "
            "farm dataset split gives every view a split",
        )


def print_damaged(console: Console, damaged: tuple[str, ...], place: str) -> None:
    """List the views that are left out, and say what to do."""
    from farm.spec.counted import counted

    for sentence in damaged[:MOST_TOLD]:
        say(console, f"damaged: {sentence}", style="red")
    if len(damaged) > MOST_TOLD:
        say(console, f"and {len(damaged) - MOST_TOLD:,} more; --json lists all", style="red")
    say(
        console,
        f"{counted(len(damaged), 'view')} left out because of files that differ from the records: "
        f"farm dataset verify {place} says what to delete and render again; then the same export "
        "adds them",
        style="red",
    )
