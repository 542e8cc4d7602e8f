"""How hard a sentence is."""

from __future__ import annotations

from farm.expressions.meaning import GENERAL, Thing, facts_in
from farm.expressions.world import World, members
from farm.spec.expression import Step

MOST_RIVALS = 3
"""Rivals that count for the level."""
HARDEST = 5


def rivals_of(thing: Thing, targets: int, world: World) -> int:
    """Return how many other things in view share the targets' noun or colour.

    Of a sentence that means nothing: how many share what it names.
    """
    likes = 0
    for each in members(targets):
        seen = world.things[each]
        nouns = seen.words.nouns if seen.words else ()
        likes |= _colour(world, seen.colour)
        for noun in nouns[:1]:
            likes |= world.noun(noun).sure
    if not targets:
        likes = _colour(world, thing.colour)
    if thing.noun != GENERAL:
        likes |= world.noun(thing.noun).sure
    return (likes & ~targets).bit_count()


def _colour(world: World, term: str | None) -> int:
    return world.look("colour", term).sure if term else 0


def level_of(program: tuple[Step, ...], rivals: int) -> int:
    """Return 1 to 5: half of what a sentence says and of its rivals together, rounded up."""
    whole = facts_in(program) + min(rivals, MOST_RIVALS)
    return min(max((whole + 1) // 2, 1), HARDEST)
