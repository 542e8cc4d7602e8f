"""What a sentence means: a description of things, and the program that finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from farm.spec.expression import Operation, Step

GENERAL = "object"
"""What everything is called."""
DIRECTIONS = ("left", "right", "front", "behind", "on", "in")
SUPERLATIVES = (
    "largest", "smallest", "tallest", "leftmost", "rightmost", "frontmost", "rearmost",
)  # fmt: skip
SIDES = ("left", "right", "front", "behind")
SAME = ("colour", "noun", "material")
SURFACE_LOOKS = frozenset({"shiny", "see-through"})
"""Materials that say how a thing looks, not what it is made of."""
_SAYS_NOTHING = {"scene", "unique", "both"}


class Relation(NamedTuple):
    """It lies so, from another thing."""

    direction: str
    anchor: Thing


class Between(NamedTuple):
    """It lies between two others."""

    first: Thing
    second: Thing


class Same(NamedTuple):
    """It shares something with another thing."""

    what: str
    anchor: Thing


class Superlative(NamedTuple):
    """The one of them that is most so."""

    value: str


class Ordinal(NamedTuple):
    """The one at a place of a row."""

    place: int
    side: str


class Nearest(NamedTuple):
    """The one of them that is nearest to another thing."""

    anchor: Thing


Place = Relation | Between | Same
Pick = Superlative | Ordinal | Nearest


class Thing(NamedTuple):
    """A description: whatever meets all of it, and of these the one that is picked."""

    noun: str = GENERAL
    colour: str | None = None
    material: str | None = None
    pose: str | None = None
    hidden: bool = False
    not_colour: str | None = None
    places: tuple[Place, ...] = ()
    pick: Pick | None = None
    plural: bool = False

    @property
    def anchors(self) -> Iterator[Thing]:
        """What it is described by, in the order of its parts."""
        for part in (*self.places, self.pick):
            if isinstance(part, Relation | Same | Nearest):
                yield part.anchor
            elif isinstance(part, Between):
                yield from part

    @property
    def pool(self) -> Thing:
        """What it is picked from: all that meet the rest of it."""
        return self._replace(pick=None, plural=True)


def canonical(thing: Thing) -> Thing:
    """Return a description with parts in one order, so that the same meaning is the same value."""
    places = tuple(sorted((_canonical_part(part) for part in thing.places), key=repr))
    pick = thing.pick
    if isinstance(pick, Nearest):
        pick = Nearest(canonical(pick.anchor))
    return thing._replace(places=places, pick=pick)


def _canonical_part(part: Place) -> Place:
    if isinstance(part, Between):
        first, second = sorted((canonical(part.first), canonical(part.second)), key=repr)
        return Between(first, second)
    return part._replace(anchor=canonical(part.anchor))


def renamed(thing: Thing, name: Callable[[str], str]) -> Thing:
    """Return a description with other nouns throughout."""
    places = tuple(_renamed_part(part, name) for part in thing.places)
    pick = thing.pick
    if isinstance(pick, Nearest):
        pick = Nearest(renamed(pick.anchor, name))
    return thing._replace(noun=name(thing.noun), places=places, pick=pick)


def _renamed_part(part: Place, name: Callable[[str], str]) -> Place:
    if isinstance(part, Between):
        return Between(renamed(part.first, name), renamed(part.second, name))
    return part._replace(anchor=renamed(part.anchor, name))


def program_of(thing: Thing) -> tuple[Step, ...]:
    """Return the program that finds what a description means."""
    writer = _Writer()
    writer.things(thing)
    return tuple(writer.steps)


def facts_in(program: tuple[Step, ...]) -> int:
    """Return how many things a program says."""
    return sum(
        step.op not in _SAYS_NOTHING and (step.op, step.value) != ("noun", GENERAL)
        for step in program
    )


@lru_cache(maxsize=65536)
def _step(op: Operation, inputs: tuple[int, ...], value: str | None) -> Step:
    """Return a step; most are those of many programs."""
    return Step(op=op, inputs=inputs, value=value)


class _Writer:
    """Writes the steps of a program, one after the other."""

    def __init__(self) -> None:
        self.steps: list[Step] = [_step("scene", (), None)]

    def step(self, op: Operation, *inputs: int, value: str | None = None) -> int:
        """Write a step; return its place."""
        self.steps.append(_step(op, inputs, value))
        return len(self.steps) - 1

    def things(self, thing: Thing) -> int:
        """Write the steps that find what a description means; return the place of the last."""
        at = self.step("noun", self.where(thing.places), value=thing.noun)
        for op, value in _filters(thing):
            at = self.step(op, at, value=value)
        return self.picked(thing.pick, at)

    def where(self, places: tuple[Place, ...]) -> int:
        """Write those that find what lies so."""
        if not places:
            return 0
        found = [self.place(part) for part in places]
        at = found[0]
        for other in found[1:]:
            at = self.step("both", at, other)
        return at

    def place(self, part: Place) -> int:
        if isinstance(part, Between):
            return self.step("between", self.one(part.first), self.one(part.second))
        if isinstance(part, Same):
            return self.step("same", self.one(part.anchor), value=part.what)
        return self.step("relate", self.one(part.anchor), value=part.direction)

    def one(self, anchor: Thing) -> int:
        return self.step("unique", self.things(anchor))

    def picked(self, pick: Pick | None, at: int) -> int:
        match pick:
            case Superlative(value):
                return self.step("superlative", at, value=value)
            case Ordinal(place, side):
                return self.step("ordinal", at, value=f"{place} {side}")
            case Nearest(anchor):
                return self.step("nearest", at, self.one(anchor))
        return at


def _filters(thing: Thing) -> Iterator[tuple[Operation, str]]:
    """Yield what a description says of a thing by itself, besides its noun."""
    if thing.colour:
        yield "colour", thing.colour
    if thing.material:
        yield "material", thing.material
    if thing.pose:
        yield "pose", thing.pose
    if thing.hidden:
        yield "hidden", "partly"
    if thing.not_colour:
        yield "not_colour", thing.not_colour
