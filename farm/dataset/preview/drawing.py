"""Drawing: the colours and sizes that all pages share, their headers and lines of text."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

PAGE, CARD, EMPTY = "#131518", "#1d2024", "#2a2e34"
BRIGHT, SOFT = "#eceef0", "#9098a2"
MARGIN_PX, HEADER_PX, GAP_PX, PAD_PX = 44, 132, 18, 12
CORNER_PX = 10
TITLE_PX, SUBTITLE_PX = 44, 23


def draw_header(page: Image.Image, title: str, subtitle: str) -> None:
    """Write the title and what the dataset holds."""
    draw = ImageDraw.Draw(page)
    room = page.width - 2 * MARGIN_PX
    write(draw, (MARGIN_PX, 34), title, size=TITLE_PX, colour=BRIGHT, room=room)
    write(draw, (MARGIN_PX, 88), subtitle, size=SUBTITLE_PX, colour=SOFT, room=room)


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
