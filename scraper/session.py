"""The commands as the person at the terminal sees them; each returns its exit code."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from farm.errors import SpecError
from farm.spec.asset import Credit
from farm.spec.counted import counted
from scraper.asset import RemoteAsset
from scraper.catalog import Catalog, CatalogEntry, fault
from scraper.choosing.plan import DownloadPlan, Item, Planner
from scraper.choosing.search import Search, find, gather
from scraper.context import Context
from scraper.download import Downloader, DownloadOutcome
from scraper.errors import SiteRefusedError, SourceError
from scraper.import_folder import import_files
from scraper.listing import to_json, write_list
from scraper.output import (
    entry_as_data,
    outcomes_as_data,
    plan_as_data,
    print_json,
    show_assets,
    show_plan,
    show_progress,
    show_table,
    size,
)

ALL, SOME, NONE, INTERRUPTED = 0, 1, 3, 130
"""What is there in the end of what was wanted. 2 is a request at fault."""


def search(
    context: Context, wanted: Search, *, limit: int, output: Path | None, as_json: bool
) -> int:
    """Show what a site has; write it down if asked to."""
    found, code = _gather(context, wanted, limit)
    if output:
        write_list(output, found)
    if as_json:
        typer.echo(to_json(found), nl=False)
    else:
        show_assets(found, wanted.resolution, Console(highlight=False))
    return code


def scrape(context: Context, wanted: Search, *, limit: int, output: Path, as_json: bool) -> int:
    """Write a list of what a site has."""
    found, code = _gather(context, wanted, limit)
    write_list(output, found)
    if as_json:
        typer.echo(to_json(found), nl=False)
    context.console.print(
        f"{counted(len(found), 'asset')} in {escape(str(output))}; next: "
        f"farm assets download {escape(str(output))}",
        soft_wrap=True,
    )
    return code


def _gather(context: Context, wanted: Search, limit: int) -> tuple[list[RemoteAsset], int]:
    """Return what was found and the exit code: what is found is kept, whatever ends the search."""
    found: list[RemoteAsset] = []
    try:
        with context.console.status(f"asking {escape(wanted.source)}") as status:
            gather(find(context, wanted), limit, found,
                   lambda count: status.update(f"{count} of {limit} found"))  # fmt: skip
    except (SiteRefusedError, SourceError) as error:
        if not found:
            raise
        context.note(f"{error}; the assets found so far are kept")
        return found, SOME
    except KeyboardInterrupt:
        context.note("stopped; the assets found so far are kept")
        return found, INTERRUPTED
    return found, ALL if found else NONE


@dataclass(frozen=True)
class Manner:
    """How a download goes about it."""

    yes: bool = False
    dry_run: bool = False
    as_json: bool = False


def download(
    context: Context, assets: Sequence[RemoteAsset], planner: Planner, manner: Manner
) -> int:
    """Plan, ask, fetch and report."""
    plan = planner.plan(assets)
    root = str(context.catalog.root)
    if manner.dry_run:
        if manner.as_json:
            print_json(plan_as_data(plan))
        else:
            show_plan(plan, root, Console(highlight=False))
        return ALL
    show_plan(plan, root, context.console)
    if plan.items:
        _ask(plan, context, yes=manner.yes)
    with context.catalog.lock():
        outcomes, interrupted = _carry_out(context, plan, planner)
    if manner.as_json:
        print_json(outcomes_as_data(plan, outcomes))
    _report(context.console, plan, outcomes)
    return INTERRUPTED if interrupted else _code(plan, outcomes)


def _ask(plan: DownloadPlan, context: Context, *, yes: bool) -> None:
    """Make sure that there is room, and that the user means it.

    Raises:
        SpecError: There is no room, or nobody to ask.
        Abort: The user says no.
    """
    place = context.catalog.root.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < plan.size_bytes:
        raise SpecError(
            f"{place}: has {size(free)} free, but {size(plan.size_bytes)} are to be fetched; "
            "free some, or set --max-size"
        )
    if not yes:
        if not sys.stdin.isatty():
            raise SpecError("there is no terminal to ask on; pass --yes to continue without asking")
        typer.confirm("Fetch them?", default=True, abort=True, err=True)


def _carry_out(
    context: Context, plan: DownloadPlan, planner: Planner
) -> tuple[list[DownloadOutcome], bool]:
    limits = [planner.limits.file_bytes, planner.limits.total_bytes]
    downloader = Downloader(
        catalog=context.catalog,
        client=context.client,
        sources=context.source,
        clock=context.clock,
        file_limit_bytes=min((limit for limit in limits if limit is not None), default=None),
    )
    outcomes: list[DownloadOutcome] = []
    with show_progress(plan, context.console) as shown:
        last: Item | None = None

        def report(item: Item, size_bytes: int) -> None:
            nonlocal last
            if item is not last:
                shown.begin(item)
                last = item
            shown.advance(size_bytes)

        try:
            for outcome in downloader.run(plan.items, report):
                outcomes.append(outcome)  # noqa: PERF402 - what is done by then is told after Ctrl-C
        except KeyboardInterrupt:
            return outcomes, True
    return outcomes, False


def _report(console: Console, plan: DownloadPlan, outcomes: Sequence[DownloadOutcome]) -> None:
    """Say what is there now, and what is not and why."""
    for outcome in outcomes:
        if outcome.state == "failed":
            console.print(f"[red]failed[/]  {escape(outcome.sentence)}", soft_wrap=True)
    states = Counter(outcome.state for outcome in outcomes)
    left = len(plan.items) - states["fetched"] - states["failed"]
    failed = states["failed"] + len(plan.missing)
    fetched = [outcome.entry for outcome in outcomes if outcome.entry]
    weight = sum(entry.provenance.size_bytes for entry in fetched)
    console.print(
        f"{len(fetched)} fetched ({size(weight)}), {len(plan.there)} were there, "
        f"{failed} failed, {left} not tried"
    )
    if left or failed:
        console.print("run the same command again to resume")


def _code(plan: DownloadPlan, outcomes: Sequence[DownloadOutcome]) -> int:
    there = len(plan.there) + sum(outcome.state == "fetched" for outcome in outcomes)
    wanted = len(plan.there) + len(plan.items) + len(plan.missing)
    if there == 0:
        return NONE
    return ALL if there == wanted else SOME


def list_folder(catalog: Catalog, *, check: bool, as_json: bool) -> int:
    """Show what the folder holds and whether it is whole."""
    entries = [(entry, _state(entry, check=check)) for entry in catalog.entries()]
    if as_json:
        print_json([entry_as_data(entry, state) for entry, state in entries])
    elif entries:
        show_table(
            [("FILE", "SIZE", "LICENCE", "SOURCE", "STATE", "NAME"), *map(_row, entries)],
            Console(highlight=False),
        )
    else:
        typer.echo(f"{catalog.root}: no assets")
    whole = sum(state == "whole" for _, state in entries)
    return ALL if whole == len(entries) else SOME if whole else NONE


def _row(entry_and_state: tuple[CatalogEntry, str]) -> tuple[str, ...]:
    entry, state = entry_and_state
    known = entry.provenance
    return (str(entry.path), size(known.size_bytes), known.licence or "?",
            known.source or "?", state, known.name or "")  # fmt: skip


def _state(entry: CatalogEntry, *, check: bool) -> str:
    """Return `whole` or what is wrong; without `check` only sizes are compared."""
    if check:
        return fault(entry) or "whole"
    try:
        size_bytes = entry.path.stat().st_size
    except OSError:
        return "gone"
    return "whole" if size_bytes == entry.provenance.size_bytes else "broken"


def import_folder(
    folder: Path, catalog: Catalog, credit: Credit, *, as_json: bool, console: Console
) -> int:
    """Copy local assets into the folder and report."""
    with catalog.lock():
        done = list(
            import_files(
                folder, catalog, credit, lambda told: console.print(f"note: {escape(told)}")
            )
        )
    if as_json:
        print_json([
            {"file": str(one.path), "state": one.state,
             "path": str(one.target) if one.target else None, "reason": one.sentence}
            for one in done
        ])  # fmt: skip
    for one in done:
        if one.state == "failed":
            console.print(f"[red]failed[/]  {escape(one.sentence)}", soft_wrap=True)
    states = Counter(one.state for one in done)
    console.print(
        f"{states['imported']} imported, {states['there']} were there, {states['failed']} failed"
    )
    if states["failed"] == len(done):
        return NONE
    return SOME if states["failed"] else ALL
