"""What rests on what, and what is in what, once all is at rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from farm.spec.recipes.tabletop import SettledProp
from worker.bounds import Points
from worker.tabletop.balance import shares
from worker.tabletop.bodies import Body, boxes_meet
from worker.tabletop.resting import Contacts

TABLE = -1
SOME, MOST = 0.25, 0.5
"""Share of its weight from which on a thing is on what bears it; and where the table bears some,
too: what leans on a thing beside it is on the table."""
INSIDE = 0.3
"""Share of a thing's surface that is inside of the hull of what it is in."""
AROUND = 8
"""Directions in which a wall is looked for, around what is in something."""
WALLS = 7
"""Of which in so many there must be one."""


def relations(bodies: Sequence[Body], contacts: Contacts) -> tuple[SettledProp, ...]:
    """Return the bodies as they stand, with what each rests on, is in, and touches."""
    bearers = {body.place: on_what(body, contacts) for body in bodies}
    holders = {body.place: in_what(body, bodies, bearers) for body in bodies}
    return tuple(
        SettledProp(
            world_from_file=body.world_from_file,
            on=tuple(sorted(bearers[body.place] - holders[body.place])),
            inside=tuple(sorted(holders[body.place])),
            touches=tuple(sorted(touched(body, contacts))),
        )
        for body in bodies
    )


def touched(body: Body, contacts: Contacts) -> set[int]:
    """Return the places of all that a body touches."""
    return {other for place, other in contacts if place == body.place} | {
        place for place, other in contacts if other == body.place
    }


def on_what(body: Body, contacts: Contacts) -> set[int]:
    """Return the places of what bears a body."""
    if body.floats:
        return set()
    found = {
        other: each.bears
        for (place, other), each in contacts.items()
        if place == body.place and len(each.bears)
    }
    if not found:
        return set()
    weights, _ = shares(np.concatenate(list(found.values())), body.weight_at)
    ends = np.cumsum([len(points) for points in found.values()])[:-1]
    borne = dict(zip(found, (float(part.sum()) for part in np.split(weights, ends)), strict=True))
    least = MOST if borne.get(TABLE, 0.0) >= SOME else SOME
    return {place for place, share in borne.items() if share >= (SOME if place < 0 else least)}


def in_what(body: Body, bodies: Sequence[Body], bearers: dict[int, set[int]]) -> set[int]:
    """Return the places of what a body is in: hollow things that hold it, and are around it."""
    held_by = all_below(body.place, bearers)
    return {
        other.place
        for other in bodies
        if other.place in held_by and other.solid.is_hollow and is_in(body, other)
    }


def all_below(place: int, bearers: dict[int, set[int]]) -> set[int]:
    """Return the places of all that bears a body, and of what bears that."""
    found: set[int] = set()
    waiting = set(bearers.get(place, ()))
    while waiting:
        found |= waiting
        waiting = {below for each in waiting for below in bearers.get(each, ())} - found
    return found


def is_in(body: Body, other: Body) -> bool:
    """Tell whether a body is in a hollow one: much of it within its hull, its lowest point between
    walls.
    """
    if not boxes_meet(body, other):
        return False
    points = other.to_solid(body.samples)
    planes = other.solid.hull
    inside = (points @ planes[:, :3].T <= planes[:, 3] + 1e-3 * other.solid.size).all(axis=1)
    return bool(inside.mean() >= INSIDE) and walls_around(lowest(body), other) >= WALLS


def lowest(body: Body) -> Points:
    """Return a point (3,) just above a body's lowest one, towards its middle."""
    bottom = body.samples[body.samples[:, 2].argmin()]
    return np.asarray(bottom + 0.1 * (body.weight_at - bottom))


def walls_around(point: Points, body: Body) -> int:
    """Return in how many of `AROUND` directions, seen from a point (3,), a body has a wall."""
    angles = np.arange(AROUND) / AROUND * 2 * np.pi + 0.1
    rays = np.stack([np.cos(angles), np.sin(angles), np.zeros(AROUND)], axis=1)
    return sum(bool(np.isfinite(body.first_hits(point[None], ray)[0][0])) for ray in rays)
