"""Cards of a page of statistics: a title, a note, and what is drawn below: bars of counts."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image, ImageDraw, ImageFont

from farm.dataset.preview.drawing import (
    BRIGHT,
    CARD,
    CORNER_PX,
    MARGIN_PX,
    PAGE,
    SOFT,
    write,
)
from farm.dataset.stats.histogram import Histogram

WIDTH_PX = 2000
INSIDE_PX = WIDTH_PX - 2 * MARGIN_PX
PAD_PX, TITLE_PX, NOTE_PX, TICK_PX = 26, 25, 18, 16
TOP_PX = 92
"""From a card's upper edge to its drawing."""
TALL_PX, LOW_PX, BAR_PX = 660, 380, 30
MOST_BARS = 24
LINE, BAR, EMPTY = "#3a4048", "#4f9be0", "#262a30"
Size = tuple[int, int]


def new_card(size: Size, title: str, note: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an empty card with its title."""
    card = Image.new("RGB", size, PAGE)
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), CORNER_PX + 4, fill=CARD)
    room = size[0] - 2 * PAD_PX
    write(draw, (PAD_PX, 20), title, size=TITLE_PX, colour=BRIGHT, room=room)
    write(draw, (PAD_PX, 54), note, size=NOTE_PX, colour=SOFT, room=room)
    return card, draw


def histogram_card(histogram: Histogram, title: str, what: str, size: Size) -> Image.Image:
    """Draw how often each value is."""
    if histogram.mean is None:
        return new_card(size, title, f"{what}: not known")[0]
    card, draw = new_card(size, title, f"{what}; on average {histogram.mean:.3g}")
    counts = histogram.counts
    most = max(counts)
    left, right, bottom = PAD_PX + 44, size[0] - PAD_PX, size[1] - PAD_PX - 28
    tall, step = bottom - TOP_PX - 8, (right - left) / len(counts)
    for views in {most // 2, most} - {0}:
        up = bottom - tall * views / most
        draw.line((left, up, right, up), fill=EMPTY, width=1)
        draw.text((left - 8, up), f"{views:,}", font=font(TICK_PX), fill=SOFT, anchor="rm")
    for place, count in enumerate(counts):
        if count:
            start = left + place * step
            up = bottom - max(2, tall * count / most)
            draw.rectangle((start + 1, up, start + step - 1, bottom), fill=BAR)
    draw.line((left, bottom, right, bottom), fill=LINE, width=2)
    span = histogram.high - histogram.low
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        spot = (left + part * (right - left), bottom + 10)
        word = f"{histogram.low + part * span:g}"
        draw.text(spot, word, font=font(TICK_PX), fill=SOFT, anchor="mt")
    return card


def bars_card(  # noqa: PLR0913  counts, their words and their looks
    counts: Mapping[str, int],
    title: str,
    note: str,
    size: Size,
    *,
    of: int | None = None,
    columns: int = 1,
    colours: Mapping[str, str] | None = None,
) -> Image.Image:
    """Draw counts by name as bars, the first ones, as many as there is room for.

    Args:
        counts: In the order in which they are drawn.
        title: Of the card.
        note: What is counted.
        size: Of the card, pixels.
        of: What each count is a share of; left out, of all together.
        columns: In which the bars stand.
        colours: Of the bars of some names.
    """
    rows = (size[1] - TOP_PX - PAD_PX) // BAR_PX
    shown = list(counts.items())[: rows * columns]
    more = f"; {len(counts) - len(shown):,} more not shown" if len(counts) > len(shown) else ""
    card, draw = new_card(size, title, note + more)
    total, most = of or sum(counts.values()), max(counts.values(), default=1)
    wide = (size[0] - 2 * PAD_PX) // columns
    for place, (name, count) in enumerate(shown):
        column, row = divmod(place, rows)
        left, top = PAD_PX + column * wide, TOP_PX + row * BAR_PX
        start, room = left + 150, wide - 300
        write(draw, (left, top + 2), name, size=NOTE_PX, colour=BRIGHT, room=140)
        stop = start + max(2, room * count / max(most, 1))
        fill = (colours or {}).get(name, BAR)
        draw.rounded_rectangle((start, top + 5, stop, top + BAR_PX - 6), 3, fill=fill)
        spot = (stop + 10, top + BAR_PX / 2)
        words = f"{count:,}  ·  {count / max(total, 1):.1%}"
        draw.text(spot, words, font=font(TICK_PX), fill=SOFT, anchor="lm")
    return card


def rgb(shade: str) -> tuple[int, int, int]:
    """Return a colour that was written as #rrggbb."""
    return int(shade[1:3], 16), int(shade[3:5], 16), int(shade[5:7], 16)


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that all pages use."""
    return ImageFont.load_default(size=size)
