"""Statistics as one picture: a dome, heat maps, histograms and bars on a dark page."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from farm.dataset.preview.drawing import (
    BRIGHT,
    CARD,
    GAP_PX,
    HEADER_PX,
    MARGIN_PX,
    PAGE,
    SOFT,
    draw_header,
    write,
)
from farm.dataset.stats.cards import (
    BAR,
    BAR_PX,
    EMPTY,
    INSIDE_PX,
    LINE,
    LOW_PX,
    MOST_BARS,
    NOTE_PX,
    PAD_PX,
    TALL_PX,
    TICK_PX,
    TOP_PX,
    WIDTH_PX,
    Size,
    font,
    histogram_card,
    new_card,
    rgb,
)
from farm.dataset.stats.gather import AssetStats, DatasetStats
from farm.dataset.stats.motion import MotionStats, SequenceStats, numbers_of
from farm.dataset.stats.sentence_cards import sentence_rows
from farm.spec.recipes import word_of

HEAT = ("#1d2a44", "#1f5a8c", "#2b93a5", "#6cc48a", "#f3e66b")
"""From few to many."""
FINE = 3
"""Times that the dome is drawn larger before it is made smaller: its edges are smooth."""


def draw_stats(stats: DatasetStats, *, title: str, subtitle: str) -> bytes:
    """Return the page as PNG."""
    third = (INSIDE_PX - 2 * GAP_PX) // 3
    half = (INSIDE_PX - GAP_PX) // 2
    rows = [
        [
            dome_card(stats, (third, TALL_PX)),
            position_card(stats, (third, TALL_PX)),
            size_card(stats, (third, TALL_PX)),
        ],
        [
            histogram_card(
                stats.brightness,
                "Brightness",
                stats.ill_lit_told or "mean of a picture",
                (third, LOW_PX),
            ),
            histogram_card(
                stats.edges,
                "Edges",
                "share of a mask's pixels that are partly covered",
                (third, LOW_PX),
            ),
            histogram_card(
                stats.coverage,
                "Coverage",
                "share of the picture that objects cover",
                (third, LOW_PX),
            ),
        ],
        *(motion_rows(stats.motion) if stats.motion else ()),
        *(sentence_rows(stats.sentences) if stats.sentences else ()),
        *asset_rows(stats, half),
    ]
    heights = [max(card.height for card in row) for row in rows]
    height = HEADER_PX + sum(heights) + GAP_PX * (len(rows) - 1) + MARGIN_PX
    page = Image.new("RGB", (WIDTH_PX, height), PAGE)
    draw_header(page, title, subtitle)
    top = HEADER_PX
    for row, tall in zip(rows, heights, strict=True):
        left = MARGIN_PX
        for card in row:
            page.paste(card, (left, top))
            left += card.width + GAP_PX
        top += tall + GAP_PX
    file = io.BytesIO()
    page.save(file, "PNG", optimize=True)
    return file.getvalue()


def asset_rows(stats: DatasetStats, width: int) -> list[list[Image.Image]]:
    """Return a card for the assets of each role, two in a row."""
    by_role: dict[str, list[AssetStats]] = {}
    for asset in stats.assets:
        by_role.setdefault(asset.role, []).append(asset)
    cards = [
        assets_card(assets, plural_of(word_of(role)), width) for role, assets in by_role.items()
    ]
    return [cards[place : place + 2] for place in range(0, len(cards), 2)]


def motion_rows(motion: MotionStats) -> list[list[Image.Image]]:
    """Return cards of how sequences move: frame by frame, and one by one."""
    size = ((INSIDE_PX - 3 * GAP_PX) // 4, LOW_PX)
    drawn = (
        (motion.speed, "Camera speed", "units per second"),
        (motion.flow_px, "Flow", "median of a frame, pixels"),
        (motion.baseline, "Baseline", "way to the next frame, over depth"),
        (motion.valid, "Valid flow", "share of the picture"),
    )
    cards = [histogram_card(histogram, title, what, size) for histogram, title, what in drawn]
    return [cards, [sequences_card(motion.sequences)]]


def sequences_card(sequences: Sequence[SequenceStats]) -> Image.Image:
    """Draw how long each sequence is, and how it moves; the longest first."""
    shown = sorted(sequences, key=lambda each: -each.frames)[:MOST_BARS]
    more = len(sequences) - len(shown)
    note = f"frames of each of {len(sequences):,}, and medians" + (
        f"; {more:,} more not shown" if more else ""
    )
    height = TOP_PX + PAD_PX + BAR_PX * len(shown)
    card, draw = new_card((INSIDE_PX, height), "Sequences", note)
    most = max(each.frames for each in shown)
    start, end = PAD_PX + 480, INSIDE_PX - PAD_PX - 740
    for place, each in enumerate(shown):
        top = TOP_PX + place * BAR_PX
        write(draw, (PAD_PX, top + 2), each.sequence, size=NOTE_PX, colour=BRIGHT, room=465)
        stop = start + max(2, (end - start) * each.frames / most)
        draw.rounded_rectangle((start, top + 5, stop, top + BAR_PX - 6), 3, fill=BAR)
        spot = (stop + 10, top + BAR_PX / 2)
        words = "  ·  ".join(numbers_of(each))
        draw.text(spot, words, font=font(TICK_PX), fill=SOFT, anchor="lm")
    return card


def plural_of(word: str) -> str:
    """Return the heading of a list: `Models`, `HDRIs`."""
    return f"{word[0].upper()}{word[1:]}s"


def dome_card(stats: DatasetStats, size: Size) -> Image.Image:
    """Draw from where views were taken: the dome from above, its top in the middle."""
    counts = np.array(stats.dome)
    note = f"sides seen, by yaw and pitch; a field counts 0 to {counts.max():,}"
    card, draw = new_card(size, "Cameras", note)
    side = min(size[0] - 2 * PAD_PX - 2 * 34, size[1] - TOP_PX - PAD_PX - 2 * 30)
    left, top = (size[0] - side) // 2, TOP_PX + 30
    card.paste(draw_dome(counts, side), (left, top))
    middle, centre = left + side / 2, top + side / 2
    for degrees in range(0, 360, 45):
        angle = math.radians(degrees)
        reach = side / 2 + 24
        spot = (middle + reach * math.sin(angle), centre - reach * math.cos(angle))
        draw.text(spot, f"{degrees}°", font=font(TICK_PX), fill=SOFT, anchor="mm")
    for degrees in (0, 30, 60, 90):
        reach = side / 2 * (1 - degrees / 90) - (14 if degrees == 0 else 0)
        draw.text(
            (middle, centre - reach), f"{degrees}°", font=font(TICK_PX), fill=BRIGHT, anchor="mm",
            stroke_width=2, stroke_fill=PAGE,
        )  # fmt: skip
    return card


def draw_dome(counts: NDArray[np.int64], side: int) -> Image.Image:
    """Return the fields of the dome, (pitches, yaws), as a disc; yaw 0 is up, 90 is right."""
    fine = side * FINE
    disc = Image.new("RGB", (fine, fine), CARD)
    draw = ImageDraw.Draw(disc)
    pitches, yaws = counts.shape
    shades = heat(counts / max(int(counts.max()), 1))
    for pitch in range(pitches):  # from the rim inwards: each disc covers the middle of the last
        radius = fine / 2 * (1 - pitch / pitches)
        box = (fine / 2 - radius, fine / 2 - radius, fine / 2 + radius, fine / 2 + radius)
        for yaw in range(yaws):
            fill = shades[pitch, yaw] if counts[pitch, yaw] else EMPTY
            first = 360 / yaws * yaw - 90  # Pillow's 0 is right, and it turns the same way
            colour = fill if isinstance(fill, str) else tuple(fill.tolist())
            draw.pieslice(box, first, first + 360 / yaws, fill=colour)
        draw.ellipse(box, outline=CARD, width=FINE)
    for yaw in range(yaws):  # lines between fields, but for the innermost
        angle = 2 * math.pi * yaw / yaws
        spots = [
            (fine / 2 * (1 + reach * math.sin(angle)), fine / 2 * (1 - reach * math.cos(angle)))
            for reach in (1 / pitches, 1)
        ]
        draw.line(spots, fill=CARD, width=FINE)
    return disc.resize((side, side), Image.Resampling.LANCZOS)


def position_card(stats: DatasetStats, size: Size) -> Image.Image:
    """Draw where in the picture models are."""
    share = np.array(stats.position)
    note = f"share of views, by {stats.position_from}: up to {share.max():.0%}"
    card, _draw = new_card(size, "Position", note)
    width, height = shape_of(stats)
    draw_field(card, share / max(float(share.max()), 1e-9), width / height, ("", ""))
    return card


def size_card(stats: DatasetStats, size: Size) -> Image.Image:
    """Draw how wide and high models are."""
    counts = np.array(stats.size)
    note = f"boxes by width and height; a field counts 0 to {counts.max():,}"
    card, _draw = new_card(size, "Size", note)
    share = counts / max(int(counts.max()), 1)
    draw_field(card, share[::-1], 1.0, ("width", "height"))
    return card


def draw_field(
    card: Image.Image, share: NDArray[np.float64], aspect: float, axes: tuple[str, str]
) -> None:
    """Draw a heat map of 0..1 into the middle of a card, with its axes from 0 to 100 %."""
    draw = ImageDraw.Draw(card)
    room = (card.width - 2 * PAD_PX - 76, card.height - TOP_PX - PAD_PX - 58)
    scale = min(room[0] / aspect, room[1])
    width, height = round(scale * aspect), round(scale)
    colours = np.where(share[..., None] > 0, heat(share), np.array(rgb(EMPTY), np.uint8))
    field = Image.fromarray(colours.astype(np.uint8)).resize(
        (width, height), Image.Resampling.NEAREST
    )
    left, top = PAD_PX + 56 + (room[0] - width) // 2, TOP_PX + (room[1] - height) // 2
    card.paste(field, (left, top))
    draw.rectangle((left - 1, top - 1, left + width, top + height), outline=LINE)
    for part in (0.0, 0.5, 1.0):
        word = f"{part:.0%}"
        across = (left + part * width, top + height + 10)
        draw.text(across, word, font=font(TICK_PX), fill=SOFT, anchor="mt")
        up = 1 - part if axes[1] else part
        draw.text((left - 10, top + up * height), word, font=font(TICK_PX), fill=SOFT, anchor="rm")
    draw.text(
        (left + width / 2, top + height + 34), axes[0], font=font(TICK_PX), fill=SOFT, anchor="mt"
    )
    draw.text((left - 10, top + height / 4), axes[1], font=font(TICK_PX), fill=SOFT, anchor="rm")


def assets_card(assets: Sequence[AssetStats], title: str, width: int) -> Image.Image:
    """Draw how many views each asset has, and how they look; the most seen first."""
    shown = sorted(assets, key=lambda asset: -asset.views)[:MOST_BARS]
    more = len(assets) - len(shown)
    note = f"views of each of {len(assets):,}, and means" + (
        f"; {more:,} more not shown" if more else ""
    )
    height = TOP_PX + PAD_PX + BAR_PX * max(1, len(shown))
    card, draw = new_card((width, height), title, note)
    most = max((asset.views for asset in shown), default=1)
    start, end = PAD_PX + 220, width - PAD_PX - 430
    for place, asset in enumerate(shown):
        top = TOP_PX + place * BAR_PX
        name = PurePath(asset.name).stem
        write(draw, (PAD_PX, top + 2), name, size=NOTE_PX, colour=BRIGHT, room=205)
        stop = start + max(2, (end - start) * asset.views / most)
        draw.rounded_rectangle((start, top + 5, stop, top + BAR_PX - 6), 3, fill=BAR)
        spot = (stop + 10, top + BAR_PX / 2)
        draw.text(spot, describe_asset(asset), font=font(TICK_PX), fill=SOFT, anchor="lm")
    return card


def describe_asset(asset: AssetStats) -> str:
    """Return how often an asset is seen, and means of its views."""
    means = (("brightness", asset.brightness), ("edges", asset.edges), ("coverage", asset.coverage))
    known = (f"{name} {value:.2f}" for name, value in means if value is not None)
    return "  ·  ".join([f"{asset.views:,}", *known])


def shape_of(stats: DatasetStats) -> Size:
    """Return width and height of most pictures."""
    width, _, height = next(iter(stats.resolutions_px), "1x1").partition("x")
    return int(width), int(height)


def heat(share: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the colours, (..., 3), of 0..1."""
    stops = np.linspace(0, 1, len(HEAT))
    parts = [np.interp(share, stops, [rgb(shade)[at] for shade in HEAT]) for at in range(3)]
    return np.stack(parts, axis=-1).astype(np.uint8)
