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
from farm.dataset.export.registry import FORMATS

if TYPE_CHECKING:
    from rich.console import Console

    from farm.dataset.export.base import ExportOptions
    from farm.dataset.export.run import ExportSummary

MOST_TOLD = 20
"""Damaged files that are listed for a person."""
MOST_THREADS = 32
"""Unless the user says: each holds two views."""
FORMAT_LINES = "\n".join(f"{name:12} {known.summary}" for name, known in FORMATS.items())
HELP = f"""Write a dataset, or all those in a folder, in another tool's format.

\b
{FORMAT_LINES}

The same command again resumes where it was stopped, and writes only what has changed since.
ATTRIBUTION.md goes with every export. Splits go to the format's own places.
Exit code 1: views were left out, since their files are not what was recorded.

Example:  farm dataset export datasets --to coco --out coco --segmentation polygon
"""


def export(  # noqa: PLR0913  an option each
    place: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A dataset, or a folder that holds several; s3://bucket/prefix, too.",
        ),
    ],
    *,
    to: Annotated[str, typer.Option(metavar="FORMAT", help=f"One of: {', '.join(FORMATS)}.")],
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    image_format: Annotated[
        str | None,
        typer.Option(
            help="Pictures as png or jpg with 8 bits, or original: as they are. (default: png)"
        ),
    ] = None,
    segmentation: Annotated[
        str | None, typer.Option(help="Of coco: rle or polygon; both are exact. (default: rle)")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(help="What an object's class is: category or model. (default: category)"),
    ] = None,
    passes: Annotated[
        str | None,
        typer.Option(help="What goes along, such as rgb,mask,depth. (default: the usual)"),
    ] = None,
    shard_views: Annotated[
        int | None,
        typer.Option(
            min=1, help="Views per shard or scene, or done at a time. (default: 1000, or 64)"
        ),
    ] = None,
    shard_mb: Annotated[
        int | None, typer.Option(min=1, help="Megabytes per shard, about. (default: 256)")
    ] = None,
    link: Annotated[
        bool | None,
        typer.Option(
            "--link/--copy", help="Hard links where files stay as they are. (default: copy)"
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Make OUT this export, whatever export it holds.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=64, help="Views at a time. (default: one per core)")
    ] = None,
    every: Every = False,
    json: Json = False,
) -> None:
    """Write a dataset in another tool's format; HELP is what people read."""
    from farm.cli.dataset.progress import report_bar
    from farm.dataset.export.checkpoints import check_folder
    from farm.dataset.export.run import export as write

    options = read_options(
        format=to, image_format=image_format, segmentation=segmentation, classes=classes,
        passes=passes, shard_views=shard_views, shard_mb=shard_mb, link=link,
    )  # fmt: skip
    check_folder(out)
    console = err_console()
    with (
        interruptible("stopped; the same command goes on from here"),
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
        SpecError: A word has no meaning.
    """
    from typing import get_args

    from farm.dataset.export.base import ExportOptions, ImageFormat, Segmentation
    from farm.dataset.export.survey import ClassWord
    from farm.errors import SpecError
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
        "passes": PASS_NAMES,
    }
    for name, known in choices.items():
        flag = "--to" if name == "format" else f"--{name.replace('_', '-')}"
        said = values.get(name, ())
        for word in (said,) if isinstance(said, str) else said:
            if word not in known:
                raise SpecError(f"{flag}: {word!r} is not one of {', '.join(known)}")
    return ExportOptions(**values)


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Be the only export into a folder; leave no trace where nothing comes of it."""
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
    """Say what is there now."""
    from farm.spec.counted import counted

    there = f", {summary.there} of them were there" if summary.there else ""
    say(console, f"{counted(summary.views, 'view')} as {kind} in {summary.folder}{there}")
    views = ", ".join(f"{name}: {views}" for name, views in summary.splits.items())
    how = f"splits ({summary.split_kind})" if summary.split_kind else "no splits, all is"
    say(console, f"{how} {views}")
    if summary.fewer:
        say(
            console, f"note: {counted(summary.fewer, 'view')} fewer than before: these were removed"
        )
    for sentence in summary.notes:
        say(console, f"note: {sentence}")
    for file in summary.unused_splits:
        say(
            console,
            f"note: {file} was not used: only splits of the very place that is exported are",
        )
    if summary.left_out:
        say(
            console,
            f"note: {counted(summary.left_out, 'view')} in no split: left out; "
            "farm dataset split puts all into one",
        )


def print_damaged(console: Console, damaged: tuple[str, ...], place: str) -> None:
    """List what is left out, and say what to do."""
    from farm.spec.counted import counted

    for sentence in damaged[:MOST_TOLD]:
        say(console, f"damaged: {sentence}", style="red")
    if len(damaged) > MOST_TOLD:
        say(console, f"and {len(damaged) - MOST_TOLD:,} more; --json has all", style="red")
    say(
        console,
        f"{counted(len(damaged), 'view')} left out, whose files are not what was recorded: "
        f"farm dataset verify {place} tells what to delete and render again; then the same export "
        "adds them",
        style="red",
    )
