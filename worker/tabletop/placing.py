"""Things that are put onto a table, or onto each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from farm.spec.recipes.tabletop import Placement
from worker.tabletop.balance import shares
from worker.tabletop.bodies import Body, rotation_of, up
from worker.tabletop.contacts import DOWN, gap_m, vertical
from worker.tabletop.resting import Failure
from worker.tabletop.tops import Table

STEADY = 0.05
"""How far a thing on another one may be shifted without tipping, as a share of its size."""
TOUCHING_M = 0.0002
"""What is nearer bears a thing that is put down exactly."""
HIGH_M = 0.01
"""From so high above all that is beneath it a thing is lowered."""


def place(bodies: Sequence[Body], draw: Sequence[Placement], table: Table) -> list[Body] | Failure:
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
            if not is_steady(put[number], put[at.on]):
                return Failure("would roll or tip off what they are put onto", (body.name,))
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


def is_steady(body: Body, other: Body) -> bool:
    """Tell whether a body stays on another one, also if it were shifted a little: it rests there
    on points all around, or on a level place, as it would on a table.
    """
    points, gaps, _ = vertical(body, other)
    shifts = STEADY * body.size_m * np.array([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)])
    resting = points[gaps <= TOUCHING_M]
    beside = [shares(resting, body.weight_at + shift)[1] for shift in shifts]
    if max(beside) <= TOUCHING_M:
        return True
    over = body.weight_at * (1, 1, 0) + up(float(other.high[2]) + HIGH_M)
    heights, _ = other.first_hits(np.array([over, *(over + shifts)]), DOWN)
    return bool(np.isfinite(heights).all() and np.ptp(heights) <= TOUCHING_M)


def lowered(body: Body, beneath: Sequence[Body]) -> Body:
    """Return a body that touches what is beneath it."""
    top = max(float(each.high[2]) for each in beneath)
    high = body.moved(body.at + up(top + HIGH_M - float(body.low[2])))
    gap = min(gap_m(high, each) for each in beneath)
    return high.moved(high.at - up(gap if np.isfinite(gap) else 0.0))
