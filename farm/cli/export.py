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

from farm.cli.remote import Json, err_console, interruptible, print_json, say
from farm.dataset.export.formats import FORMATS

if TYPE_CHECKING:
    from rich.console import Console

    from farm.dataset.export.base import ExportOptions
    from farm.dataset.export.run import ExportSummary

MOST_THREADS = 32
"""Unless the user says: each holds two views."""
FORMAT_LINES = "\n".join(f"{name:12} {known.summary}" for name, known in FORMATS.items())
HELP = f"""Write a dataset, or all those in a folder, in another tool's format.

\b
{FORMAT_LINES}

The same command again goes on where it was stopped, and writes only what has changed since.
ATTRIBUTION.md goes with every export. Splits go to the format's own places.

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
        str,
        typer.Option(help="Pictures as png or jpg with 8 bits, or original: as they are."),
    ] = "png",
    segmentation: Annotated[
        str, typer.Option(help="Of coco: rle or polygon; both are exact.")
    ] = "rle",
    classes: Annotated[
        str, typer.Option(help="What an object's class is: its category or its model.")
    ] = "category",
    passes: Annotated[
        str, typer.Option(help="What goes along, such as rgb,mask,depth. (default: the usual)")
    ] = "",
    shard_views: Annotated[
        int | None,
        typer.Option(min=1, help="Views per shard or scene, at most. (default: 1000)"),
    ] = None,
    shard_mb: Annotated[int, typer.Option(min=1, help="Megabytes per shard, about.")] = 256,
    link: Annotated[
        bool, typer.Option("--link/--copy", help="Hard links where files stay as they are.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=64, help="Views at a time. (default: one per core)")
    ] = None,
    json: Json = False,
) -> None:
    """Write a dataset in another tool's format; HELP is what people read."""
    from farm.cli.bar import report_bar
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
        summary = write(place, out, options, threads=threads, report=report)
    if json:
        print_json({**summary._asdict(), "folder": str(out)})
    else:
        print_summary(console, summary, to)


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

    values["passes"] = tuple(name for name in values["passes"].replace(" ", "").split(",") if name)
    choices: dict[str, tuple[str, ...]] = {
        "format": tuple(FORMATS),
        "image_format": get_args(ImageFormat),
        "segmentation": get_args(Segmentation),
        "classes": get_args(ClassWord),
        "passes": PASS_NAMES,
    }
    for name, known in choices.items():
        flag = "--to" if name == "format" else f"--{name.replace('_', '-')}"
        for word in values[name] if name == "passes" else (values[name],):
            if word not in known:
                raise SpecError(f"{flag}: {word!r} is not one of {', '.join(known)}")
    return ExportOptions(**values)


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Be the only export into a folder; leave no trace where nothing comes of it."""
    from farm.dataset.export.outbox import STATE_FOLDER
    from farm.local.hold import hold_folder

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
    from farm.cli.progress import counted

    there = f", {summary.there} of them were there" if summary.there else ""
    say(console, f"{counted(summary.views, 'view')} as {kind} in {summary.folder}{there}")
    if len(summary.splits) > 1:
        say(console, ", ".join(f"{name}: {views}" for name, views in summary.splits.items()))
    if summary.left_out:
        say(
            console,
            f"note: {counted(summary.left_out, 'view')} in no split: left out; "
            "farm dataset split puts all into one",
        )
