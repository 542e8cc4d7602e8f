"""Sentences that mean nothing: true ones with one word changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from farm.expressions.chance import Chance
from farm.expressions.choices import LAST_PLACE
from farm.expressions.descriptions import Descriptions
from farm.expressions.meaning import GENERAL, Between, Nearest, Ordinal, Place, Relation, Thing
from farm.expressions.nouns import key_of

OPPOSITE = {"left": "right", "right": "left", "front": "behind", "behind": "front"}
OPPOSITE_POSE = {"upright": "lying", "lying": "upright"}
COLOURS = (
    "black", "white", "grey", "red", "green", "blue", "yellow", "orange", "brown", "pink", "purple",
)  # fmt: skip


class Edit(NamedTuple):
    """A description with one word changed."""

    thing: Thing
    what: str
    """Such as `colour red > blue`."""


class Edits:
    """Descriptions near to true ones: with colours, nouns and looks of the same view."""

    def __init__(self, descriptions: Descriptions, chance: Chance) -> None:
        self._told = descriptions
        self._chance = chance

    def of(self, thing: Thing) -> Iterator[Edit]:
        """Yield a description's changes in an order drawn by chance, the nearer ones first."""
        yield from self._poses(thing)
        yield from self._near(thing)
        yield from self._chance.shuffled(self._colours(thing, self._unseen_colours()))

    def _unseen_colours(self) -> list[str]:
        return [term for term in COLOURS if term not in self._told.colours]

    def _near(self, thing: Thing) -> Iterator[Edit]:
        """Yield changes to what else is in the view, of each part of a description in turn."""
        ways = [
            self._colours(thing, self._chance.shuffled(self._told.colours)),
            self._nouns(thing),
            self._looks(thing),
            self._places(thing),
            self._picks(thing),
        ]
        for way in self._chance.shuffled(ways):
            first = next(way, None)
            if first:
                yield first
        for way in ways:
            yield from way

    def _colours(self, thing: Thing, terms: list[str]) -> Iterator[Edit]:
        for term in terms if thing.colour else ():
            if term not in (thing.colour, *key_of(thing.noun).split()):
                yield Edit(thing._replace(colour=term), f"colour {thing.colour} > {term}")

    def _nouns(self, thing: Thing) -> Iterator[Edit]:
        shows = self._told.forms.number_shows
        if thing.noun == GENERAL or not shows(thing.noun):
            return
        for noun in self._chance.shuffled(self._told.said_nouns):
            words = key_of(noun).split()
            if noun != thing.noun and shows(noun) and thing.colour not in words:
                yield Edit(thing._replace(noun=noun), f"noun {thing.noun} > {noun}")

    def _looks(self, thing: Thing) -> Iterator[Edit]:
        for material in self._told.materials if thing.material else ():
            if material != thing.material and material not in key_of(thing.noun).split():
                changed = thing._replace(material=material)
                yield Edit(changed, f"material {thing.material} > {material}")

    def _poses(self, thing: Thing) -> Iterator[Edit]:
        """Yield the other pose, where nothing but that is said after the noun."""
        if thing.pose and not (thing.places or thing.pick or thing.not_colour):
            pose = OPPOSITE_POSE[thing.pose]
            yield Edit(thing._replace(pose=pose), f"pose {thing.pose} > {pose}")

    def _places(self, thing: Thing) -> Iterator[Edit]:
        for at, part in enumerate(thing.places):
            for other, what in self._parts(part):
                places = (*thing.places[:at], other, *thing.places[at + 1 :])
                yield Edit(thing._replace(places=places), what)

    def _parts(self, part: Place) -> Iterator[tuple[Place, str]]:
        """Yield the changes of one way in which a thing lies, or of what it is told by."""
        if isinstance(part, Relation) and part.direction in OPPOSITE:
            other = OPPOSITE[part.direction]
            yield Relation(other, part.anchor), f"relation {part.direction} > {other}"
        if isinstance(part, Between):
            for edit in self._near(part.first):
                yield Between(edit.thing, part.second), edit.what
            for edit in self._near(part.second):
                yield Between(part.first, edit.thing), edit.what
        else:
            for edit in self._near(part.anchor):
                yield part._replace(anchor=edit.thing), edit.what

    def _picks(self, thing: Thing) -> Iterator[Edit]:
        if isinstance(thing.pick, Ordinal):
            known = self._told.meant(thing.pool)
            place, side = known.maybe.bit_count() + 1, thing.pick.side
            if place <= LAST_PLACE:
                what = f"ordinal {thing.pick.place} {side} > {place} {side}"
                yield Edit(thing._replace(pick=Ordinal(place, side)), what)
        if isinstance(thing.pick, Nearest):
            for edit in self._near(thing.pick.anchor):
                yield Edit(thing._replace(pick=Nearest(edit.thing)), edit.what)


def mates(thing: Thing, other: Thing) -> Iterator[tuple[Thing, Thing]]:
    """Yield each description within one, with that at the same place of a like one."""
    yield thing, other
    yield thing.pool, other.pool
    yield thing.pool._replace(places=()), other.pool._replace(places=())
    for one, two in zip(thing.anchors, other.anchors, strict=True):
        yield from mates(one, two)
