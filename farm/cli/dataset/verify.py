"""What `farm dataset verify` shows: progress, a table, and what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from farm.cli.dataset.progress import growing_bar
from farm.cli.progress import duration, file_size
from farm.cli.remote.farm_options import err_console, interruptible, out_console, print_json, say
from farm.cli.remote.tables import cell
from farm.client.text import printable
from farm.dataset.parallel import usual_workers
from farm.dataset.reader import open_dataset
from farm.dataset.verify.report import LOST, SentenceReport, VerifyReport
from farm.dataset.verify.verify import verify
from farm.errors import SpecError
from farm.spec.counted import counted
from farm.storage import is_bucket

NAMED = 3
"""Most files to delete that are named; more are written to a file."""
EXAMPLE_CHARS = 200
AGAIN = (
    "  run the command that made the dataset again; intact files are kept:",
    "    farm render: the same farm render renders what is missing",
    "    farm download: the same farm download fetches what is missing",
    "    farm dataset merge: also delete its views.jsonl, and merge again",
    "    on a farm's own storage: farm delete JOB, then the same farm submit",
)
"""How a dataset is repaired once its broken files are deleted."""


class Broken:
    """The files that should be deleted: written down, and the first kept to be named."""

    def __init__(self, file: TextIO | None) -> None:
        self.first: list[str] = []
        self.count = 0
        self._file = file

    def add(self, path: str) -> None:
        """Take one more."""
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append(path)
        if self._file:
            self._file.write(f"{path}\n")


def verify_places(
    places: Sequence[str],
    *,
    workers: int | None,
    broken: Path | None,
    json: bool,
    every: bool = False,
) -> tuple[int, int]:
    """Verify all places and report on each; return the numbers of faults and of notes."""
    wrong = notes = 0
    reports = {}
    console = err_console()
    with open_list(broken) as file, interruptible("stopped: not everything was checked"):
        files = Broken(file)
        for place in places:
            report = look_at(place, console, workers=workers, files=files, every=every)
            wrong, notes = wrong + report.wrong, notes + report.notes
            reports[place] = report
            if not json:
                show(place, report)
    if json:
        found = {place: report.model_dump(mode="json") for place, report in reports.items()}
        print_json({"wrong": wrong, "notes": notes, "places": found})
    for line in advice(files, broken, reports.values()):
        say(console, line)
    return wrong, notes


def look_at(
    place: str, console: Console, *, workers: int | None, files: Broken, every: bool
) -> VerifyReport:
    """Verify one place, with a bar for people."""
    data = open_dataset(place, every=every, broken=lambda _sentence: None)  # it is told below
    root = data.storage.place

    with growing_bar(console, f"verifying {place}", total=len(data)) as (advance, more):
        return verify(
            data,
            workers=workers or usual_workers(),
            processes=True,
            progress=advance,
            more=more,
            broken=lambda key: files.add(f"{root}/{key}"),
        )


def show(place: str, report: VerifyReport) -> None:
    """Print a table of the checks, and a verdict."""
    console = out_console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title, justify in (("", "left"), ("CHECK", "left"), ("CHECKED", "right")):
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # a word
    table.add_column("FOUND", justify="right", no_wrap=True)
    table.add_column("FIRST ONES", overflow="fold")
    for check in report.checks:
        style = "" if not check.found else "yellow" if check.is_note else "red"
        word = "ok" if not check.found else "note" if check.is_note else "WRONG"
        table.add_row(
            cell(word, style=style or "green"),
            cell(check.title),
            f"{check.looked_at:,}",
            cell(f"{check.found:,}" if check.found else "", style=style),
            Text("\n".join(map(shown, check.examples[:2])), style=style),
        )
    console.print(table)
    if report.sentences is not None:
        console.print(sentence_table(report.sentences))
    speed = f"{report.views / report.seconds:.0f} views/s" if report.seconds else ""
    say(
        console,
        f"{place}: {counted(report.views, 'view')}, {counted(report.files, 'file')}, "
        f"{file_size(report.size_bytes)}, {duration(report.seconds)} ({speed}): {verdict(report)}",
        style="red" if report.wrong else "",
    )


def sentence_table(sentences: SentenceReport) -> Table:
    """Return a table of what came of sentences, by kind."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("SENTENCES", "CHECKED", "TRUE", "AMBIGUOUS", "FALSE", "NOT PROVEN"):
        table.add_column(title, justify="left" if title == "SENTENCES" else "right", no_wrap=True)
    for kind, counts in (*sentences.by_kind.items(), ("all", sentences)):
        wrong = counts.ambiguous or counts.false
        numbers = (counts.checked, counts.true, counts.ambiguous, counts.false, counts.unproven)
        table.add_row(
            cell(kind, style="red" if wrong else ""),
            *(f"{each:,}" if each else "" for each in numbers),
        )
    return table


def shown(example: str) -> str:
    """Return an example as one line of a table."""
    return printable(example, limit=EXAMPLE_CHARS)


def verdict(report: VerifyReport) -> str:
    """Return the verdict in a few words."""
    notes = f", {counted(report.notes, 'note')}" if report.notes else ""
    return (f"{report.wrong:,} wrong" if report.wrong else "all is well") + notes


def advice(files: Broken, listing: Path | None, reports: Iterable[VerifyReport]) -> Iterator[str]:
    """Say how to repair the dataset."""
    lost = {each.check for report in reports for each in report.checks if each.found} & LOST
    if files.count:
        yield from deletion(files, listing)
    elif lost:
        yield "To repair it:"
    if files.count or lost:
        yield from AGAIN


def deletion(files: Broken, listing: Path | None) -> Iterator[str]:
    """Say which files to delete first."""
    if listing:
        yield f"{counted(files.count, 'file')} to delete in {listing}. To repair it:"
        yield f"  xargs -d '\\n' rm -f -- < {shlex.quote(str(listing))}"
    elif any(is_bucket(path) for path in files.first) or files.count > NAMED:
        yield f"{counted(files.count, 'file')} to delete; --broken FILE lists them. To repair it:"
        yield "  delete them"
    else:
        yield "To repair it:"
        yield f"  rm -f -- {' '.join(map(shlex.quote, files.first))}"


@contextmanager
def open_list(path: Path | None) -> Iterator[TextIO | None]:
    """Open the list of broken files, if one is asked for."""
    if path is None:
        yield None
        return
    try:
        with path.open("w", encoding="utf-8") as file:
            yield file
    except BrokenPipeError:  # who reads what is printed has had enough
        raise
    except OSError as error:
        raise SpecError(f"--broken {path}: cannot be written: {error.strerror}") from error
