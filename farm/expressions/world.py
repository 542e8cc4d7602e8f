"""What surely holds of the things in a view, and what may hold: sets as whole numbers.

Bit i of a set stands for thing i. A description is told by two sets: those that surely meet it,
and those that may. Only where both are the same is it known what it means.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from farm.expressions.geometry import Layout, bits
from farm.expressions.meaning import GENERAL, SURFACE_LOOKS
from farm.expressions.nouns import akin, is_called, key_of, kinds_of, may_be_called, names_of
from farm.expressions.seen import SeenObject, SeenScene

UPRIGHT_FROM = 0.75
"""Height over the longest side from which on a thing is said to stand: a plate is never upright."""
CLEARLY_HIDDEN = (0.35, 0.75)
"""Shares to be seen of what is said to be partly hidden, well within what counts as such."""
WHOLE_FROM = 0.95
"""Share to be seen from which on nobody calls a thing partly hidden."""
ROW_FROM = 3
"""Fewest things of a row."""
NOTHING, UNSURE = -1, -2
"""Results of `unique` on what surely has no member, and on what may have several."""


class Known(NamedTuple):
    """What is known of a set."""

    sure: int
    maybe: int
    """Holds `sure`, too."""

    def __and__(self, other: Known) -> Known:
        return Known(self.sure & other.sure, self.maybe & other.maybe)

    @property
    def exact(self) -> bool:
        """Its members are known."""
        return self.sure == self.maybe


NONE = Known(0, 0)


def members(mask: int) -> Iterator[int]:
    """Yield the members of a set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class World:
    """The things in a view, besides what they lie on."""

    def __init__(self, scene: SeenScene) -> None:
        self.scene = scene
        self.things: tuple[SeenObject, ...] = tuple(
            each for each in scene.objects if not each.is_surface
        )
        self.layout = Layout(scene, self.things)
        self.everything = Known(*(((1 << len(self.things)) - 1,) * 2))
        self.named = self.set_of(
            each.words is not None and scene.can_be_named(each) for each in self.things
        )
        self._kinds = kinds_of(each.words for each in self.things)
        self._nouns: dict[str, Known] = {GENERAL: self.everything}
        self._looks: dict[tuple[str, str], Known] = {}
        self._nearer: dict[int, list[int]] = {}

    @staticmethod
    def set_of(flags: Iterator[bool]) -> int:
        """Return the set of those of which a flag holds."""
        return sum(1 << number for number, flag in enumerate(flags) if flag)

    def places(self, mask: int) -> tuple[int, ...]:
        """Return the places in the record of a set's members, in order."""
        return tuple(sorted(self.things[each].place for each in members(mask)))

    def noun(self, word: str) -> Known:
        """Return what is called so."""
        if word not in self._nouns:
            self._nouns[word] = Known(
                self.set_of(is_called(each.words, word) for each in self.things),
                self.set_of(
                    may_be_called(each.words, word, is_kind=key_of(word) in self._kinds)
                    for each in self.things
                ),
            )
        return self._nouns[word]

    def look(self, what: str, value: str) -> Known:
        """Return what has a colour, material or pose, is hidden, or surely has another colour."""
        key = what, value
        if key not in self._looks:
            found = [LOOKS[what](each, value) for each in self.things]
            self._looks[key] = Known(
                self.set_of(sure for sure, _maybe in found),
                self.set_of(maybe for _sure, maybe in found),
            )
        return self._looks[key]

    @cached_property
    def relations(self) -> dict[str, list[Known]]:
        """By direction and the thing from which it is looked, what lies there."""
        return {
            name: [Known(*pair) for pair in zip(bits(sure.T), bits(maybe.T), strict=True)]
            for name, (sure, maybe) in self.layout.relations.items()
        }

    def relate(self, direction: str, anchor: int) -> Known:
        """Return what lies so from a thing."""
        return self.relations[direction][anchor]

    @cached_property
    def _between(self) -> list[list[Known]]:
        sure, maybe = (
            [bits(rows) for rows in flags] if flags.size else [] for flags in self.layout.between
        )
        return [
            [Known(*pair) for pair in zip(*rows, strict=True)]
            for rows in zip(sure, maybe, strict=True)
        ]

    def between(self, first: int, second: int) -> Known:
        """Return what lies between two things."""
        return self._between[first][second]

    def same(self, what: str, anchor: int) -> Known:
        """Return what else shares something with a thing."""
        like = self.things[anchor]
        found = [SHARED[what](like, each) for each in self.things]
        others = self.everything.sure & ~(1 << anchor)
        return Known(
            self.set_of(sure for sure, _maybe in found) & others,
            self.set_of(maybe for _sure, maybe in found) & others,
        )

    @cached_property
    def _ahead(self) -> dict[str, list[int]]:
        """By superlative and thing, all others that it surely outdoes."""
        sides, layout = self.layout.sides, self.layout
        most = {
            "leftmost": sides["left"].sure,
            "rightmost": sides["right"].sure,
            "frontmost": sides["front"].sure,
            "rearmost": sides["behind"].sure,
            "largest": layout.larger,
            "smallest": layout.larger.T,
            "tallest": layout.taller,
        }
        return {name: bits(flags) for name, flags in most.items()}

    def superlative(self, value: str, known: Known) -> Known:
        """Return the one of a set that is most so."""
        return _best(known, self._ahead[value])

    def nearest(self, known: Known, anchor: int) -> Known:
        """Return the one of a set, besides a thing, that is nearest to that thing."""
        if anchor not in self._nearer:
            self._nearer[anchor] = bits(self.layout.nearer(anchor))
        rest = ~(1 << anchor)
        return _best(Known(known.sure & rest, known.maybe & rest), self._nearer[anchor])

    def row(self, known: Known, side: str) -> tuple[int, ...] | None:
        """Return a set in its order from a side; None where it is not a clear row."""
        if not known.exact or known.sure & ~self.named or known.sure.bit_count() < ROW_FROM:
            return None
        ahead = self._ahead[FIRST_FROM[side]]
        order = sorted(
            members(known.sure), key=lambda each: -(ahead[each] & known.sure).bit_count()
        )
        rest = known.sure
        for each in order:
            rest &= ~(1 << each)
            if rest & ~ahead[each]:
                return None
        return tuple(order)

    def ordinal(self, place: int, side: str, known: Known) -> Known:
        """Return the one at a place of a row, counted from a side."""
        if not known.maybe:
            return NONE
        order = self.row(known, side)
        if order is None:
            return Known(0, known.maybe)
        if place > len(order):
            return NONE
        return Known(*((1 << order[place - 1],) * 2))


FIRST_FROM = {
    "left": "leftmost", "right": "rightmost", "front": "frontmost", "behind": "rearmost",
}  # fmt: skip
"""By the side that a row is counted from, what its first one is."""


def _best(known: Known, ahead: list[int]) -> Known:
    """Return the one of a set that surely outdoes all that may be in it."""
    for each in members(known.sure):
        if not known.maybe & ~ahead[each] & ~(1 << each):
            return Known(1 << each, 1 << each)
    return Known(0, known.maybe)


def _colour(thing: SeenObject, term: str) -> tuple[bool, bool]:
    sure = thing.colour == term
    return sure, sure or not thing.colours or term in thing.colours


def _not_colour(thing: SeenObject, term: str) -> tuple[bool, bool]:
    sure, maybe = _colour(thing, term)
    return thing.colour is not None and not maybe, not sure


def _material(thing: SeenObject, value: str) -> tuple[bool, bool]:
    sure = value in thing.materials
    return sure, sure or thing.maybe_materials is None or value in thing.maybe_materials


def _pose(thing: SeenObject, value: str) -> tuple[bool, bool]:
    if thing.words is None or thing.words.symmetric or thing.pose is None:
        return False, True
    tall = thing.height_m >= UPRIGHT_FROM * thing.size_m
    if value == "upright":
        return thing.pose == value and tall, thing.pose == value or not tall
    return thing.pose == value, thing.pose == value or not tall


def _hidden(thing: SeenObject, value: str) -> tuple[bool, bool]:
    del value
    low, high = CLEARLY_HIDDEN
    return low <= thing.visible_fraction <= high, thing.visible_fraction < WHOLE_FROM


LOOKS = {
    "colour": _colour,
    "not_colour": _not_colour,
    "material": _material,
    "pose": _pose,
    "hidden": _hidden,
}
"""By operation, what is said of a thing by itself: whether it surely holds, and whether it may."""


def _same_colour(one: SeenObject, other: SeenObject) -> tuple[bool, bool]:
    sure = one.colour is not None and one.colour == other.colour
    known = bool(one.colours and other.colours)
    return sure, sure or not known or bool(one.colours & other.colours)


def _same_material(one: SeenObject, other: SeenObject) -> tuple[bool, bool]:
    made = one.materials - SURFACE_LOOKS, other.materials - SURFACE_LOOKS
    sure = bool(made[0] & made[1])
    if one.maybe_materials is None or other.maybe_materials is None:
        return sure, True
    may = (made[0] | one.maybe_materials) & (made[1] | other.maybe_materials) - SURFACE_LOOKS
    return sure, sure or bool(may) or not all(made)


def _same_noun(one: SeenObject, other: SeenObject) -> tuple[bool, bool]:
    both = one.words, other.words
    if not all(words and words.confirmed for words in both):
        return False, True
    mine, others = (words.nouns if words else () for words in both)
    sure = any(key_of(name) == key_of(word) for name in mine for word in others)
    kinds = [names_of(words) for words in both]  # a person may mean them, too, by `same kind`
    return sure, sure or any(akin(name, word) for name in kinds[0] for word in kinds[1])


SHARED = {"colour": _same_colour, "material": _same_material, "noun": _same_noun}
"""By what is shared, whether two things surely share it, and whether they may."""
