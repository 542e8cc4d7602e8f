"""Sentences in several colours, over several lines of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PIL import ImageDraw, ImageFont

LINE = 1.3
"""From one line to the next, times the size of the letters."""


class Run(NamedTuple):
    """A part of a text."""

    text: str
    colour: str | tuple[int, int, int]


class Placed(NamedTuple):
    """A word on its line."""

    x: float
    line: int
    text: str
    colour: str | tuple[int, int, int]


def write_runs(  # noqa: PLR0913  a text, its place and its looks
    draw: ImageDraw.ImageDraw,
    corner: tuple[float, float],
    runs: Sequence[Run],
    *,
    size: int,
    room: float,
    lines: int,
) -> int:
    """Write a text, wrapped, cut with an ellipsis after so many lines; return how many it takes."""
    placed = list(wrapped(draw, runs, size=size, room=room))
    font = ImageFont.load_default(size=size)
    shown = [word for word in placed if word.line < lines]
    if len(shown) < len(placed):
        shown = cut(draw, shown, size=size, room=room)
    for word in shown:
        spot = (corner[0] + word.x, corner[1] + word.line * size * LINE)
        draw.text(spot, word.text, font=font, fill=word.colour)
    return shown[-1].line + 1 if shown else 0


def wrapped(
    draw: ImageDraw.ImageDraw, runs: Sequence[Run], *, size: int, room: float
) -> Iterator[Placed]:
    """Yield the words of a text on lines of a width; what is wider than a line is broken."""
    space = draw.textlength(" ", font_size=size)
    x, line, glued = 0.0, 0, True
    for run in runs:
        for number, word in enumerate(run.text.split(" ")):
            if number and x:
                x += space
                glued = False
            for piece in pieces(draw, word, size=size, room=room):
                width = draw.textlength(piece, font_size=size)
                if x and x + width > room and not glued:
                    x, line = 0.0, line + 1
                yield Placed(x, line, piece, run.colour)
                x, glued = x + width, len(piece) == len(word)


def pieces(draw: ImageDraw.ImageDraw, word: str, *, size: int, room: float) -> Iterator[str]:
    """Yield a word, or the parts of one that is wider than a line."""
    while len(word) > 1 and draw.textlength(word, font_size=size) > room:
        fits = next(
            count
            for count in range(len(word) - 1, 0, -1)
            if count == 1 or draw.textlength(word[:count], font_size=size) <= room
        )
        yield word[:fits]
        word = word[fits:]
    if word:
        yield word


def cut(draw: ImageDraw.ImageDraw, words: list[Placed], *, size: int, room: float) -> list[Placed]:
    """Return words that end with an ellipsis, which fits on their last line."""
    *before, last = words
    end = draw.textlength("…", font_size=size)
    text = last.text
    while text and last.x + draw.textlength(text, font_size=size) + end > room:
        text = text[:-1]
    return [*before, last._replace(text=f"{text}…")]
