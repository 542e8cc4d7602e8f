"""Drawing: cards with a picture, its mask or another label, and a caption, on one dark page."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from farm.dataset.images import DecodeError, decode_pass
from farm.dataset.preview.colour_maps import paint
from farm.spec.passes import PICTURED, PassName
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage

PAGE, CARD, EMPTY = "#131518", "#1d2024", "#2a2e34"
BRIGHT, SOFT = "#eceef0", "#9098a2"
PAGE_WIDTH_PX = 2400
PAGE_ASPECT = 1.4
"""What the page's width over its height comes close to."""
MARGIN_PX, HEADER_PX, GAP_PX, PAD_PX, SEAM_PX = 44, 132, 18, 12, 6
CAPTION_PX, CORNER_PX = 66, 10
TITLE_PX, SUBTITLE_PX, NAME_PX, DETAIL_PX = 44, 23, 21, 18
SIDES_PX = ((4, 420), (12, 320), (math.inf, 250))
"""(cards up to, side of a picture): few pictures may be large."""
JPEG_QUALITY = 90


@dataclass(frozen=True)
class Layout:
    """Where things are on the page, pixels."""

    picture: tuple[int, int]
    """(width, height) of a picture and of its mask."""
    beside: bool
    """The mask is to the right of its picture, not below it."""
    columns: int
    rows: int

    @property
    def mask_offset(self) -> tuple[int, int]:
        width, height = self.picture
        return (width + SEAM_PX, 0) if self.beside else (0, height + SEAM_PX)

    @property
    def card(self) -> tuple[int, int]:
        right, down = self.mask_offset
        width, height = self.picture
        return (width + right + 2 * PAD_PX, height + down + PAD_PX + CAPTION_PX)

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
    layout = lay_out(len(views), views[0].resolution_px)
    page = Image.new("RGB", layout.page, PAGE)
    draw_header(page, title, subtitle)
    for place, view in enumerate(views):
        page.paste(draw_card(layout, storage, dataset, view), layout.corner(place))
    file = io.BytesIO()
    page.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
    return file.getvalue()


def lay_out(cards: int, resolution_px: tuple[int, int]) -> Layout:
    """Choose the columns with which the page is well filled and well shaped."""
    aspect = resolution_px[0] / resolution_px[1]
    side = next(side for most, side in SIDES_PX if cards <= most)
    width, height = round(side * math.sqrt(aspect)), round(side / math.sqrt(aspect))
    width = min(width, PAGE_WIDTH_PX - 2 * (MARGIN_PX + PAD_PX))
    layouts = [
        Layout((width, height), aspect <= 1.25, columns, math.ceil(cards / columns))
        for columns in range(1, cards + 1)
    ]
    fitting = [layout for layout in layouts if layout.page[0] <= PAGE_WIDTH_PX] or layouts[:1]
    return min(fitting, key=lambda layout: ugliness(layout, cards))


def ugliness(layout: Layout, cards: int) -> float:
    """Return how far a page is from its best shape, and how much of it is left empty."""
    width, height = layout.page
    empty = 1 - cards / (layout.columns * layout.rows)
    return abs(math.log(width / height / PAGE_ASPECT)) + 2 * empty


def draw_header(page: Image.Image, title: str, subtitle: str) -> None:
    """Write the title and what the dataset holds."""
    draw = ImageDraw.Draw(page)
    room = page.width - 2 * MARGIN_PX
    write(draw, (MARGIN_PX, 34), title, size=TITLE_PX, colour=BRIGHT, room=room)
    write(draw, (MARGIN_PX, 88), subtitle, size=SUBTITLE_PX, colour=SOFT, room=room)


def draw_card(layout: Layout, storage: Storage, dataset: str, view: ViewRecord) -> Image.Image:
    """Return one card: picture, mask, caption."""
    card = Image.new("RGB", layout.card, PAGE)
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((0, 0, card.width - 1, card.height - 1), CORNER_PX, fill=CARD)
    right, down = layout.mask_offset
    for name, corner in zip(shown_passes(view), ((0, 0), (right, down)), strict=True):
        picture = load_picture(storage, dataset, view, name, layout.picture)
        card.paste(picture, (PAD_PX + corner[0], PAD_PX + corner[1]))
    room = card.width - 2 * PAD_PX
    baseline = card.height - CAPTION_PX
    write(draw, (PAD_PX + 2, baseline + 9), view.title, size=NAME_PX, colour=BRIGHT, room=room)
    details = view.view.caption
    write(draw, (PAD_PX + 2, baseline + 35), details, size=DETAIL_PX, colour=SOFT, room=room)
    return card


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
    scale = min(box[0] / picture.width, box[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    scaled = picture.resize(size, Image.Resampling.LANCZOS)
    canvas.paste(scaled, ((box[0] - size[0]) // 2, (box[1] - size[1]) // 2))
    return canvas


def write(  # noqa: PLR0913  a text, its place and its looks
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: str,
    *,
    size: int,
    colour: str,
    room: int,
) -> None:
    """Write one line, cut with an ellipsis where it is longer than `room`."""
    font = ImageFont.load_default(size=size)
    shown = text
    while len(shown) > 1 and draw.textlength(shown, font=font) > room:
        text = text[:-1]
        shown = text.rstrip(" ·") + "…"
    draw.text(corner, shown, font=font, fill=colour)
