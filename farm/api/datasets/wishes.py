"""Which views somebody wants to see: by words, assets, classes, sentences, flags, sides, time."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import Field

from farm.api.datasets.view_cards import Flag, flags_of
from farm.dataset.stats.gather import (
    PITCHES,
    SIZES,
    YAWS,
    clipped,
    field_of,
    sides_seen,
)
from farm.spec.base import Spec
from farm.spec.expression import ExpressionKind
from farm.spec.record import ViewRecord

MOST_CHARS = 200
CELL = r"^[0-9]{1,2},[0-9]{1,2}$"


class ViewWish(Spec):
    """What must all be true of a view."""

    find: str = Field(default="", max_length=MOST_CHARS)
    """Words that must all be in its name, title, assets, classes, worker or sentences."""
    view: str = Field(default="", max_length=MOST_CHARS)
    """Its very name."""
    asset: str = Field(default="", max_length=MOST_CHARS)
    """File of an asset that it is made of."""
    category: str = Field(default="", max_length=MOST_CHARS)
    """Class of a thing in it."""
    worker: str = Field(default="", max_length=MOST_CHARS)
    """Who rendered it."""
    facet: str = Field(default="", max_length=MOST_CHARS)
    """What its recipe counts it by: `framing=tight`."""
    kind: ExpressionKind | None = None
    """Kind of a sentence about it."""
    level: int | None = Field(default=None, ge=1, le=5)
    """Level of that sentence."""
    negative: bool | None = None
    """That sentence is one that means nothing, or is not."""
    flag: Flag | None = None
    """What may be worth a look."""
    side: str | None = Field(default=None, pattern=CELL)
    """Field of the coverage's dome from which a thing is seen: row of pitch, column of yaw."""
    size: str | None = Field(default=None, pattern=CELL)
    """Field of the coverage's sizes of boxes: row of height, column of width."""
    sequence: str = Field(default="", max_length=400)
    """Sequence that it is a frame of."""

    def fits(self, record: ViewRecord) -> bool:
        """Say whether a view is wanted."""
        return all(self._checks(record))

    def quick(self) -> QuickLook:
        """Return what says of the lines of records whether they are worth reading."""
        exact = (self.view, self.asset, self.category, self.worker, self.sequence)
        return QuickLook(self.find.split(), [each for each in exact if each])

    def _checks(self, record: ViewRecord) -> Iterator[bool]:
        yield has_words(record, self.find.casefold().split())
        if self.view:
            yield record.view.name == self.view
        if self.asset:
            yield any(asset.name == self.asset for asset in record.assets)
        if self.category:
            yield any(label.category == self.category for label in record.objects)
        if self.worker:
            yield record.worker == self.worker
        if self.facet:
            name, _, word = self.facet.partition("=")
            yield record.view.facets.get(name) == word
        if self.sequence:
            yield record.view.moment is not None and record.view.moment.sequence == self.sequence
        if self.flag:
            yield self.flag in flags_of(record)
        yield self._has_sentence(record)
        yield self._is_in_fields(record)

    def _has_sentence(self, record: ViewRecord) -> bool:
        """Say whether one sentence is of the kind, level and sort that are wanted."""
        if self.kind is None and self.level is None and self.negative is None:
            return True
        return any(
            self.kind in (None, each.kind)
            and self.level in (None, each.level)
            and self.negative in (None, each.negative)
            for each in record.expressions
        )

    def _is_in_fields(self, record: ViewRecord) -> bool:
        """Say whether a thing is seen from the side, and has the size, that are wanted."""
        is_seen = self.side is None or cell_of(self.side) in sides_of(record)
        return is_seen and (self.size is None or cell_of(self.size) in sizes_of(record))


class QuickLook:
    """Says of the line of a record, unread, whether it may be of a view that is wanted."""

    def __init__(self, words: list[str], exact: list[str]) -> None:
        self._words = [as_written(word).casefold() for word in words]
        self._exact = [as_written(text).encode() for text in exact]

    def __call__(self, line: bytes) -> bool:
        """Say whether a line has all in it; of one with escaped letters nobody knows."""
        if b"\\u" in line:
            return True
        if not all(text in line for text in self._exact):
            return False
        if not self._words:
            return True
        said = line.decode("utf-8", "replace").casefold()
        return all(word in said for word in self._words)


def as_written(text: str) -> str:
    """Return a text as it stands in JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def has_words(record: ViewRecord, words: list[str]) -> bool:
    """Say whether all words are in what a view says of itself."""
    if not words:
        return True
    said = " ".join(
        (
            record.view.name,
            record.title,
            record.worker,
            *(asset.name for asset in record.assets),
            *(label.category for label in record.objects),
            *(sentence.text for sentence in record.expressions),
        )
    ).casefold()
    return all(word in said for word in words)


def cell_of(text: str) -> tuple[int, int]:
    """Return row and column."""
    row, column = text.split(",")
    return int(row), int(column)


def sides_of(record: ViewRecord) -> set[tuple[int, int]]:
    """Return in which fields of the dome the things of a view are counted."""
    return {
        (field_of(clipped(pitch / 90), PITCHES), field_of(clipped(yaw % 360 / 360), YAWS))
        for yaw, pitch in sides_seen(record)
    }


def sizes_of(record: ViewRecord) -> set[tuple[int, int]]:
    """Return in which fields of sizes the boxes of a view are counted."""
    width, height = (max(side, 1) for side in record.resolution_px)
    boxes = [label.box_px for label in record.objects if label.box_px is not None]
    return {
        (
            field_of(clipped(bottom / height) - clipped(top / height), SIZES),
            field_of(clipped(right / width) - clipped(left / width), SIZES),
        )
        for left, top, right, bottom in boxes
    }
