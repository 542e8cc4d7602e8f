"""Traces as one picture: which span holds which, and for how long; and some views in order."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from farm.dataset.preview.drawing import (
    BRIGHT,
    GAP_PX,
    HEADER_PX,
    MARGIN_PX,
    PAGE,
    SOFT,
    draw_header,
)
from farm.dataset.stats.cards import (
    EMPTY,
    INSIDE_PX,
    PAD_PX,
    TICK_PX,
    TOP_PX,
    WIDTH_PX,
    font,
    new_card,
)
from farm.dataset.trace.spans import Event, TraceFile
from farm.dataset.trace.stages import BESIDE, Path, TraceStats, share
from farm.spec.trace import RENDERER, STAGES

ROW_PX = 34
TEXT_PX = 6
"""Between a box and its words."""
SHOWN_VIEWS = 5
"""Views that are shown as they came."""
COLOURS = {
    "sample": "#3f9b62", "load": "#7a5ea8", "map": "#a35e9c",
    "sync": "#b8693d", "build": "#c98a3a", "hand over": "#a8503f", "wait": "#c0453f",
    "arrange": "#8f7a3c", "ledger": "#5b6b86", "read": "#2f6f9e", "develop": "#3a86c0",
    "encode": "#4f9be0", "write": "#2b93a5", "record": "#4a7f8f",
}  # fmt: skip
HOLDER = "#3a4048"


class Box(NamedTuple):
    """A span in the picture: how deep, from where, how far."""

    name: str
    depth: int
    start: float
    length: float


def draw_trace(stats: TraceStats, shown: TraceFile | None, *, title: str, subtitle: str) -> bytes:
    """Return the page as PNG.

    Args:
        stats: What all traces together say.
        shown: One of them, of which some views are shown as they came.
        title: Of the page.
        subtitle: What it shows.
    """
    cards = [flame_card(stats, who) for who in (RENDERER, BESIDE)]
    if shown is not None:
        cards.append(views_card(shown))
    height = HEADER_PX + sum(card.height + GAP_PX for card in cards) - GAP_PX + MARGIN_PX
    page = Image.new("RGB", (WIDTH_PX, height), PAGE)
    draw_header(page, title, subtitle)
    top = HEADER_PX
    for card in cards:
        page.paste(card, (MARGIN_PX, top))
        top += card.height + GAP_PX
    file = io.BytesIO()
    page.save(file, "PNG", optimize=True)
    return file.getvalue()


def flame_card(stats: TraceStats, who: str) -> Image.Image:
    """Draw the spans of one side, added up: below each, those within it, as wide as they took."""
    paths = {tuple(name.split("/")): spent for name, spent in stats.paths.items()}
    boxes = list(flame({path[1:]: spent for path, spent in paths.items() if path[0] == who}))
    total = sum(box.length for box in boxes if box.depth == 0)
    rows = max((box.depth for box in boxes), default=0) + 1
    title = "The renderer's thread" if who == RENDERER else "Beside the renderer"
    note = f"{total:.2f} s of all threads, {total / max(stats.views, 1) * 1e3:.1f} ms a view"
    card, draw = new_card((INSIDE_PX, TOP_PX + rows * ROW_PX + PAD_PX), title, note)
    scale = (INSIDE_PX - 2 * PAD_PX) / max(total, 1e-12)
    for box in boxes:
        words = told_of(box, total=total, views=stats.views)
        draw_box(draw, box, scale=scale, top=TOP_PX, words=words)
    return card


def told_of(box: Box, *, total: float, views: int) -> str:
    """Return what is written into a box: its name, milliseconds of each view, share of all."""
    each_ms = box.length / max(views, 1) * 1e3
    return f"{box.name}  {each_ms:.1f} ms  {share(box.length, total):.0%}"


def flame(own: Mapping[Path, float]) -> Iterator[Box]:
    """Yield the boxes of a flame from the own seconds of paths; the longest of a row come first."""
    whole: dict[Path, float] = {}
    for path, seconds in own.items():
        for depth in range(1, len(path) + 1):
            whole[path[:depth]] = whole.get(path[:depth], 0.0) + seconds
    yield from below((), whole, 0.0)


def below(path: Path, whole: Mapping[Path, float], start: float) -> Iterator[Box]:
    """Yield the boxes of what is within a span."""
    within = [each for each in whole if each[:-1] == path]
    for each in sorted(within, key=lambda each: -whole[each]):
        yield Box(each[-1], len(path), start, max(whole[each], 0.0))
        yield from below(each, whole, start)
        start += whole[each]


def views_card(trace: TraceFile) -> Image.Image:
    """Draw some views in the middle of a task, each thread in rows of its own, as time went."""
    start, end = window_of(trace)
    spans = [span for span in trace.spans if span.end > start and span.ts < end]
    lanes = [list(nested(each)) for each in by_thread(trace, spans)]
    rows = [max((depth for _, depth in lane), default=-1) + 1 for lane in lanes]
    note = f"{(end - start) / 1e3:.0f} ms of {trace.otherData.get('title', 'a task')}, as time went"
    height = TOP_PX + sum(rows) * ROW_PX + GAP_PX * max(len(rows) - 1, 0) + PAD_PX + ROW_PX
    card, draw = new_card((INSIDE_PX, height), "Some views", note)
    scale, top = (INSIDE_PX - 2 * PAD_PX) / max(end - start, 1e-12), TOP_PX
    for lane, deep in zip(lanes, rows, strict=True):
        for span, depth in lane:
            first, last = max(span.ts, start), min(span.end, end)
            box = Box(span.name, depth, first - start, last - first)
            draw_box(draw, box, scale=scale, top=top, words=span.name)
        top += deep * ROW_PX + GAP_PX
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        word = f"{part * (end - start) / 1e3:.0f} ms"
        spot = (PAD_PX + part * (INSIDE_PX - 2 * PAD_PX), height - PAD_PX)
        anchor = "ls" if part == 0 else "rs" if part == 1 else "ms"
        draw.text(spot, word, font=font(TICK_PX), fill=SOFT, anchor=anchor)
    return card


def window_of(trace: TraceFile) -> tuple[float, float]:
    """Return from when to when a few views in the middle of a task were rendered."""
    renders = [span for span in trace.spans if span.name == "render"]
    first = max((len(renders) - SHOWN_VIEWS) // 2, min(1, len(renders) - 1), 0)
    shown = renders[first : first + SHOWN_VIEWS]
    if not shown:
        return 0.0, 0.0
    return shown[0].ts, shown[-1].end


def by_thread(trace: TraceFile, spans: Sequence[Event]) -> list[list[Event]]:
    """Return spans by thread, the renderer's first; the task as a whole is left out."""
    told = [span for span in spans if span.name != "task"]
    order = sorted({(not trace.of_renderer(span), span.tid) for span in told})
    return [[span for span in told if span.tid == tid] for _, tid in order]


def nested(spans: Sequence[Event]) -> Iterator[tuple[Event, int]]:
    """Yield the spans of a thread, and within how many others each is."""
    ends: list[float] = []
    for span in spans:
        ends = list(itertools.takewhile(lambda end, ts=span.ts: end > ts, ends))  # type: ignore[misc]
        yield span, len(ends)
        ends.append(span.end)


def draw_box(draw: ImageDraw.ImageDraw, box: Box, *, scale: float, top: int, words: str) -> None:
    """Draw one box, with as much of its words as fits."""
    left = PAD_PX + box.start * scale
    right = left + box.length * scale
    upper = top + box.depth * ROW_PX
    fill = COLOURS.get(box.name, HOLDER if box.name not in STAGES else EMPTY)
    draw.rectangle((left, upper, max(right - 1, left + 0.5), upper + ROW_PX - 3), fill=fill)
    room = right - left - 2 * TEXT_PX
    shown = words
    while shown and draw.textlength(shown, font=font(TICK_PX)) > room:
        shown = shown.rpartition("  ")[0] if "  " in shown else ""
    if shown:
        spot = (left + TEXT_PX, upper + (ROW_PX - 3) / 2)
        draw.text(spot, shown, font=font(TICK_PX), fill=BRIGHT, anchor="lm")
