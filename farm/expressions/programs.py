"""Programs run on what is known of a view: what they surely find, and what they may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from farm.expressions.world import NONE, NOTHING, UNSURE, Known, World
from farm.spec.expression import Step

Inputs = list[Any]
"""Results of the steps that a step takes: sets, or of `unique` the number of a thing."""
Operation = Callable[[World, Inputs, str], Known]


class Found(NamedTuple):
    """What a program finds."""

    known: Known
    anchors: tuple[int, ...]
    """Results of `unique`, in the order of the steps: numbers, NOTHING or UNSURE."""

    def is_proven(self, world: World) -> bool:
        """Say whether it is known what is meant, and all of it can be named."""
        told = (each for each in self.anchors if each != NOTHING)
        return (
            self.known.exact
            and not self.known.sure & ~world.named
            and all(each != UNSURE and world.named >> each & 1 for each in told)
        )


def run(program: tuple[Step, ...], world: World) -> Found:
    """Run a program, whose last step results in a set."""
    results: list[Known | int] = []
    anchors: list[int] = []
    known = NONE
    for step in program:
        inputs: Inputs = [results[each] for each in step.inputs]
        if step.op == "unique":
            anchors.append(unique(inputs[0]))
            results.append(anchors[-1])
        else:
            known = _OPERATIONS[step.op](world, inputs, step.value or "")
            results.append(known)
    return Found(known, tuple(anchors))


def unique(known: Known) -> int:
    """Return the only member of a set; NOTHING of surely none, UNSURE otherwise."""
    if not known.maybe:
        return NOTHING
    if known.exact and known.sure.bit_count() == 1:
        return known.sure.bit_length() - 1
    return UNSURE


def _from(world: World, anchors: tuple[int, ...], find: Callable[..., Known]) -> Known:
    """Return what is found from things; of nothing there is nothing."""
    if NOTHING in anchors:
        return NONE
    if UNSURE in anchors:
        return Known(0, world.everything.maybe)
    return find(*anchors)


def _meet(known: Known, other: Known) -> Known:
    return known & other


def _scene(world: World, inputs: Inputs, value: str) -> Known:
    del inputs, value
    return world.everything


def _noun(world: World, inputs: Inputs, value: str) -> Known:
    return _meet(inputs[0], world.noun(value))


def _look(what: str) -> Operation:
    return lambda world, inputs, value: _meet(inputs[0], world.look(what, value))


def _relate(world: World, inputs: Inputs, value: str) -> Known:
    return _from(world, (inputs[0],), lambda anchor: world.relate(value, anchor))


def _between(world: World, inputs: Inputs, value: str) -> Known:
    del value
    return _from(world, (inputs[0], inputs[1]), world.between)


def _same(world: World, inputs: Inputs, value: str) -> Known:
    return _from(world, (inputs[0],), lambda anchor: world.same(value, anchor))


def _nearest(world: World, inputs: Inputs, value: str) -> Known:
    del value
    if not inputs[0].maybe:
        return NONE
    near = _from(world, (inputs[1],), lambda anchor: world.nearest(inputs[0], anchor))
    return near if near.exact else near & Known(0, inputs[0].maybe)


def _ordinal(world: World, inputs: Inputs, value: str) -> Known:
    place, side = value.split()
    return world.ordinal(int(place), side, inputs[0])


def _superlative(world: World, inputs: Inputs, value: str) -> Known:
    return world.superlative(value, inputs[0]) if inputs[0].maybe else NONE


def _both(world: World, inputs: Inputs, value: str) -> Known:
    del world, value
    return _meet(*inputs)


_OPERATIONS: dict[str, Operation] = {
    "scene": _scene,
    "noun": _noun,
    **{what: _look(what) for what in ("colour", "not_colour", "material", "pose", "hidden")},
    "relate": _relate,
    "between": _between,
    "same": _same,
    "nearest": _nearest,
    "ordinal": _ordinal,
    "superlative": _superlative,
    "both": _both,
}
