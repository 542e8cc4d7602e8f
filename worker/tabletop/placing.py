"""Things that are put onto a table, or onto each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from farm.spec.recipes.tabletop import Placement
from worker.tabletop.bodies import Body, rotation_of, up
from worker.tabletop.contacts import gap_m
from worker.tabletop.tops import Table

HIGH_M = 0.01
"""From so high above all that is beneath it a thing is lowered."""


def place(bodies: Sequence[Body], draw: Sequence[Placement], table: Table) -> list[Body]:
    """Put each thing where it was drawn, turned as it was; return them so."""
    put: dict[int, Body] = {}
    for number in from_below(draw):
        body, at = bodies[number], draw[number]
        turned = body.moved(np.array(at.at_m), rotation_of(at.turn))
        if body.floats:
            put[number] = turned
        elif at.on is None:
            put[number] = lowered(turned, [table.body])
        else:
            put[number] = lowered(above(turned, put[at.on]), [put[at.on]])
    return [put[number] for number in range(len(bodies))]


def from_below(draw: Sequence[Placement]) -> list[int]:
    """Return the places of things in an order in which each comes after what it is put onto."""
    found: list[int] = []
    while len(found) < len(draw):
        found += [
            number
            for number, at in enumerate(draw)
            if number not in found and (at.on is None or at.on in found)
        ]
    return found


def above(body: Body, other: Body) -> Body:
    """Return a body straight above the balance of another one."""
    shift = other.weight_at[:2] - body.weight_at[:2]
    return body.moved(body.at + np.array([*shift, 0.0]))


def lowered(body: Body, beneath: Sequence[Body]) -> Body:
    """Return a body that touches what is beneath it."""
    top = max(float(each.high[2]) for each in beneath)
    high = body.moved(body.at + up(top + HIGH_M - float(body.low[2])))
    gap = min(gap_m(high, each) for each in beneath)
    return high.moved(high.at - up(gap if np.isfinite(gap) else 0.0))
