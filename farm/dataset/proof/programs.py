"""Running a program on what was measured of a view."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from farm.dataset.proof.attributes import (
    LARGER,
    has_colour,
    has_material,
    has_noun,
    has_other_colour,
    has_pose,
    is_partly_hidden,
    shares_attribute,
)
from farm.dataset.proof.found import NOTHING, Found, Places, exactly
from farm.dataset.proof.heights import foot, reach_up
from farm.dataset.proof.measured import Measured, MeasuredView
from farm.dataset.proof.relations import (
    SIDES,
    Side,
    is_nearer,
    lies,
    lies_between,
    lies_in,
    rests_on,
)
from farm.dataset.proof.vocabulary import folded
from farm.spec.expression import Step

LEAST_IN_A_ROW = 3
"""Fewer things are no row that is counted along."""
TABLES = frozenset({"table", "tabletop", "surface"})
"""What people call that on which all stands."""
MOST_SIDES: dict[str, Side] = {
    "leftmost": "left", "rightmost": "right", "frontmost": "front", "rearmost": "behind",
}  # fmt: skip
FROM_SIDES: dict[str, Side] = {
    "left": "left", "right": "right", "front": "front", "behind": "behind",
}  # fmt: skip


class ProgramError(ValueError):
    """A program that cannot be run: it is not of the operations that there are."""


class Ran(NamedTuple):
    """What a program results in."""

    last: Found
    steps: tuple[Found, ...]
    """The results of all steps."""
    unclear: str
    """Which step takes one object and gets several; empty where none does."""


def run(program: Sequence[Step], view: MeasuredView) -> Ran:
    """Run a program.

    Raises:
        ProgramError: It cannot be run.
    """
    results: list[Found] = []
    unclear = ""
    for number, step in enumerate(program):
        if any(not 0 <= at < number for at in step.inputs):
            raise ProgramError(f"step {number} takes the result of a step that is not before it")
        inputs = [results[at] for at in step.inputs]
        results.append(result_of(step, inputs, view))
        if step.op == "unique" and inputs[0].possible and inputs[0].one is None:
            unclear = unclear or unclear_step(number, inputs[0], view)
    if not results:
        raise ProgramError("it has no steps")
    return Ran(results[-1], tuple(results), unclear)


def unclear_step(number: int, found: Found, view: MeasuredView) -> str:
    """Say that a step takes one object and gets several."""
    return f"step {number} starts from one thing, which may be {named(found.possible, view)}"


def named(places: Iterable[int], view: MeasuredView) -> str:
    """Return objects as a sentence names them."""
    objects = view.record.objects
    told = [f"{place} ({objects[place].name})" for place in sorted(places)]
    return ", ".join(told) or "nothing"


def result_of(step: Step, inputs: list[Found], view: MeasuredView) -> Found:
    """Run one step.

    Raises:
        ProgramError: It has other inputs than its operation takes, or an unknown value.
    """
    wanted = INPUTS[step.op]
    if len(inputs) != wanted:
        raise ProgramError(f"{step.op} takes {wanted} inputs, not {len(inputs)}")
    try:
        return RUNS[step.op](view, step.value or "", *inputs)
    except KeyError as error:
        raise ProgramError(f"{step.op} knows no {step.value!r}") from error


def scene(view: MeasuredView, value: str) -> Found:
    """Return all that is seen."""
    return exactly(view.objects)


def things(view: MeasuredView, found: Found) -> Found:
    """Return a set without what all stands on, which only `table` and the like ever mean."""
    return found.both(exactly(place for place, each in view.objects.items() if not each.is_surface))


def noun(view: MeasuredView, value: str, found: Found) -> Found:
    """Return what is called so."""
    if folded(value) in TABLES:
        surfaces = [place for place, each in view.objects.items() if each.is_surface]
        if surfaces:
            return found.both(exactly(surfaces))
    return of_each(has_noun)(view, value, found)


def of_each(holds: Callable[[Measured, str], bool | None]) -> Callable[..., Found]:
    """Return an operation that keeps what something holds of."""

    def keep(view: MeasuredView, value: str, found: Found) -> Found:
        return things(view, found).only(lambda place: holds(view.objects[place], value))

    return keep


def hidden(view: MeasuredView, value: str, found: Found) -> Found:
    """Return what is partly hidden."""
    if value != "partly":
        raise KeyError(value)
    return things(view, found).only(lambda place: is_partly_hidden(view.objects[place]))


def unique(view: MeasuredView, value: str, found: Found) -> Found:
    """Return the only one; of several, all that it might be."""
    return found if found.one is not None else Found(frozenset(), found.possible)


def from_each(found: Found, result: Callable[[int], Found]) -> Found:
    """Return what a step that starts from one object results in, whichever that is."""
    if found.one is not None:
        return result(found.one)
    might = frozenset[int]().union(*(result(place).possible for place in found.possible))
    return Found(frozenset(), might)


def relate(view: MeasuredView, value: str, found: Found) -> Found:
    """Return what lies so from an object."""
    test = RELATIONS[value]

    def related(anchor: int) -> Found:
        others = things(view, exactly(view.objects.keys() - {anchor}))
        return others.only(lambda place: test(view, view.objects[place], view.objects[anchor]))

    return from_each(found, related)


def nearest(view: MeasuredView, value: str, found: Found, anchor: Found) -> Found:
    """Return the one that is nearest to an object."""

    def nearest_to(place: int) -> Found:
        seen, its = view.objects, view.objects[place]
        rivals = things(view, found).both(exactly(seen.keys() - {place}))
        return best(rivals, lambda one, other: is_nearer(seen[one], seen[other], its))

    return from_each(anchor, nearest_to)


def between(view: MeasuredView, value: str, one: Found, other: Found) -> Found:
    """Return what lies between two objects."""

    def from_one(first: int) -> Found:
        return from_each(other, lambda second: between_both(view, first, second))

    return from_each(one, from_one)


def between_both(view: MeasuredView, first: int, second: int) -> Found:
    """Return what lies between two objects."""
    if first == second:
        return NOTHING
    one, other = view.objects[first], view.objects[second]
    rest = things(view, exactly(view.objects.keys() - {first, second}))
    return rest.only(lambda place: lies_between(view.objects[place], one, other))


def same(view: MeasuredView, value: str, found: Found) -> Found:
    """Return what shares something with an object."""
    if value not in ("colour", "material", "noun"):
        raise KeyError(value)

    def like(anchor: int) -> Found:
        others = things(view, exactly(view.objects.keys() - {anchor}))
        its = view.objects[anchor]
        return others.only(lambda place: shares_attribute(view.objects[place], its, value))

    return from_each(found, like)


def ordinal(view: MeasuredView, value: str, found: Found) -> Found:
    """Return the one at a place of a row, of which it must be certain who stands where.

    Raises:
        KeyError: The value is not a number and a side.
    """
    count, _, name = value.partition(" ")
    side, row = FROM_SIDES[name], things(view, found)
    if not count.isdigit() or not int(count):
        raise KeyError(value)
    if len(row.possible) < int(count):
        return NOTHING
    order = in_order(view, side, row.possible)
    if row.sure != row.possible or len(row.possible) < LEAST_IN_A_ROW or order is None:
        return Found(frozenset(), row.possible)
    return exactly([order[int(count) - 1]])


def in_order(view: MeasuredView, side: Side, row: Places) -> list[int] | None:
    """Return objects in their order from a side on; None where two of them have none."""
    direction = view.right if side in ("left", "right") else view.away
    sign = -1.0 if side in ("right", "behind") else 1.0
    order = sorted(row, key=lambda at: sign * float(direction @ view.objects[at].middle))
    each = [view.objects[place] for place in order]
    clear = all(lies(view, side, one, other) for one, other in pairwise(each))
    return order if clear else None


def superlative(view: MeasuredView, value: str, found: Found) -> Found:
    """Return the one of which something holds most."""
    wins, rivals = WINS[value], things(view, found)
    return best(rivals, lambda one, other: wins(view, view.objects[one], view.objects[other]))


def best(rivals: Found, wins: Callable[[int, int], bool]) -> Found:
    """Return the one that surely wins against all others; where none does, all might."""
    for one in rivals.sure:
        if all(wins(one, other) for other in rivals.possible - {one}):
            return exactly([one])
    return Found(frozenset(), rivals.possible)


def is_larger(view: MeasuredView, one: Measured, other: Measured) -> bool:
    """Say whether a thing is surely larger than another."""
    return one.box.longest >= LARGER * other.box.longest


def is_taller(view: MeasuredView, one: Measured, other: Measured) -> bool:
    """Say whether a thing is surely taller than another: itself, and where its top is."""
    (least, _), (_, most) = reach_up(view, one), reach_up(view, other)
    own = least - foot(view, one)[1] >= LARGER * (most - foot(view, other)[0])
    return own and least >= LARGER * most


def both(view: MeasuredView, value: str, one: Found, other: Found) -> Found:
    """Return what is in both."""
    return one.both(other)


Relation = Callable[[MeasuredView, Measured, Measured], bool | None]


def to_side(side: Side) -> Relation:
    """Return the relation of lying to a side."""
    return lambda view, thing, anchor: lies(view, side, thing, anchor)


def most_to(side: Side) -> Callable[[MeasuredView, Measured, Measured], bool]:
    """Return whether one thing surely lies to a side of another."""
    return lambda view, one, other: lies(view, side, one, other) is True


RELATIONS: dict[str, Relation] = {
    **{side: to_side(side) for side in SIDES}, "on": rests_on, "in": lies_in,
}  # fmt: skip
WINS: dict[str, Callable[[MeasuredView, Measured, Measured], bool]] = {
    "largest": is_larger,
    "smallest": lambda view, one, other: is_larger(view, other, one),
    "tallest": is_taller,
    **{value: most_to(side) for value, side in MOST_SIDES.items()},
}
RUNS: dict[str, Callable[..., Found]] = {
    "scene": scene,
    "noun": noun,
    "colour": of_each(has_colour),
    "not_colour": of_each(has_other_colour),
    "material": of_each(has_material),
    "pose": of_each(has_pose),
    "hidden": hidden,
    "unique": unique,
    "relate": relate,
    "nearest": nearest,
    "between": between,
    "same": same,
    "ordinal": ordinal,
    "superlative": superlative,
    "both": both,
}
INPUTS = dict.fromkeys(RUNS, 1) | {"scene": 0, "nearest": 2, "between": 2, "both": 2}
