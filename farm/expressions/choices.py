"""Meanings that hold in a view, by kind, in an order drawn by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from farm.expressions.chance import Chance
from farm.expressions.descriptions import LYING, Description, Descriptions
from farm.expressions.meaning import (
    DIRECTIONS,
    GENERAL,
    SAME,
    SIDES,
    SUPERLATIVES,
    Between,
    Nearest,
    Ordinal,
    Relation,
    Same,
    Superlative,
    Thing,
)
from farm.expressions.turns import in_turn
from farm.expressions.world import Known, World, members

TWICE, NESTED, MOST = 0.25, 0.2, 0.15
"""Shares of relations with a second one, of anchors that are told by a relation of their own, and
of anchors that are told by what they are most."""
TURNS = 4
"""Times that relations are gone through: each time their things are described otherwise."""
LAST_PLACE = 10
"""Last place of a row that is said."""
TRIES = 4
"""Anchors that are looked for to tell another one by."""


T = TypeVar("T")


class Choices:
    """What can be said of a view, kind by kind."""

    def __init__(self, world: World, descriptions: Descriptions, chance: Chance) -> None:
        self.world = world
        self.told = descriptions
        self.chance = chance

    def of(self, kind: str) -> Iterator[Thing]:
        """Yield meanings of a kind: each means one thing, of `plural` several."""
        return _KINDS[kind](self)

    def attributes(self) -> Iterator[Thing]:
        """Yield what tells one thing by its looks: one description of each, then another."""
        yield from in_turn(self._looks(one) for one in self.chance.shuffled(self.told.named))

    def _looks(self, one: int) -> Iterator[Thing]:
        for each in self.chance.by_weight(self.told.of(one)):
            if _means(each, one):
                yield each.thing

    def relations(self) -> Iterator[Thing]:
        """Yield what tells one thing by how it lies from others."""
        related = self._related()
        for one, anchor, direction in self._again(related):
            known = self.world.relate(direction, anchor)
            place = self._relation(direction, anchor, 1 << one)
            if place is None:
                continue
            places = [place]
            if self.chance.share() < TWICE:
                known, places = self._with_another(one, anchor, direction, known, place)
            yield from self._lying(one, known, places)

    def _related(self) -> list[tuple[int, int, str]]:
        """Return what lies how from what, of all that can be named."""
        found = []
        for direction in DIRECTIONS:
            for anchor in self.told.named:
                there = self.world.relate(direction, anchor).sure & self.world.named
                found += [(one, anchor, direction) for one in members(there)]
        return found

    def _lying(self, one: int, known: Known, places: list[Relation]) -> Iterator[Thing]:
        thing = self.told.within(known, one, self.chance)
        if thing:
            yield thing._replace(places=tuple(places))

    def _again(self, options: list[T]) -> Iterator[T]:
        """Yield options in an order drawn by chance, and then again: they are put otherwise."""
        for _ in range(TURNS):
            yield from self.chance.shuffled(options)

    def _relation(self, direction: str, anchor: int, targets: int) -> Relation | None:
        described = self.anchor(anchor, targets)
        return Relation(direction, described) if described else None

    def _with_another(
        self, one: int, anchor: int, direction: str, known: Known, place: Relation
    ) -> tuple[Known, list[Relation]]:
        """Return a relation with one to another thing, along another way, where there is one."""
        across = _other_ways(direction)
        for other in self.chance.shuffled(self.told.named)[:TRIES]:
            for way in across:
                there = self.world.relate(way, other)
                if other not in (one, anchor) and there.sure >> one & 1:
                    second = self.plain_anchor(other, 1 << one)
                    if second and not place.anchor.places:
                        return known & there, [place, Relation(way, second)]
        return known, [place]

    def anchor(self, number: int, targets: int) -> Thing | None:
        """Return a description that means one thing, mostly by its looks.

        Args:
            number: The thing.
            targets: What is described by it, and cannot tell what it is.
        """
        share = self.chance.share()
        if share < NESTED:
            return self._nested(number, targets) or self.plain_anchor(number, targets)
        if share < NESTED + MOST:
            return self._most(number, targets) or self.plain_anchor(number, targets)
        return self.plain_anchor(number, targets) or self._nested(number, targets)

    def plain_anchor(self, number: int, targets: int) -> Thing | None:
        """Return a description by looks, or of what looks do not tell by what it is most."""
        return self.told.only(number, self.chance) or self._most(number, targets)

    def _nested(self, number: int, targets: int) -> Thing | None:
        """Return a description by another thing, where looks do not tell it."""
        others = [each for each in self.told.named if not targets >> each & 1]
        for other in self.chance.shuffled(others)[:TRIES]:
            for way in DIRECTIONS:
                known = self.world.relate(way, other)
                if not known.sure >> number & 1:
                    continue
                second = self.plain_anchor(other, targets | 1 << number)
                thing = self.told.within(known, number, self.chance) if second else None
                if second and thing and not _is_one(self.told.meant(thing)):
                    return thing._replace(places=(Relation(way, second),))
        return None

    def _most(self, number: int, targets: int) -> Thing | None:
        """Return a description by what a thing is most, of several that are called alike."""
        for each in self.chance.by_weight(self.told.of(number)):
            shows = self.told.forms.number_shows(each.thing.noun)
            others = each.known.sure & ~targets  # else the targets alone tell which it is
            if shows and each.known.exact and others.bit_count() > 1:
                for value in self.chance.shuffled(SUPERLATIVES):
                    if self.world.superlative(value, each.known).sure == 1 << number:
                        return each.thing._replace(pick=Superlative(value))
        return None

    def betweens(self) -> Iterator[Thing]:
        """Yield what tells one thing by the two that it lies between."""
        pairs = [
            (first, second)
            for first in self.told.named
            for second in self.told.named
            if first < second and self.world.between(first, second).sure & self.world.named
        ]
        for first, second in self.chance.shuffled(pairs):
            known = self.world.between(first, second)
            for one in members(known.sure & self.world.named):
                ends = [self.plain_anchor(each, 1 << one) for each in (first, second)]
                thing = self.told.within(known, one, self.chance)
                if ends[0] and ends[1] and thing:
                    yield thing._replace(places=(Between(ends[0], ends[1]),))

    def pools(self, *, exact: bool = False, lying: bool = False) -> list[Description]:
        """Return descriptions of several things, the plainer ones first mostly.

        Args:
            exact: Those alone of which it is known what they mean.
            lying: Those that lie, too: nothing else may be said after their noun.
        """
        many = self.told.many
        return self.chance.by_weight(
            [
                each
                for each in many
                if (each[0].known.exact or not exact) and (lying or each[0].thing.pose != LYING)
            ]
        )

    def superlatives(self) -> Iterator[Thing]:
        """Yield what tells one of several by what it is most."""
        pools = self.pools(lying=True)
        for value, pool in self._drawn(SUPERLATIVES, pools):
            if self._can_be_said(self.world.superlative(value, pool.known)):
                yield pool.thing._replace(pick=Superlative(value))

    def nearests(self) -> Iterator[Thing]:
        """Yield what tells one of several by the thing that it is nearest to."""
        for number, pool in self._drawn(self.told.named, self.pools()):
            rest = pool.known.maybe & ~(1 << number)
            near = self.world.nearest(pool.known, number)
            if rest.bit_count() > 1 and self._can_be_said(near):
                anchor = self.anchor(number, near.sure)
                if anchor and anchor != pool.thing:
                    yield pool.thing._replace(pick=Nearest(anchor))

    def _drawn(
        self, options: Sequence[T], pools: list[Description]
    ) -> Iterator[tuple[T, Description]]:
        """Yield each option with each pool: all options with some pool first."""
        ways = [(option, self.chance.below(len(pools))) for option in options if pools]
        for turn in range(len(pools)):
            for option, start in self.chance.shuffled(ways):
                yield option, pools[(start + turn) % len(pools)]

    def _can_be_said(self, known: Known) -> bool:
        return _is_one(known) and not known.sure & ~self.world.named

    def ordinals(self) -> Iterator[Thing]:
        """Yield what tells one thing by its place in a row."""
        rows = [
            (pool.thing, side, place)
            for pool in self.pools(exact=True)
            for side in SIDES
            for place in range(1, min(LAST_PLACE, len(self.world.row(pool.known, side) or ())) + 1)
        ]
        for thing, side, place in self.chance.shuffled(rows):
            yield thing._replace(pick=Ordinal(place, side))

    def sames(self) -> Iterator[Thing]:
        """Yield what tells one thing by what it shares with another."""
        for what, anchor in self.chance.shuffled(
            (what, anchor) for what in SAME for anchor in self.told.named
        ):
            known = self.world.same(what, anchor)
            for one in members(known.sure & self.world.named):
                thing = self._sharing(what, known, one)
                described = self.plain_anchor(anchor, 1 << one) if thing else None
                if thing and described:
                    yield thing._replace(places=(Same(what, described),))

    def _sharing(self, what: str, known: Known, one: int) -> Thing | None:
        """Return a description of what shares something that does not tell it already."""
        for each in self.chance.by_weight(self.told.of(one)):
            told = each.thing.colour if what == "colour" else each.thing.material
            if what == "noun":
                told = None if each.thing.noun == GENERAL else each.thing.noun
            if told is None and each.thing.pose != LYING and _is_one(each.known & known):
                return each.thing
        return None

    def negations(self) -> Iterator[Thing]:
        """Yield what tells one of several by a colour that it does not have."""
        for pool, colour in self._colourless():
            known = pool.known & self.world.look("not_colour", colour)
            if self._can_be_said(known):
                yield pool.thing._replace(not_colour=colour)

    def _colourless(self) -> Iterator[tuple[Description, str]]:
        """Yield descriptions of several things without a colour, with a colour of some of them."""
        for pool in self.pools():
            if pool.thing.colour is None:
                for colour in self.chance.shuffled(self.told.colours):
                    if pool.known.sure & self.world.look("colour", colour).sure:
                        yield pool, colour

    def plurals(self) -> Iterator[Thing]:
        """Yield what tells several things: by their looks, by how they lie, by what they share."""
        ways = (self._alike(), self._many_lying(), self._many_sharing(), self._many_without())
        yield from in_turn(self.chance.shuffled(ways))

    def _alike(self) -> Iterator[Thing]:
        for pool in self.pools(exact=True, lying=True):
            if self._are_many(pool.known) and pool.known != self.world.everything:
                yield pool.thing._replace(plural=True)

    def _many_lying(self) -> Iterator[Thing]:
        pools = self.pools()
        for (direction, anchor), pool in self._drawn(self._directions(), pools):
            known = pool.known & self.world.relate(direction, anchor)
            if self._are_many(known):
                place = self._relation(direction, anchor, known.sure)
                if place:
                    yield pool.thing._replace(places=(place,), plural=True)

    def _directions(self) -> list[tuple[str, int]]:
        """Return from which thing several others lie in which direction."""
        return [
            (direction, anchor)
            for direction in DIRECTIONS
            for anchor in self.told.named
            if self.world.relate(direction, anchor).sure.bit_count() > 1
        ]

    def _many_sharing(self) -> Iterator[Thing]:
        pools = self.pools()
        for anchor in self.chance.shuffled(self.told.named):
            known = self.world.same("colour", anchor)
            for pool in self.chance.shuffled(pools):
                if pool.thing.colour is None and self._are_many(pool.known & known):
                    described = self.plain_anchor(anchor, (pool.known & known).sure)
                    if described:
                        places = (Same("colour", described),)
                        yield pool.thing._replace(places=places, plural=True)
                    break

    def _many_without(self) -> Iterator[Thing]:
        for pool, colour in self._colourless():
            if self._are_many(pool.known & self.world.look("not_colour", colour)):
                yield pool.thing._replace(not_colour=colour, plural=True)

    def _are_many(self, known: Known) -> bool:
        many = known.exact and known.sure.bit_count() > 1
        return many and not known.sure & ~self.world.named


def _means(description: Description, number: int) -> bool:
    return description.known == (1 << number, 1 << number)


def _is_one(known: Known) -> bool:
    return known.exact and known.sure.bit_count() == 1


def _other_ways(direction: str) -> tuple[str, ...]:
    """Return the directions that say more beside another one."""
    if direction in ("left", "right"):
        return ("front", "behind")
    return ("left", "right") if direction in ("front", "behind") else ("left", "right", "front")


_KINDS: dict[str, Callable[[Choices], Iterator[Thing]]] = {
    "attribute": Choices.attributes,
    "relation": Choices.relations,
    "between": Choices.betweens,
    "nearest": Choices.nearests,
    "ordinal": Choices.ordinals,
    "superlative": Choices.superlatives,
    "same": Choices.sames,
    "negation": Choices.negations,
    "plural": Choices.plurals,
}
"""Kinds of sentences that have targets."""
