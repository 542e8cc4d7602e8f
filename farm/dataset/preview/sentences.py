"""Sentences about a view, drawn: their targets outlined, their anchors dotted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from operator import itemgetter

from PIL import Image, ImageDraw

from farm.dataset.preview.coloured_text import LINE, Run, wrapped, write_runs
from farm.dataset.preview.drawing import BRIGHT, CARD, CORNER_PX, PAD_PX, PAGE, SOFT, write
from farm.dataset.preview.outlines import Loop, object_outlines
from farm.dataset.reader import DatasetView
from farm.dataset.spoken import anchors_of
from farm.spec.counted import counted
from farm.spec.expression import Expression

Colour = tuple[int, int, int]
TARGET, ANCHOR, NOTHING = (92, 230, 130), (255, 190, 70), (255, 110, 110)
"""What a sentence is true of; what it goes by; that it is true of nothing."""
SEVERAL = ((92, 230, 130), (255, 190, 70), (110, 190, 255), (240, 130, 220))
"""Of sentences in one picture."""
SHADOW, SOFT_NOTHING = (0, 0, 0), "#ff8a8a"
LINE_PX, DOT_STEP_PX = 2, 8
FINE = 3
"""Times that lines are drawn larger before they are made smaller: their edges are smooth."""
TEXT_PX, DETAIL_PX = 19, 16
TEXT_LINES = 4
LONGEST_TEXT = 500
"""Characters of a sentence that are looked at."""


def draw_lines(
    picture: Image.Image, loops: Sequence[Loop], colour: Colour, *, dotted: bool = False
) -> None:
    """Draw the outlines of an object onto a picture, over a shadow that sets them off."""
    size = (picture.width * FINE, picture.height * FINE)
    for shade, width in ((SHADOW, LINE_PX + 2), (colour, LINE_PX)):
        stencil = Image.new("L", size)
        draw = ImageDraw.Draw(stencil)
        for loop in loops:
            fine = [(x * FINE, y * FINE) for x, y in loop]
            if dotted:
                for x, y in along(fine, DOT_STEP_PX * FINE):
                    draw.ellipse(around(x, y, (width + 2) / 2 * FINE), fill=255)
            else:
                draw.line([*fine, *fine[:2]], fill=255, width=width * FINE, joint="curve")
        picture.paste(shade, mask=stencil.resize(picture.size, Image.Resampling.BOX))


def along(loop: Loop, step_px: float) -> Iterator[tuple[float, float]]:
    """Yield points along a closed line, a step from each other."""
    ahead = 0.0
    for (x0, y0), (x1, y1) in pairwise([*loop, loop[0]]):
        length = math.dist((x0, y0), (x1, y1))
        while ahead < length:
            yield x0 + (x1 - x0) * ahead / length, y0 + (y1 - y0) * ahead / length
            ahead += step_px
        ahead -= length


def around(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    """Return the box of a disc."""
    return x - radius, y - radius, x + radius, y + radius


def outlines_of(
    view: DatasetView, expressions: Collection[Expression], size: tuple[int, int]
) -> dict[int, list[Loop]]:
    """Return the outlines of all that some sentences are about."""
    wanted = {at for each in expressions for at in (*each.targets, *anchors_of(each))}
    return object_outlines(view, wanted, size)


def draw_sentence(
    picture: Image.Image,
    expression: Expression,
    outlines: Mapping[int, list[Loop]],
    target: Colour,
    anchor: Colour,
) -> None:
    """Draw what a sentence is true of, and what it goes by."""
    for at in anchors_of(expression):
        draw_lines(picture, outlines.get(at, []), anchor, dotted=True)
    for at in expression.targets:
        draw_lines(picture, outlines.get(at, []), target)


def details_of(expression: Expression) -> str:
    """Return what else there is to say of a sentence, on a line."""
    parts = [f"level {expression.level}"]
    if expression.source != "grammar":
        parts.append(expression.source)
    if not expression.targets:
        return "  ·  ".join(["true of nothing", *filter(None, [expression.edited]), *parts])
    if len(expression.targets) > 1:
        parts.append(counted(len(expression.targets), "target"))
    return "  ·  ".join([expression.kind, *parts, counted(expression.rivals, "rival")])


def runs_of(expression: Expression, target: Colour, anchor: Colour) -> list[Run]:
    """Return the text of a sentence, with the phrases that mean something in their colours.

    Of phrases in phrases the inner ones show.
    """
    text = expression.text[:LONGEST_TEXT]
    colours: list[str | Colour] = [BRIGHT] * len(text)
    for phrase in sorted(expression.phrases, key=lambda phrase: phrase.start - phrase.end):
        if phrase.start < phrase.end <= len(text) and phrase.objects:
            colour = anchor if phrase.role == "anchor" else target
            colours[phrase.start : phrase.end] = [colour] * (phrase.end - phrase.start)
    parts = groupby(zip(text, colours, strict=True), key=itemgetter(1))
    return [Run("".join(letter for letter, _colour in part), colour) for colour, part in parts]


def room_of(picture: Image.Image) -> int:
    """Return the width of a sentence below a picture."""
    return picture.width - 4


def lines_of(expression: Expression, room: int) -> int:
    """Return how many lines a sentence takes below its picture."""
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    words = wrapped(draw, runs_of(expression, TARGET, ANCHOR), size=TEXT_PX, room=room)
    return min(TEXT_LINES, 1 + max((word.line for word in words), default=0))


def draw_sentence_card(
    picture: Image.Image,
    expression: Expression,
    outlines: Mapping[int, list[Loop]],
    *,
    lines: int,
) -> Image.Image:
    """Return a card: the picture with the objects, the sentence, and what is known of it.

    Args:
        picture: What the view shows.
        expression: The sentence.
        outlines: Of its objects, by place, in that picture.
        lines: Room for so many of the sentence.
    """
    width, below = picture.width + 2 * PAD_PX, picture.height + PAD_PX
    text_px = math.ceil(lines * TEXT_PX * LINE)
    card = Image.new("RGB", (width, below + text_px + DETAIL_PX + 30), PAGE)
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((0, 0, width - 1, card.height - 1), CORNER_PX, fill=CARD)
    drawn = picture.copy()
    draw_sentence(drawn, expression, outlines, TARGET, ANCHOR)
    card.paste(drawn, (PAD_PX, PAD_PX))
    if not expression.targets:
        draw.rectangle((PAD_PX, PAD_PX, width - PAD_PX - 1, below - 1), outline=NOTHING, width=3)
    left, room = PAD_PX + 2, room_of(picture)
    runs = runs_of(expression, TARGET, ANCHOR)
    write_runs(draw, (left, below + 9), runs, size=TEXT_PX, room=room, lines=lines)
    colour = SOFT if expression.targets else SOFT_NOTHING
    last = (left, below + text_px + 12)
    write(draw, last, details_of(expression), size=DETAIL_PX, colour=colour, room=room)
    return card


def draw_chip(
    draw: ImageDraw.ImageDraw,
    corner: tuple[float, float],
    side: int,
    colour: Colour,
    *,
    crossed: bool,
) -> None:
    """Draw the sign of a sentence: a disc in its colour, a cross where it is true of nothing."""
    left, top = corner
    right, bottom = left + side, top + side
    if not crossed:
        draw.ellipse((left, top, right, bottom), fill=colour)
        return
    draw.line((left + 1, top + 1, right - 1, bottom - 1), fill=NOTHING, width=3)
    draw.line((left + 1, bottom - 1, right - 1, top + 1), fill=NOTHING, width=3)


def choose_few(expressions: Sequence[Expression], most: int, *, first: int) -> list[Expression]:
    """Return a few sentences of a view that are unlike: of many kinds, about many things.

    At most one is true of nothing, unless all are. `first` is the place of the one to begin with,
    counted around: other views show others.
    """
    start = first % max(len(expressions), 1)
    left = [*expressions[start:], *expressions[:start]]
    kinds: Counter[str] = Counter()
    things: Counter[int] = Counter()
    chosen: list[Expression] = []
    while left and len(chosen) < most:
        best = min(
            left, key=lambda each: (kinds[each.kind], sum(things[at] for at in each.targets))
        )
        left.remove(best)
        chosen.append(best)
        kinds[best.kind] += 1
        things.update(best.targets)
        if not best.targets:
            true_ones = [each for each in left if each.targets]
            left = true_ones or left
    return chosen
