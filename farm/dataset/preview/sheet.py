"""A sheet: cards with a picture, its mask or another label, a caption and a few sentences."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from farm.dataset.images import DecodeError, decode_pass
from farm.dataset.preview.colour_maps import paint
from farm.dataset.preview.coloured_text import LINE, write_runs
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
from farm.dataset.preview.outlines import widened
from farm.dataset.preview.sentences import (
    SEVERAL,
    choose_few,
    draw_chip,
    draw_sentence,
    outlines_of,
    runs_of,
)
from farm.dataset.reader import DatasetView
from farm.dataset.spoken import anchors_of
from farm.spec.expression import Expression
from farm.spec.passes import PICTURED, PassName
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage

PAGE_WIDTH_PX = 2400
PAGE_ASPECT = 1.4
"""What the page's width over its height comes close to."""
SEAM_PX, CAPTION_PX = 6, 66
NAME_PX, DETAIL_PX = 21, 18
SIDES_PX = ((4, 420), (12, 320), (math.inf, 250))
"""(cards up to, side of a picture): few pictures may be large."""
JPEG_QUALITY = 90
RING_PX = 5
"""From one outline of an object to the next, where several sentences are about it."""
TEXT_PX, TEXT_LINES, SENTENCE_LINES = 17, 6, 2
"""Size of the letters of sentences; the lines of all of a card, and of one of them."""


@dataclass(frozen=True)
class Layout:
    """Where things are on the page, pixels."""

    picture: tuple[int, int]
    """(width, height) of a picture and of its mask."""
    beside: bool
    """The mask is to the right of its picture, not below it."""
    columns: int
    rows: int
    sentences_px: int = 0
    """Height of the sentences below a caption."""

    @property
    def mask_offset(self) -> tuple[int, int]:
        width, height = self.picture
        return (width + SEAM_PX, 0) if self.beside else (0, height + SEAM_PX)

    @property
    def card(self) -> tuple[int, int]:
        right, down = self.mask_offset
        width, height = self.picture
        below = CAPTION_PX + self.sentences_px
        return (width + right + 2 * PAD_PX, height + down + PAD_PX + below)

    @property
    def page(self) -> tuple[int, int]:
        right, bottom = self.corner(self.columns * self.rows - 1)
        return (right + self.card[0] + MARGIN_PX, bottom + self.card[1] + MARGIN_PX)

    def corner(self, place: int) -> tuple[int, int]:
        """Return the top-left corner of the card at `place`, from 0."""
        row, column = divmod(place, self.columns)
        width, height = self.card
        return (MARGIN_PX + column * (width + GAP_PX), HEADER_PX + row * (height + GAP_PX))


def draw_sheet(
    storage: Storage, dataset: str, views: Sequence[ViewRecord], *, title: str, subtitle: str
) -> bytes:
    """Return the page as JPEG."""
    told = any(view.expressions for view in views)
    layout = lay_out(len(views), views[0].resolution_px, told=told)
    page = Image.new("RGB", layout.page, PAGE)
    draw_header(page, title, subtitle)
    for place, view in enumerate(views):
        page.paste(draw_card(layout, storage, dataset, view), layout.corner(place))
    file = io.BytesIO()
    page.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
    return file.getvalue()


def lay_out(cards: int, resolution_px: tuple[int, int], *, told: bool = False) -> Layout:
    """Choose the columns with which the page is well filled and well shaped.

    Where sentences are `told`, pictures stand side by side, so that there is room for long lines.
    """
    aspect = resolution_px[0] / resolution_px[1]
    side = next(side for most, side in SIDES_PX if cards <= most)
    width, height = round(side * math.sqrt(aspect)), round(side / math.sqrt(aspect))
    width = min(width, PAGE_WIDTH_PX - 2 * (MARGIN_PX + PAD_PX))
    layouts = [
        Layout(
            (width, height),
            told or aspect <= 1.25,
            columns,
            math.ceil(cards / columns),
            sentences_px=math.ceil(TEXT_LINES * TEXT_PX * LINE) if told else 0,
        )
        for columns in range(1, cards + 1)
    ]
    fitting = [layout for layout in layouts if layout.page[0] <= PAGE_WIDTH_PX] or layouts[:1]
    return min(fitting, key=lambda layout: ugliness(layout, cards))


def ugliness(layout: Layout, cards: int) -> float:
    """Return how far a page is from its best shape, and how much of it is left empty."""
    width, height = layout.page
    empty = 1 - cards / (layout.columns * layout.rows)
    return abs(math.log(width / height / PAGE_ASPECT)) + 2 * empty


def draw_card(layout: Layout, storage: Storage, dataset: str, view: ViewRecord) -> Image.Image:
    """Return one card: picture, mask, caption."""
    card = Image.new("RGB", layout.card, PAGE)
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((0, 0, card.width - 1, card.height - 1), CORNER_PX, fill=CARD)
    right, down = layout.mask_offset
    few = choose_few(view.expressions, len(SEVERAL), first=view.view.index)
    pictures = [
        load_picture(storage, dataset, view, name, layout.picture) for name in shown_passes(view)
    ]
    if few:
        pictures[1] = draw_few(DatasetView(storage, dataset, view), pictures[0], few)
    for picture, corner in zip(pictures, ((0, 0), (right, down)), strict=True):
        card.paste(picture, (PAD_PX + corner[0], PAD_PX + corner[1]))
    room = card.width - 2 * PAD_PX
    baseline = card.height - CAPTION_PX - layout.sentences_px
    write(draw, (PAD_PX + 2, baseline + 9), view.title, size=NAME_PX, colour=BRIGHT, room=room)
    details = view.view.caption
    write(draw, (PAD_PX + 2, baseline + 35), details, size=DETAIL_PX, colour=SOFT, room=room)
    write_few(draw, (PAD_PX + 2, baseline + CAPTION_PX), few, room=room)
    return card


def draw_few(view: DatasetView, picture: Image.Image, few: Sequence[Expression]) -> Image.Image:
    """Return a picture with the objects of a few sentences, each in a colour of its own."""
    drawn = picture.copy()
    width, height = fitted(view.record.resolution_px, picture.size)
    part = drawn.crop(around_middle(picture.size, (width, height)))
    outlines = outlines_of(view, few, (width, height))
    drawn_before: Counter[int] = Counter()
    for expression, colour in zip(few, SEVERAL, strict=False):
        around = {at: widened(outlines[at], RING_PX * drawn_before[at]) for at in outlines}
        draw_sentence(part, expression, around, colour, colour)
        drawn_before.update({*expression.targets, *anchors_of(expression)})
    drawn.paste(part, around_middle(picture.size, (width, height))[:2])
    return drawn


def write_few(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], few: Sequence[Expression], *, room: int
) -> None:
    """Write a few sentences, as many as there is room for, each after a chip of its colour."""
    left, line = corner[0], 0
    for expression, colour in zip(few, SEVERAL, strict=False):
        most = min(SENTENCE_LINES, TEXT_LINES - line)
        if most < 1:
            return
        top = corner[1] + math.floor(line * TEXT_PX * LINE)
        draw_chip(draw, (left, top + 3), TEXT_PX - 4, colour, crossed=not expression.targets)
        runs = runs_of(expression, colour, colour)
        beside, width = (left + TEXT_PX + 5, top), room - TEXT_PX - 7
        line += write_runs(draw, beside, runs, size=TEXT_PX, room=width, lines=most)


def shown_passes(view: ViewRecord) -> tuple[PassName, PassName]:
    """Return the two passes of a card: picture and mask, or the first ones that there are."""
    usual: tuple[PassName, PassName] = ("rgb", "mask")
    there = [name for name in PICTURED if name in view.files]
    there += [name for name in usual if name not in there]
    return there[0], there[1]


def load_picture(
    storage: Storage, dataset: str, view: ViewRecord, name: PassName, box: tuple[int, int]
) -> Image.Image:
    """Return one pass of a view, scaled to fit a box; plain where it cannot be read."""
    canvas = Image.new("RGB", box, EMPTY)
    file = view.files.get(name)
    data = storage.get(dataset_key(dataset, file.path)) if file else None
    if file is None or data is None:
        return canvas
    try:
        colours, _note = paint(name, decode_pass(data, file.path, name), view)
    except DecodeError:
        return canvas
    picture = Image.fromarray(colours)
    size = fitted(picture.size, box)
    scaled = picture.resize(size, Image.Resampling.LANCZOS)
    canvas.paste(scaled, around_middle(box, size)[:2])
    return canvas


def fitted(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Return the size at which a picture fits into a box."""
    scale = min(box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def around_middle(box: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return where what has a size stands in the middle of a box: left, top, right, bottom."""
    left, top = (box[0] - size[0]) // 2, (box[1] - size[1]) // 2
    return left, top, left + size[0], top + size[1]
