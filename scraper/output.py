"""What the commands say: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from scraper.asset import RemoteAsset, RemoteFile
from scraper.catalog import CatalogEntry
from scraper.choosing.plan import DownloadPlan, Item
from scraper.choosing.variants import choose_file
from scraper.download import DownloadOutcome


def size(size_bytes: int | None) -> str:
    """Return a size as a person says it."""
    return "?" if size_bytes is None else decimal(size_bytes)


def show_table(rows: Iterable[Sequence[str]], console: Console) -> None:
    """Print rows in columns; the last one is as long as it is."""
    lines = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        console.print(escape("  ".join(cells).rstrip()), soft_wrap=True)


def show_assets(assets: Sequence[RemoteAsset], resolution: str | None, console: Console) -> None:
    """Print what was found, one asset a line."""
    if not assets:
        console.print("nothing found")
        return
    rows = [("ID", "TYPE", "LICENCE", "FILE", "SIZE", "FACES", "AUTHOR", "NAME")]
    for asset in assets:
        file = choose_file(asset, resolution)
        faces = "" if asset.face_count is None else str(asset.face_count)
        rows.append((asset.asset_base_id, asset.asset_type, asset.license or "?",
                     variant(file), size(file.total_bytes if file else None), faces,
                     asset.author or "?", asset.name))  # fmt: skip
    show_table(rows, console)


def variant(file: RemoteFile | None) -> str:
    """Return what a person calls a variant: `2K`, `original`, `zip`."""
    if file is None:
        return "-"
    words = {"blend": "original", "zip_file": "zip"}
    plain = file.file_type.removeprefix("resolution_").replace("_", ".")
    return words.get(file.file_type, plain)


def show_info(assets: Sequence[RemoteAsset], resolution: str | None, console: Console) -> None:
    """Print what a list holds, counted."""
    for facts in facts_of(assets, resolution).items():
        name, value = facts
        if isinstance(value, dict):
            value = ", ".join(f"{count} {word}" for word, count in value.items()) or "-"
        elif name.endswith("bytes"):
            name, value = name.removesuffix("_bytes"), size(value)
        console.print(f"{name:<14} {escape(str(value))}", soft_wrap=True)


def facts_of(assets: Sequence[RemoteAsset], resolution: str | None) -> dict[str, Any]:
    """Count what a list holds."""
    free = [asset for asset in assets if asset.is_free and asset.can_download]
    files = [choose_file(asset, resolution) for asset in free]
    sizes = [file.total_bytes for file in files if file]
    return {
        "assets": len(assets),
        "types": dict(Counter(asset.asset_type for asset in assets)),
        "sources": dict(Counter(asset.source for asset in assets)),
        "licences": dict(Counter(asset.license or "not known" for asset in assets)),
        "authors": len({asset.author for asset in assets if asset.author}),
        "downloadable": len(free),
        "variants": dict(Counter(variant(file) for file in files)),
        "download_bytes": sum(known or 0 for known in sizes),
        "sizes_unknown": len(files) - sum(known is not None for known in sizes),
    }


def show_plan(plan: DownloadPlan, root: str, console: Console) -> None:
    """Print what a download is about to do."""
    for item in plan.items:
        asset = item.asset
        console.print(
            f"{asset.asset_type:<6} {asset.asset_base_id}  {variant(item.file):<8} "
            f"{size(item.size_bytes):>9}  {escape(asset.license or '?')}  {escape(asset.name)}",
            soft_wrap=True,
        )
    console.print(
        f"{len(plan.items)} to fetch ({size(plan.size_bytes)}), {len(plan.there)} there, "
        f"{len(plan.skipped)} left out, into {escape(root)}",
        soft_wrap=True,
    )
    for reason, count in plan.reasons().most_common():
        console.print(f"  left out: {count}  {escape(reason)}", soft_wrap=True)
    for asset, reason in plan.missing:
        console.print(f"[red]failed[/]  {escape(asset.name)}: {escape(reason)}", soft_wrap=True)


def plan_as_data(plan: DownloadPlan) -> dict[str, Any]:
    """Return a plan for a program."""
    return {
        "fetch": [_item(item) for item in plan.items],
        "bytes": plan.size_bytes,
        "there": [str(entry.path) for entry in plan.there],
        "leftOut": [_known(asset, reason) for asset, reason in plan.skipped],
        "failed": [_known(asset, reason) for asset, reason in plan.missing],
    }


def outcomes_as_data(plan: DownloadPlan, outcomes: Sequence[DownloadOutcome]) -> dict[str, Any]:
    """Return what a download has done, for a program."""
    ended = {outcome.item.asset.key for outcome in outcomes}
    return plan_as_data(plan) | {
        "fetch": [_item(item) for item in plan.items if item.asset.key not in ended],
        "fetched": [str(one.entry.path) for one in outcomes if one.entry],
        "failed": [
            *(_known(asset, reason) for asset, reason in plan.missing),
            *(_known(one.item.asset, one.sentence) for one in outcomes if one.state == "failed"),
        ],
        "notTried": [
            _known(one.item.asset, one.sentence) for one in outcomes if one.state == "not tried"
        ],
    }


def entry_as_data(entry: CatalogEntry, state: str) -> dict[str, Any]:
    """Return an asset of the folder for a program."""
    known = entry.provenance.model_dump(mode="json", exclude_none=True)
    return {"path": str(entry.path), "state": state} | known


def print_json(data: object) -> None:
    """Print JSON to stdout, whole lines, no colours."""
    print(json.dumps(data, indent=2, ensure_ascii=False))  # noqa: T201 - stdout is the product here


def _item(item: Item) -> dict[str, Any]:
    return {
        "source": item.asset.source,
        "assetBaseId": item.asset.asset_base_id,
        "name": item.asset.name,
        "assetType": item.asset.asset_type,
        "license": item.asset.license,
        "fileType": item.file.file_type,
        "bytes": item.size_bytes,
    }


def _known(asset: RemoteAsset, reason: str) -> dict[str, Any]:
    return {"assetBaseId": asset.asset_base_id, "name": asset.name, "reason": reason}


class ProgressDisplay(Protocol):
    """Shows how far a download is."""

    def begin(self, item: Item) -> None:
        """Show another file."""

    def advance(self, size_bytes: int) -> None:
        """Show that so many bytes of it are there."""


@contextmanager
def show_progress(plan: DownloadPlan, console: Console) -> Iterator[ProgressDisplay]:
    """Give what shows a download: bars on a terminal, a line per asset elsewhere."""
    if not console.is_terminal:
        yield _Lines(len(plan.items), console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bars(progress, plan)


class _Bars:
    def __init__(self, progress: Progress, plan: DownloadPlan) -> None:
        self._progress = progress
        self._all = progress.add_task("all", total=plan.size_bytes or None)
        self._one: TaskID | None = None
        self._done_bytes = 0
        self._now_bytes = 0

    def begin(self, item: Item) -> None:
        if self._one is not None:
            self._progress.remove_task(self._one)
        self._done_bytes += self._now_bytes
        self._now_bytes = 0
        name = escape(item.asset.name[:30])
        self._one = self._progress.add_task(name, total=item.size_bytes)

    def advance(self, size_bytes: int) -> None:
        self._now_bytes = size_bytes
        self._progress.update(self._all, completed=self._done_bytes + size_bytes)
        if self._one is not None:
            self._progress.update(self._one, completed=size_bytes)


class _Lines:
    def __init__(self, count: int, console: Console) -> None:
        self._count = count
        self._console = console
        self._number = 0

    def begin(self, item: Item) -> None:
        self._number += 1
        self._console.print(
            f"{self._number}/{self._count}  {escape(item.asset.name)}  {size(item.size_bytes)}",
            soft_wrap=True,
        )

    def advance(self, size_bytes: int) -> None:
        pass
