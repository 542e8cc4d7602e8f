"""What is known of the objects in a picture, drawn over it."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from farm.dataset.preview.colour_maps import GOLDEN_RATIO, hue_colour
from farm.spec.label import ObjectLabel, Point2
from farm.spec.record import ViewRecord

EDGES = tuple(
    (corner, corner | side) for corner in range(8) for side in (1, 2, 4) if not corner & side
)
"""Pairs of the 8 corners of a box, as records number them."""
LABEL_PX, DOT_PX = 14, 4
DOT = (255, 221, 87)


def draw_objects(picture: Image.Image, record: ViewRecord) -> Image.Image:
    """Return the picture of a view, of any size, with boxes, poses and keypoints over it."""
    drawn = picture.convert("RGB")
    draw = ImageDraw.Draw(drawn)
    scale = (drawn.width / record.resolution_px[0], drawn.height / record.resolution_px[1])
    for number, label in enumerate(record.objects):
        draw_object(draw, label, scale, hue_colour(0.45 + number * GOLDEN_RATIO))
    return drawn


def draw_object(
    draw: ImageDraw.ImageDraw,
    label: ObjectLabel,
    scale: tuple[float, float],
    colour: tuple[int, int, int],
) -> None:
    """Draw one object: its tight box thick, its own box thin, its keypoints as dots, hidden ones
    as rings.
    """
    for one, other in EDGES:
        if max(one, other) >= len(label.corners_px):
            break
        first, second = label.corners_px[one], label.corners_px[other]
        if first is not None and second is not None:
            draw.line((at(first, scale), at(second, scale)), fill=(255, 255, 255), width=1)
    if label.box_px is not None:
        left, top = at(label.box_px[:2], scale)
        right, bottom = at(label.box_px[2:], scale)
        last = (max(left, right - 1), max(top, bottom - 1))  # of a small picture it may be a point
        draw.rectangle((left, top, *last), outline=colour, width=2)
        tag(draw, (left, top), label.category, colour)
    for point in label.keypoints:
        if point.px is not None:
            u, v = at(point.px, scale)
            box = (u - DOT_PX, v - DOT_PX, u + DOT_PX, v + DOT_PX)
            if point.visible is False:  # a ring
                draw.ellipse(box, outline=DOT, width=1)
            else:
                draw.ellipse(box, fill=DOT, outline=(20, 20, 20), width=1)


def at(point: Point2, scale: tuple[float, float]) -> tuple[float, float]:
    """Return where a point of the view falls in the scaled picture; far ones are brought near."""
    return tuple(max(-1e4, min(1e4, part * of)) for part, of in zip(point, scale, strict=True))  # type: ignore[return-value]  # two of them


def tag(
    draw: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, colour: tuple[int, int, int]
) -> None:
    """Write a word above a corner, or below it where there is no room."""
    font = ImageFont.load_default(size=LABEL_PX)
    width = draw.textlength(text, font=font)
    left, top = corner[0], corner[1] - LABEL_PX - 5
    top = top if top >= 0 else corner[1]
    draw.rectangle((left, top, left + width + 8, top + LABEL_PX + 5), fill=colour)
    draw.text((left + 4, top + 1), text, font=font, fill=(15, 15, 15))
