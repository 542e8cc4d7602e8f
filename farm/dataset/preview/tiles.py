"""One view: its passes as pictures, side by side on a page."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from farm.dataset.preview.colour_maps import paint
from farm.dataset.preview.drawing import (
    BRIGHT,
    CARD,
    CORNER_PX,
    EMPTY,
    GAP_PX,
    HEADER_PX,
    MARGIN_PX,
    PAD_PX,
    PAGE,
    SOFT,
    draw_header,
    write,
)
from farm.dataset.preview.overlay import draw_objects
from farm.dataset.preview.sentences import (
    draw_sentence_card,
    lines_of,
    outlines_of,
    room_of,
)
from farm.dataset.reader import DatasetError, DatasetView
from farm.errors import SetupError, SpecError
from farm.spec.counted import counted
from farm.spec.passes import OUTLINED, PASSES, PICTURED, PassName

TILE_PX = 400
"""Longer side of a picture on the page."""
CAPTION_PX, TITLE_PX, NOTE_PX = 44, 20, 17
MOST_SENTENCES, MOST_COLUMNS = 120, 8
"""On a page of one view."""


class Tile(NamedTuple):
    """One picture of a view."""

    title: str
    note: str
    """What its colours span, or why there is none."""
    picture: Image.Image


def view_tiles(view: DatasetView, *, side_px: int) -> Iterator[Tile]:
    """Yield the passes of a view as pictures whose longer side is `side_px`.

    After `rgb`, where objects are known, comes the same with their boxes and keypoints. A pass
    that cannot be read is a plain tile that says so.
    """
    size = fitting(view.record.resolution_px, side_px)
    for name in (name for name in (*PICTURED, *OUTLINED) if name in view.passes):
        tile = pass_tile(view, name, size)
        yield tile
        if name == "rgb" and view.record.objects:
            note = ", ".join(sorted({label.category for label in view.record.objects}))
            yield Tile("objects", note, draw_objects(tile.picture, view.record))


def pass_tile(view: DatasetView, name: PassName, size: tuple[int, int]) -> Tile:
    """Return one pass; labels are made larger without mixing their values."""
    try:
        colours, note = paint(name, view[name], view.record)
    except SetupError:
        raise
    except (DatasetError, SpecError):
        return Tile(name, "cannot be read", Image.new("RGB", size, EMPTY))
    picture = Image.fromarray(np.ascontiguousarray(colours))
    smaller = size[0] < picture.width
    smooth = smaller or PASSES[name].kind in ("picture", "cutout")
    method = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
    return Tile(name, note, picture.resize(size, method))


def fitting(resolution_px: tuple[int, int], side_px: int) -> tuple[int, int]:
    """Return the size at which a picture's longer side is `side_px`."""
    scale = side_px / max(resolution_px)
    return max(1, round(resolution_px[0] * scale)), max(1, round(resolution_px[1] * scale))


def draw_view(view: DatasetView) -> bytes:
    """Return a page with all passes of a view, and its sentences below them, as PNG."""
    tiles = list(view_tiles(view, side_px=TILE_PX))
    width, height = fitting(view.record.resolution_px, TILE_PX)
    size = (width + 2 * PAD_PX, height + PAD_PX + CAPTION_PX)
    cards = [draw_tile(tile, size) for tile in tiles]
    sentences = draw_sentences(view, tiles[0].picture)
    columns = columns_of(len(cards) + len(sentences), size)
    record = view.record
    width_px, height_px = record.resolution_px
    facts = [record.title, record.view.caption, f"{width_px} x {height_px} px"]
    if record.expressions:
        facts.append(sentences_shown(len(record.expressions)))
    page = lay_cards([*rows_of(cards, columns), *rows_of(sentences, columns)], columns)
    draw_header(page, view.key, "  ·  ".join(facts))
    file = io.BytesIO()
    page.save(file, "PNG")
    return file.getvalue()


def draw_sentences(view: DatasetView, picture: Image.Image) -> list[Image.Image]:
    """Return a card for each sentence of a view, of many the first."""
    shown = view.record.expressions[:MOST_SENTENCES]
    outlines = outlines_of(view, shown, picture.size)
    lines = max((lines_of(each, room_of(picture)) for each in shown), default=0)
    return [draw_sentence_card(picture, each, outlines, lines=lines) for each in shown]


def sentences_shown(count: int) -> str:
    """Return how many sentences there are, and how many of them are shown if not all are."""
    some = f", the first {MOST_SENTENCES} shown" if count > MOST_SENTENCES else ""
    return f"{counted(count, 'sentence')}{some}"


def columns_of(cards: int, size: tuple[int, int]) -> int:
    """Return in how many columns cards make a page that is wider than it is high."""
    return max(1, min(cards, MOST_COLUMNS, round(math.sqrt(cards * 1.6 * size[1] / size[0]))))


def rows_of(cards: Sequence[Image.Image], columns: int) -> list[Sequence[Image.Image]]:
    """Return cards in rows."""
    return [cards[first : first + columns] for first in range(0, len(cards), columns)]


def lay_cards(rows: Sequence[Sequence[Image.Image]], columns: int) -> Image.Image:
    """Return a page with rows of cards, all of one width, below the room for its header."""
    wide = rows[0][0].width
    heights = [max(card.height for card in row) + GAP_PX for row in rows]
    size = (
        2 * MARGIN_PX + columns * (wide + GAP_PX) - GAP_PX,
        HEADER_PX + sum(heights) - GAP_PX + MARGIN_PX,
    )
    page = Image.new("RGB", size, PAGE)
    top = HEADER_PX
    for row, height in zip(rows, heights, strict=True):
        for column, card in enumerate(row):
            page.paste(card, (MARGIN_PX + column * (wide + GAP_PX), top))
        top += height
    return page


def draw_tile(tile: Tile, size: tuple[int, int]) -> Image.Image:
    """Return a card: the picture, its title and its note."""
    card = Image.new("RGB", size, PAGE)
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((0, 0, card.width - 1, card.height - 1), CORNER_PX, fill=CARD)
    card.paste(tile.picture, (PAD_PX, PAD_PX))
    line = card.height - CAPTION_PX + 11
    room = card.width - 2 * PAD_PX
    write(draw, (PAD_PX + 2, line), tile.title, size=TITLE_PX, colour=BRIGHT, room=room)
    taken = draw.textlength(tile.title, font_size=TITLE_PX) + 14
    if tile.note and taken < room - 40:
        corner = (PAD_PX + 2 + round(taken), line + 3)
        write(draw, corner, tile.note, size=NOTE_PX, colour=SOFT, room=round(room - taken))
    return card
