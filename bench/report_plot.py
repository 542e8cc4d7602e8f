"""Ratios as bars on a logarithmic scale, as SVG."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

WIDTH_PX, LABELS_PX, RIGHT_PX, ROW_PX, TOP_PX, BOTTOM_PX = 1040, 590, 70, 30, 46, 34
TICKS = (0.5, 1, 2, 4, 8, 16, 32, 64)
INK, SOFT, GRID, BAR, SLOWER = "#1d2430", "#5c6675", "#dfe4ea", "#2b7fb8", "#c0653b"
STYLE = 'font-family="system-ui, sans-serif" font-size="13"'


class Bar(NamedTuple):
    """One case."""

    title: str
    ratios: Sequence[float]
    """Of each round; above 1 we are faster."""


def draw(bars: Sequence[Bar]) -> str:
    """Return the plot: a bar up to each median, a line from the smallest to the largest ratio."""
    height_px = TOP_PX + ROW_PX * len(bars) + BOTTOM_PX
    found = [ratio for bar in bars for ratio in bar.ratios] or [1.0]
    low = max((tick for tick in TICKS if tick <= min(1.0, *found)), default=TICKS[0])
    high = min((tick for tick in TICKS if tick >= max(2.0, *found)), default=TICKS[-1])

    def x_of(ratio: float) -> float:
        share = math.log(ratio / low) / math.log(high / low)
        return LABELS_PX + min(max(share, 0.0), 1.0) * (WIDTH_PX - LABELS_PX - RIGHT_PX)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height_px}" '
        f'width="{WIDTH_PX}" height="{height_px}" {STYLE}>',
        f'<rect width="{WIDTH_PX}" height="{height_px}" fill="#ffffff"/>',
        f'<text x="16" y="26" fill="{INK}" font-weight="600">Times as fast as the peer: '
        "median, smallest, largest</text>",
    ]
    for tick in (tick for tick in TICKS if low <= tick <= high):
        x, bottom = x_of(tick), height_px - BOTTOM_PX
        colour, wide = (SOFT, 1.5) if tick == 1 else (GRID, 1)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP_PX - 6}" y2="{bottom}" stroke="{colour}" '
            f'stroke-width="{wide}"/><text x="{x:.1f}" y="{bottom + 18}" fill="{SOFT}" '
            f'text-anchor="middle">{tick:g} x</text>'
        )
    for number, bar in enumerate(bars):
        parts.append(row(bar, TOP_PX + number * ROW_PX, x_of))
    return "\n".join([*parts, "</svg>", ""])


def row(bar: Bar, top_px: int, x_of: Callable[[float], float]) -> str:
    """Return one bar with its title and its number."""
    middle = statistics.median(bar.ratios)
    start, end = sorted((x_of(1.0), x_of(middle)))
    low, high = x_of(min(bar.ratios)), x_of(max(bar.ratios))
    y, colour = top_px + ROW_PX / 2, BAR if middle >= 1 else SLOWER
    return (
        f'<text x="{LABELS_PX - 12}" y="{y + 4:.1f}" fill="{INK}" text-anchor="end" '
        f'font-size="12">{escape(bar.title)}</text>'
        f'<rect x="{start:.1f}" y="{y - 8:.1f}" width="{end - start:.1f}" height="16" rx="2" '
        f'fill="{colour}"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{INK}" '
        'stroke-width="1.5"/>'
        f'<text x="{max(end, high) + 8:.1f}" y="{y + 4:.1f}" fill="{INK}" '
        f'font-weight="600">{middle:.2g} x</text>'
    )
