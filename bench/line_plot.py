"""Plots of measured curves, drawn with Pillow as the other pictures of the product are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 760)
LEFT, RIGHT, TOP, BOTTOM = 110, 300, 70, 80
PAPER, INK, PALE = "#ffffff", "#22262b", "#d5d9de"
COLOURS = (
    "#2166ac", "#b2182b", "#1b7837", "#e08214", "#762a83", "#01665e", "#c51b7d", "#8c510a",
    "#4d4d4d", "#5aae61", "#d6604d", "#4393c3",
)  # fmt: skip
DOT_PX, TEXT_PX, TITLE_PX = 4, 16, 24
STEPS = 5
"""Lines of the grid on an axis that is not logarithmic."""


class Curve(NamedTuple):
    """Measured points, by what was varied."""

    points: Sequence[tuple[float, float]]


class Axis(NamedTuple):
    """One direction of a plot."""

    low: float
    high: float
    logarithmic: bool
    start_px: float
    end_px: float

    def place(self, value: float) -> float:
        """Return where a value stands, pixels."""
        low, high, at = (self._shown(each) for each in (self.low, self.high, value))
        return self.start_px + (self.end_px - self.start_px) * (at - low) / ((high - low) or 1.0)

    def marks(self) -> list[float]:
        """Return the values of its grid."""
        if not self.logarithmic:
            return [self.low + (self.high - self.low) * step / STEPS for step in range(STEPS + 1)]
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        tens = [10.0**power for power in range(first, last + 1)]
        return tens if len(tens) > 1 else sorted({self.low, *tens, self.high})

    def _shown(self, value: float) -> float:
        return math.log10(max(value, 1e-12)) if self.logarithmic else value


def line_plot(
    curves: Mapping[str, Curve], *, title: str, across: str, up: str, logarithmic: bool = False
) -> Image.Image:
    """Return a picture of curves, each with its name."""
    xs = [x for curve in curves.values() for x, _ in curve.points]
    ys = [y for curve in curves.values() for _, y in curve.points]
    width, height = SIZE
    floor = min(ys) if logarithmic else 0.0
    x_axis = Axis(min(xs), max(xs), logarithmic, LEFT, width - RIGHT)
    y_axis = Axis(floor, max(ys) * 1.05, logarithmic, height - BOTTOM, TOP)
    picture = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((LEFT, 22), title, font=font(TITLE_PX), fill=INK)
    draw_grid(draw, x_axis, y_axis)
    draw.text(
        ((LEFT + width - RIGHT) / 2, height - 30), across, font=font(TEXT_PX), fill=INK, anchor="mm"
    )
    draw.text((LEFT - 12, TOP - 12), up, font=font(TEXT_PX), fill=INK, anchor="rs")
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        draw_curve(draw, curve, x_axis, y_axis, colour)
        spot = (width - RIGHT + 40, TOP + number * 26)
        draw.rectangle((spot[0] - 24, spot[1] + 4, spot[0] - 8, spot[1] + 12), fill=colour)
        draw.text(spot, name, font=font(TEXT_PX), fill=INK)
    return picture


def draw_grid(draw: ImageDraw.ImageDraw, x_axis: Axis, y_axis: Axis) -> None:
    """Draw the lines that numbers are read from."""
    for value in y_axis.marks():
        at = y_axis.place(value)
        draw.line((x_axis.start_px, at, x_axis.end_px, at), fill=PALE)
        draw.text(
            (x_axis.start_px - 8, at), f"{value:,g}", font=font(TEXT_PX), fill=INK, anchor="rm"
        )
    for value in x_axis.marks():
        at = x_axis.place(value)
        draw.line((at, y_axis.start_px, at, y_axis.end_px), fill=PALE)
        draw.text(
            (at, y_axis.start_px + 8), f"{value:,.10g}", font=font(TEXT_PX), fill=INK, anchor="mt"
        )


def draw_curve(
    draw: ImageDraw.ImageDraw, curve: Curve, x_axis: Axis, y_axis: Axis, colour: str
) -> None:
    """Draw one curve and its points."""
    spots = [(x_axis.place(x), y_axis.place(y)) for x, y in curve.points]
    draw.line(spots, fill=colour, width=3)
    for x, y in spots:
        draw.ellipse((x - DOT_PX, y - DOT_PX, x + DOT_PX, y + DOT_PX), fill=colour)


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font of all plots."""
    return ImageFont.load_default(size=size)
