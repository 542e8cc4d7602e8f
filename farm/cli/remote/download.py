"""`farm download`: a job's datasets, here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from farm.cli.remote.farm_options import (
    PATIENT_S,
    JobName,
    Json,
    err_console,
    farm_client,
    interruptible,
    print_json,
    say,
)

if TYPE_CHECKING:
    from rich.console import Console

    from farm.client import DownloadSummary

FAILURES_SHOWN = 20


def download(
    job: JobName,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder to download into. (default: the job's name, in the current folder)"
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Files to fetch at a time.")] = 8,
    json: Json = False,
) -> None:
    """Download a job's datasets, checked by hash; intact files are not fetched again.

    A job that is still running gives the views it has. Exit code 1: a file is missing or wrong.

    Example:  farm download last --output chairs
    """
    from farm.library import download_folder

    console = err_console()
    with (
        farm_client(patience_s=PATIENT_S) as client,
        interruptible("stopped; run the same command again to resume"),
    ):
        found = client.job(job)
        folder = output or Path(download_folder(found.name))
        with bytes_bar(console, "downloading") as (listed, received):
            summary = client.download(
                found.job_id, folder, threads=jobs, listed=listed, received=received
            )
    if json:
        print_json(
            {
                "job_id": found.job_id,
                "folder": str(summary.folder),
                "fetched": summary.fetched,
                "there": summary.there,
                "size_bytes": summary.size_bytes,
                "failures": summary.failures,
            }
        )
    else:
        print_summary(console, summary)
    if summary.failures:
        raise typer.Exit(1)


def print_summary(console: Console, summary: DownloadSummary) -> None:
    """Say which files arrived, and which did not."""
    from farm.cli.progress import file_size
    from farm.spec.counted import counted

    for sentence in summary.failures[:FAILURES_SHOWN]:
        say(console, f"failed: {sentence}", style="red")
    if len(summary.failures) > FAILURES_SHOWN:
        say(console, f"... and {len(summary.failures) - FAILURES_SHOWN} more")
    failed = f", {len(summary.failures)} failed" if summary.failures else ""
    say(
        console,
        f"{counted(summary.fetched, 'file')} fetched, {summary.there:,} were there{failed}: "
        f"{file_size(summary.size_bytes)} in {summary.folder}",
    )


Count = Callable[[int], None]


@contextmanager
def bytes_bar(console: Console, word: str) -> Iterator[tuple[Count, Count]]:
    """Yield functions that add bytes to the total of a transfer, and to its finished part."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    progress = Progress(
        TextColumn(word), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    total = 0
    with progress:
        bar = progress.add_task(word, total=0)

        def listed(count: int) -> None:
            nonlocal total
            total += count
            progress.update(bar, total=total)

        yield listed, lambda count: progress.advance(bar, count)
