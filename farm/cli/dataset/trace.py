"""What `farm dataset trace` writes and shows."""

from __future__ import annotations

import json as json_format
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from farm.cli.dataset.places import opened
from farm.cli.dataset.preview import beside, put
from farm.cli.remote.farm_options import out_console, print_json, say
from farm.dataset.preview.preview import DRAWING, title_of
from farm.dataset.trace.spans import TraceFile, read_traces
from farm.dataset.trace.stages import Adder, TraceStats
from farm.errors import SpecError, needing
from farm.spec.counted import counted
from farm.spec.trace import STAGES

MERGED_TASKS = 64
"""Most tasks in the one file with all spans, which a browser is to open."""


def write_trace(place: str, out: Path | None, *, json: bool, every: bool = False) -> None:
    """Add up the traces of a place, draw them, and say where the time went.

    Raises:
        SpecError: There are none.
    """
    with needing(*DRAWING):
        from farm.dataset.trace.picture import draw_trace
    if out is not None and out.suffix.lower() != ".png":
        raise SpecError(f"--out {out}: the picture is a PNG; give a name that ends in .png")
    data = opened(place, every=every)
    adder, kept = Adder(), list[TraceFile]()
    for trace in read_traces(data.storage, data.prefixes):
        adder.add(trace)
        if len(kept) < MERGED_TASKS:
            kept.append(trace)
    if not kept:
        raise SpecError(
            f"{place}: has no traces; render views with --trace (those that are there already "
            "are not rendered again)"
        )
    stats = adder.sum()
    facts = facts_of(stats)
    shown = max(kept, key=lambda trace: len(trace.traceEvents))
    picture = draw_trace(stats, shown, title=title_of(data), subtitle=facts)
    path = out or beside(data, "trace.png")
    written = [put(picture, path), put(merged(kept), path.with_suffix(".json"))]
    if json:
        print_json(stats)
        return
    console = out_console()
    say(console, facts)
    say(console, "")
    console.print(table_of(stats))
    say(console, "")
    for line in written:
        say(console, line)
    say(console, f"{path.with_suffix('.json').name} opens in ui.perfetto.dev and speedscope.app")


def facts_of(stats: TraceStats) -> str:
    """Say in one line what was traced, and how much of it was sampling."""
    between = (
        "" if stats.between_s is None else f"  ·  {stats.between_s * 1e3:.0f} ms between tasks"
    )
    return (
        f"{counted(stats.views, 'view')} of {counted(stats.tasks, 'task')} in {stats.wall_s:.1f} s"
        f"  ·  sampling {stats.sampling_share:.0%}, without what is done once "
        f"{stats.sampling_share_of_views:.0%}{between}"
    )


def table_of(stats: TraceStats) -> Table:
    """Return a line per stage, those of the renderer's thread first."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("THREAD", "STAGE"):
        table.add_column(heading, no_wrap=True)
    for heading in ("SECONDS", "MS/VIEW", "OF TIME"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("WHAT")
    for row in stats.stages:
        numbers = (f"{row.seconds:.2f}", f"{row.per_view_s * 1e3:.1f}", f"{row.share:.1%}")
        table.add_row(row.who, row.stage, *numbers, STAGES.get(row.stage, "all else"))
    return table


def merged(traces: Sequence[TraceFile]) -> bytes:
    """Return traces as one, each worker a process of its own, whatever host it ran on."""
    workers = {
        known: number
        for number, known in enumerate(dict.fromkeys(map(process_of, traces)), start=1)
    }
    events = [
        event.model_dump() | {"pid": workers[process_of(trace)]}
        for trace in traces
        for event in trace.traceEvents
    ]
    told = {"displayTimeUnit": "ms", "traceEvents": events}
    return json_format.dumps(told, separators=(",", ":")).encode()


def process_of(trace: TraceFile) -> tuple[str, int]:
    """Return what tells the process of a trace from others."""
    return trace.worker, trace.traceEvents[0].pid if trace.traceEvents else 0
