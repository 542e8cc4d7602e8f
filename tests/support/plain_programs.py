"""Programs of sentences run by plain two-valued loops over the things of a view.

Written apart from `farm.expressions`: it shares no code with what it tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from farm.expressions.seen import SeenObject, SeenScene
from farm.spec.expression import Step

LOOKS_MADE = {"shiny", "see-through"}


class NotOneError(Exception):
    """A step that takes one thing and gets none, or several."""


@dataclass(frozen=True)
class Reader:
    """Somebody who reads a program.

    Whoever is generous takes for true all that may be true, and counts each step to a side; whoever
    is strict takes what is sure, and counts from `margin` sizes on.
    """

    scene: SeenScene
    generous: bool
    margin: float = 0.0

    def reads(self, program: Sequence[Step]) -> frozenset[int]:
        """Return the places of what a program means; nothing where what it starts from is not."""
        results: list[Any] = []
        for step in program:
            inputs = [results[at] for at in step.inputs]
            results.append(getattr(self, f"_{step.op}")(step.value, *inputs))
        return frozenset(each.place for each in results[-1])

    @property
    def things(self) -> list[SeenObject]:
        return [each for each in self.scene.objects if not each.is_surface]

    def _scene(self, _value: None) -> list[SeenObject]:
        return self.things

    def _noun(self, word: str, found: list[SeenObject]) -> list[SeenObject]:
        return [each for each in found if self._is_called(each, word)]

    def _is_called(self, thing: SeenObject, word: str) -> bool:
        words = thing.words
        if word == "object":
            return True
        if words is None:
            return self.generous
        sure = {words.hypernym or ""} | (
            {words.noun, *words.synonyms} if words.confirmed else set()
        )
        return word in sure or (self.generous and not words.confirmed)

    def _colour(self, term: str, found: list[SeenObject]) -> list[SeenObject]:
        return [each for each in found if self._has_colour(each, term)]

    def _has_colour(self, thing: SeenObject, term: str) -> bool:
        if self.generous:
            return term in thing.colours or not thing.colours
        return thing.colour == term

    def _not_colour(self, term: str, found: list[SeenObject]) -> list[SeenObject]:
        if self.generous:
            return [each for each in found if each.colour != term]
        return [each for each in found if each.colour and term not in each.colours]

    def _material(self, value: str, found: list[SeenObject]) -> list[SeenObject]:
        return [each for each in found if value in self._materials(each, value)]

    def _materials(self, thing: SeenObject, value: str) -> frozenset[str]:
        if not self.generous:
            return thing.materials
        maybe = frozenset({value}) if thing.maybe_materials is None else thing.maybe_materials
        return thing.materials | maybe

    def _pose(self, value: str, found: list[SeenObject]) -> list[SeenObject]:
        return [each for each in found if each.pose == value or (self.generous and not each.pose)]

    def _hidden(self, _value: str, found: list[SeenObject]) -> list[SeenObject]:
        low, high = (0.0, 0.9) if self.generous else (0.3, 0.8)
        return [each for each in found if low <= each.visible_fraction <= high]

    def _unique(self, _value: None, found: list[SeenObject]) -> list[SeenObject]:
        if len(found) > 1:
            raise NotOneError
        return found

    def _relate(self, way: str, anchors: list[SeenObject]) -> list[SeenObject]:
        return [
            each
            for anchor in anchors
            for each in self.things
            if each is not anchor and self._lies(way, each, anchor)
        ]

    def _lies(self, way: str, one: SeenObject, other: SeenObject) -> bool:
        if way in ("on", "in"):
            held = one.on if way == "on" else one.inside
            return other.place in held or (self.generous and other.place in self._below(one))
        sign = 1.0 if way in ("right", "behind") else -1.0
        axis = self.scene.right if way in ("left", "right") else self.scene.away
        size = (one.size_m + other.size_m) / 2
        steps = [
            sign * float(axis @ (one.centre_m - other.centre_m)) / size,
            sign * float(axis @ (one.seen_m - other.seen_m)) / size,
        ]
        if way in ("left", "right"):
            steps.append(sign * float(one.mean_px[0] - other.mean_px[0]))
        return any(step > 0 for step in steps) if self.generous else min(steps) > self.margin

    def _below(self, thing: SeenObject) -> set[int]:
        at = {each.place: each for each in self.scene.objects}
        found: set[int] = set()
        new = {*thing.on, *thing.inside}
        while new:
            found |= new
            new = {deeper for place in new for deeper in at[place].on | at[place].inside} - found
        return found

    def _between(
        self, _value: None, one: list[SeenObject], two: list[SeenObject]
    ) -> list[SeenObject]:
        return [
            each
            for first in one
            for second in two
            for each in self.things
            if each not in (first, second) and self._is_between(each, first, second)
        ]

    def _is_between(self, thing: SeenObject, one: SeenObject, two: SeenObject) -> bool:
        told = []
        for name in ("centre_m", "seen_m"):
            start, way = getattr(one, name)[:2], (getattr(two, name) - getattr(one, name))[:2]
            to, length = getattr(thing, name)[:2] - start, float(np.hypot(*way))
            along, off = (
                float(to @ way) / length**2,
                abs(way[0] * to[1] - way[1] * to[0]) / length**2,
            )
            low, high, aside = (0.0, 1.0, 0.4) if self.generous else (0.2, 0.8, 0.25)
            told.append(low <= along <= high and off <= aside)
        return any(told) if self.generous else all(told)

    def _same(self, what: str, anchors: list[SeenObject]) -> list[SeenObject]:
        return [
            each
            for anchor in anchors
            for each in self.things
            if each is not anchor and self._shares(what, each, anchor)
        ]

    def _shares(self, what: str, one: SeenObject, other: SeenObject) -> bool:
        if what == "colour":
            if self.generous:
                return not (one.colours and other.colours) or bool(one.colours & other.colours)
            return one.colour is not None and one.colour == other.colour
        if what == "noun":
            return any(self._is_called(one, noun) for noun in _nouns(other)) or (
                self.generous and not _nouns(other)
            )
        made = (one.materials - LOOKS_MADE, other.materials - LOOKS_MADE)
        return bool(made[0] & made[1]) or (self.generous and not all(made))

    def _nearest(
        self, _value: None, found: list[SeenObject], anchors: list[SeenObject]
    ) -> list[SeenObject]:
        return [
            near
            for anchor in anchors
            for near in self._first(
                [each for each in found if each is not anchor], _far_from(anchor)
            )
        ]

    def _first(
        self, found: list[SeenObject], key: Callable[[SeenObject], float]
    ) -> list[SeenObject]:
        return [min(found, key=key)] if found else []

    def _ordinal(self, value: str, found: list[SeenObject]) -> list[SeenObject]:
        place, side = value.split()
        order = sorted(found, key=self._from_side(side))
        return order[int(place) - 1 : int(place)]

    def _from_side(self, side: str) -> Callable[[SeenObject], float]:
        sign = -1.0 if side in ("right", "behind") else 1.0
        if side in ("left", "right"):
            return lambda each: sign * float(each.mean_px[0])
        return lambda each: sign * float(self.scene.away @ each.seen_m)

    def _superlative(self, value: str, found: list[SeenObject]) -> list[SeenObject]:
        keys: dict[str, Callable[[SeenObject], float]] = {
            "largest": lambda each: -each.size_m,
            "smallest": lambda each: each.size_m,
            "tallest": lambda each: -each.height_m,
            "leftmost": self._from_side("left"),
            "rightmost": self._from_side("right"),
            "frontmost": self._from_side("front"),
            "rearmost": self._from_side("behind"),
        }
        return self._first(found, keys[value])

    def _both(self, _value: None, one: list[SeenObject], two: list[SeenObject]) -> list[SeenObject]:
        return [each for each in one if each in two]


def _nouns(thing: SeenObject) -> tuple[str, ...]:
    words = thing.words
    return (words.noun, *words.synonyms) if words and words.confirmed else ()


def _far_from(anchor: SeenObject) -> Callable[[SeenObject], float]:
    return lambda each: float(np.hypot(*(each.centre_m - anchor.centre_m)[:2]))
