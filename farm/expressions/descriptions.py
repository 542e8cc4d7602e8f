"""What each thing in a view may be called by its own looks, and what else is called so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from farm.expressions.chance import Chance
from farm.expressions.meaning import GENERAL, Thing
from farm.expressions.nouns import Forms, banned_in, key_of, nouns_said
from farm.expressions.seen import SeenObject
from farm.expressions.world import Known, World, members

NOUN, OTHER_NOUN, GENERAL_NOUN = 8.0, 1.5, 1.0
"""Weights of what a thing is called: by its noun, by another word for it, an object."""
LYING = "lying"
PLAIN, COLOURED, DETAILED = 4.0, 4.0, 1.0
"""Weights of how it is described: by its noun alone, its colour, by more or other looks."""


@dataclass(frozen=True, slots=True)
class Description:
    """A noun with adjectives, and what it means in a view."""

    thing: Thing
    known: Known
    weight: float


class Descriptions:
    """All descriptions of the things in a view by their own looks."""

    def __init__(self, world: World) -> None:
        self.world = world
        words = [each.words for each in world.things if each.words]
        self.forms = Forms(words)
        shown = world.scene.banned
        banned = banned_in(words, shown)
        self.nouns = [nouns_said(each.words, shown, banned) for each in world.things]
        self._of: dict[int, list[tuple[Description, float]]] = {}
        self._known: dict[Thing, Description] = {}

    def of(self, number: int) -> list[tuple[Description, float]]:
        """Return what a thing may be called, with weights."""
        if number not in self._of:
            found = dict.fromkeys(_looks(self.world.things[number], self.nouns[number]))
            told = [self._described(*each) for each in found]
            self._of[number] = [(each, each.weight) for each in told]
        return self._of[number]

    def _described(self, thing: Thing, weight: float) -> Description:
        if thing not in self._known:
            self._known[thing] = Description(thing, self.meant(thing), weight)
        return self._known[thing]

    def meant(self, thing: Thing) -> Known:
        """Return what a description by looks alone means."""
        known = self.world.noun(thing.noun)
        for what in ("colour", "material", "pose", "not_colour"):
            value = getattr(thing, what)
            if value:
                known &= self.world.look(what, value)
        return known & self.world.look("hidden", "partly") if thing.hidden else known

    @cached_property
    def all(self) -> list[Description]:
        """All descriptions of what can be named."""
        for each in members(self.world.named):
            self.of(each)
        return list(self._known.values())

    @cached_property
    def many(self) -> list[tuple[Description, float]]:
        """Descriptions of several things, with weights."""
        return [
            (each, each.weight)
            for each in self.all
            if each.known.sure.bit_count() > 1 and self.forms.number_shows(each.thing.noun)
        ]

    @cached_property
    def named(self) -> list[int]:
        """What can be named."""
        return list(members(self.world.named))

    @cached_property
    def colours(self) -> list[str]:
        """Colours that things in the view have."""
        return sorted({each.colour for each in self.world.things if each.colour})

    @cached_property
    def materials(self) -> list[str]:
        """Materials that things in the view are of."""
        return sorted(set().union(*(each.materials for each in self.world.things)))

    @cached_property
    def said_nouns(self) -> list[str]:
        """Nouns of the view, besides `object`."""
        found = {name for names in self.nouns for name in names if name != GENERAL}
        return sorted(found)

    def only(self, number: int, chance: Chance) -> Thing | None:
        """Return a description that means one thing alone; None where there is none.

        None of those that lie: `lying on its side` would stand too far from what it tells of.
        """
        for each in chance.by_weight(self.of(number)):
            if each.known == (1 << number, 1 << number) and each.thing.pose != LYING:
                return each.thing
        return None

    def within(self, known: Known, number: int, chance: Chance) -> Thing | None:
        """Return a description that among some things means one alone.

        Where possible one that needs them: of two red mugs, the one that lies so.
        """
        only = Known(1 << number, 1 << number)
        spare = None
        for each in chance.by_weight(self.of(number)):
            if each.known & known == only and each.thing.pose != LYING:
                if each.known != only:
                    return each.thing
                spare = spare or each.thing
        return spare


def _looks(thing: SeenObject, nouns: tuple[str, ...]) -> Iterator[tuple[Thing, float]]:
    """Yield the descriptions of a thing, with weights."""
    for rank, noun in enumerate(nouns):
        called = GENERAL_NOUN if noun == GENERAL else NOUN if rank == 0 else OTHER_NOUN
        for bare, weight in _adjectives(thing):
            if not _repeats(noun, bare):
                yield bare._replace(noun=noun), called * weight


def _adjectives(thing: SeenObject) -> Iterator[tuple[Thing, float]]:
    """Yield what may be said of a thing besides its noun, with weights."""
    plain = Thing()
    yield plain, PLAIN
    if thing.colour:
        yield Thing(colour=thing.colour), COLOURED
    for colour in (None, *([thing.colour] if thing.colour else [])):
        for material in sorted(thing.materials):
            yield Thing(colour=colour, material=material), DETAILED
        if thing.pose:
            yield Thing(colour=colour, pose=thing.pose), DETAILED
        if thing.visible_fraction < 1:
            yield Thing(colour=colour, hidden=True), DETAILED


def _repeats(noun: str, bare: Thing) -> bool:
    """Say whether a noun has an adjective in it: nobody says `the orange orange`."""
    words = key_of(noun).split()
    return bare.colour in words or bare.material in words or (bare.material or "") + "es" in words
