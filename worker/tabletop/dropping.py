"""Things that fall onto a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from farm.spec.recipes.tabletop import Placement
from worker.bounds import Points
from worker.tabletop.bodies import Body, boxes_meet, rotation_of, up
from worker.tabletop.contacts import gap_m
from worker.tabletop.resting import Failure
from worker.tabletop.tops import Table

if TYPE_CHECKING:  # whose room needs Blender
    from worker.blender.physics.fall import Fallen, Rigid

CLEARANCE_M = 0.002
"""Space between things before they fall."""
WALLED = 0.92
"""Share of the table, from its middle, that is between the walls: what moves a little when these
are gone does not fall off.
"""
OVER_M = 0.5
"""Walls are so much higher than the highest thing that is let go."""
AT_A_WALL_M = 0.002
"""What is nearer to a wall may lean against it, and falls again without."""

LetFall = Callable[[Sequence["Rigid"], tuple[float, float], float], "Fallen"]
"""Lets things fall onto a table of a length and width, between walls of a height."""


def drop(
    bodies: Sequence[Body], draw: Sequence[Placement], table: Table, let_fall: LetFall
) -> list[Body] | Failure:
    """Let things go above a table; return them as they come to rest."""
    put = let_go(bodies, draw, table)
    if isinstance(put, Failure):
        return put
    area = area_of(put, table)
    height = max((float(body.high[2]) for body in put), default=0.0) + OVER_M
    fallen = let_fall([rigid(body) for body in put], area, height)
    if fallen.moving:
        return Failure(RESTLESS, tuple(put[place].name for place in fallen.moving))
    put = at_rest(put, fallen)
    if not any(is_at_wall(body, area) for body in put):
        return put
    fallen = let_fall([rigid(body) for body in put], table.top_m, 0.0)
    if fallen.moving:
        return Failure(RESTLESS, tuple(put[place].name for place in fallen.moving))
    return at_rest(put, fallen)


RESTLESS = "do not come to rest"


def is_fixed(body: Body) -> bool:
    """Tell whether others fall upon a body, and it does not move."""
    return body.floats or body.stands


def let_go(bodies: Sequence[Body], draw: Sequence[Placement], table: Table) -> list[Body] | Failure:
    """Return things where they are let go: what stands on the table, and none in another one."""
    found: dict[int, Body] = {}
    for number in sorted(range(len(bodies)), key=lambda number: rank(bodies[number])):
        body, at = bodies[number], draw[number]
        put = body.moved(np.array(at.at_m), rotation_of(at.turn))
        if body.floats:
            found[number] = put
            continue
        put = put.moved(within(put, table))
        clear = standing(put, found.values(), table) if body.stands else above(put, found.values())
        if clear is None:
            return Failure("find no room to stand", (body.name,))
        found[number] = clear
    return [found[number] for number in range(len(bodies))]


def rank(body: Body) -> int:
    """Return what comes first: what floats, then what stands, then what falls."""
    return 0 if body.floats else 1 if body.stands else 2


def within(body: Body, table: Table) -> Points:
    """Return where a body is (3,), so that all of it is above the table, if it can be."""
    half = (body.high - body.low)[:2] / 2
    most = (WALLED * np.array(table.top_m) / 2 - half - CLEARANCE_M).clip(min=0.0)
    shift = body.at[:2] - (body.high + body.low)[:2] / 2
    middle = (body.at[:2] - shift).clip(-most, most)
    return np.array([*(middle + shift), body.at[2]])


def above(body: Body, others: Iterable[Body]) -> Body:
    """Return a body so high that it is in none of the others."""
    there = list(others)
    body = body.moved(body.at + up(max(0.0, CLEARANCE_M - float(body.low[2]))))
    while True:
        met = [each for each in there if boxes_meet(body, each, CLEARANCE_M)]
        if not met:
            return body
        rise = max(float(each.high[2]) for each in met) - float(body.low[2])
        body = body.moved(body.at + up(rise + 2 * CLEARANCE_M))


def standing(body: Body, others: Iterable[Body], table: Table) -> Body | None:
    """Return a body that stands on the table, as near as there is room to where it was drawn."""
    there = list(others)
    for shift in spiral(body.size_m / 3, max(table.top_m)):
        moved = body.moved(body.at + shift)
        if not np.allclose(within(moved, table), moved.at):
            continue
        moved = on_top(moved, table)
        if not any(boxes_meet(moved, each, CLEARANCE_M) for each in there):
            return moved
    return None


def on_top(body: Body, table: Table) -> Body:
    """Return a body straight on the table."""
    high = body.moved(body.at + up(5 * CLEARANCE_M - float(body.low[2])))
    return high.moved(high.at - up(gap_m(high, table.body)))


def spiral(step_m: float, reach_m: float) -> Iterator[Points]:
    """Yield shifts (3,) along a table, each as far from the one before, ever further out."""
    count = int((reach_m / step_m) ** 2 * np.pi) + 1
    for index in range(count):
        angle, radius = index * np.pi * (3 - 5**0.5), step_m * (index / np.pi) ** 0.5
        yield np.array([radius * np.cos(angle), radius * np.sin(angle), 0.0])


def area_of(bodies: Sequence[Body], table: Table) -> tuple[float, float]:
    """Return the length and width of what is between the walls: most of the table, unless a thing
    that is let go needs more.
    """
    moving = [body for body in bodies if not body.floats]
    reach = [np.abs([body.low, body.high]).max(axis=0)[:2] + CLEARANCE_M for body in moving]
    sides = 2 * np.max([WALLED * np.array(table.top_m) / 2, *reach], axis=0)
    return float(sides[0]), float(sides[1])


def rigid(body: Body) -> Rigid:
    """Return a body as Bullet knows it."""
    from worker.blender.physics.fall import Rigid

    parts = tuple((part - body.solid.weight_at) * body.scale for part in body.solid.parts)
    return Rigid(parts, body.rotation, body.weight_at, falls=not is_fixed(body))


def at_rest(bodies: Sequence[Body], fallen: Fallen) -> list[Body]:
    """Return bodies where they have come to rest."""
    found = []
    for body, rotation, at in zip(bodies, fallen.rotations, fallen.at, strict=True):
        middle = at - body.scale * rotation @ body.solid.weight_at
        found.append(body if is_fixed(body) else body.moved(middle, rotation))
    return found


def is_at_wall(body: Body, area: tuple[float, float]) -> bool:
    """Tell whether a body may lean against a wall around an area."""
    if is_fixed(body):
        return False
    reach = np.abs([body.low[:2], body.high[:2]]).max(axis=0)
    return bool((reach > np.array(area) / 2 - AT_A_WALL_M).any())
