"""What is known of a thing while its noun phrase is read."""

from __future__ import annotations

from typing import Any, NamedTuple

from farm.expressions.lexicon import Meaning
from farm.expressions.meaning import (
    Between,
    Nearest,
    Ordinal,
    Relation,
    Same,
    Superlative,
    Thing,
)

Spans = tuple[tuple[int, int, Thing], ...]
"""First tokens of noun phrases, those after their last ones, and what they mean."""


class Found(NamedTuple):
    """A noun phrase that ends before a token."""

    thing: Thing
    end: int
    number: int | None
    phrases: Spans


class Draft(NamedTuple):
    """What is known of a thing while its noun phrase is read."""

    looks: Thing = Thing()
    ordinal: int | None = None
    phrases: Spans = ()
    is_near: bool = False
    """`The nearest mug` was read, but not yet to what."""
    followed: bool = False
    """Something after its noun was read: `and` may join more to that."""

    @property
    def is_open(self) -> bool:
        """It is one of several, but it was not yet read which: counted from where, near to what."""
        return self.is_near or self.ordinal is not None


def told_by(draft: Draft, meaning: Meaning, anchor: Found) -> Draft | None:
    """Return a draft with what a thing is told by."""
    looks = draft.looks
    phrases = (*draft.phrases, *anchor.phrases)
    if meaning.field == "nearest":
        if looks.pick or draft.ordinal:
            return None
        looks = looks._replace(pick=Nearest(anchor.thing))
        return draft._replace(looks=looks, phrases=phrases, is_near=False)
    part = (
        Relation(meaning.value, anchor.thing)
        if meaning.field == "relate"
        else Same(meaning.value, anchor.thing)
    )
    return draft._replace(looks=looks._replace(places=(*looks.places, part)), phrases=phrases)


def told_between(draft: Draft, first: Found, second: Found) -> Draft:
    """Return a draft with the two things that it lies between."""
    part = Between(first.thing, second.thing)
    looks = draft.looks._replace(places=(*draft.looks.places, part))
    return draft._replace(looks=looks, phrases=(*draft.phrases, *first.phrases, *second.phrases))


def with_meaning(draft: Draft, meaning: Meaning) -> Draft | None:
    """Return a draft with what words say; None where it has something of that kind already."""
    field, value, looks = meaning.field, meaning.value, draft.looks
    if field == "other":
        return draft
    if field in ("most", "place", "ordinal", "near", "side"):
        return _picked(draft, field, value)
    if getattr(looks, field):
        return None
    said: dict[str, Any] = {field: True if field == "hidden" else value}
    return draft._replace(looks=looks._replace(**said))


def _picked(draft: Draft, field: str, value: str) -> Draft | None:
    """Return a draft with which of several it is; None where that is told already."""
    if field == "side":
        if draft.ordinal is None:
            return None
        looks = draft.looks._replace(pick=Ordinal(draft.ordinal, value))
        return draft._replace(ordinal=None, looks=looks)
    if draft.is_open or draft.looks.pick:
        return None
    if field == "near":
        return draft._replace(is_near=True)
    if field == "ordinal":
        return draft._replace(ordinal=int(value))
    place, _, side = value.partition(" ")
    pick = Superlative(value) if field == "most" else Ordinal(int(place), side)
    return draft._replace(looks=draft.looks._replace(pick=pick))
