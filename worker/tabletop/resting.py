"""Bodies brought to where their true surfaces touch, and whether they really rest there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from worker.bounds import Points
from worker.tabletop.balance import shares
from worker.tabletop.bodies import Body, up
from worker.tabletop.contacts import NEAR_M, Contact, allowed_m, contact, depth_m, gap_m
from worker.tabletop.tops import Table

LOWERED = 0.04
"""How far a body may be lowered to what it rests on, as a share of its size: where parts stand for
it that are larger than it is."""
LEANS_M, LEANS = 0.005, 0.03
"""How far a weight may be beside all that bears it: metres, and a share of the body's size."""
TURNS = 2
"""How often bodies are lifted: each may move what others rest on."""

Contacts = dict[tuple[int, int], Contact]
"""Of a prop (its place) with another one, or with the table (-1), on which it may rest."""


class Failure(NamedTuple):
    """Why a scene is not at rest."""

    reason: str
    """What its things do, such as `do not come to rest`."""
    names: tuple[str, ...]
    """Of these."""


def lifted(bodies: Sequence[Body], table: Table) -> list[Body]:
    """Return bodies lifted or lowered until each touches what it rests on."""
    found = list(bodies)
    for _ in range(TURNS):
        for place in np.argsort([body.weight_at[2] for body in found], kind="stable"):
            body = found[place]
            if not body.floats:
                found[place] = in_contact(body, [table.body, *others(found, body)])
    return found


def in_contact(body: Body, beneath: Sequence[Body]) -> Body:
    """Return a body so high that it just touches what is beneath it, unless that is far away."""
    gap = min(gap_m(body, other) for other in beneath)
    if not gap <= max(2 * NEAR_M, LOWERED * body.size_m):
        return body
    return body.moved(body.at - up(gap))


def others(bodies: Sequence[Body], body: Body) -> Iterator[Body]:
    """Yield all other bodies."""
    return (each for each in bodies if each.place != body.place)


def contacts_of(bodies: Sequence[Body], table: Table) -> Contacts:
    """Return where bodies touch each other and the table."""
    found: Contacts = {}
    for body in bodies:
        for other in (table.body, *others(bodies, body)):
            touched = contact(body, other)
            if touched is not None:
                found[body.place, other.place] = touched
    return found


def fault(bodies: Sequence[Body], table: Table, contacts: Contacts) -> Failure | None:
    """Return why bodies do not rest on a table as things do, if they do not."""
    for names, reason in faults(bodies, table, contacts):
        return Failure(reason, names)
    return None


def faults(
    bodies: Sequence[Body], table: Table, contacts: Contacts
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with a scene."""
    for body in bodies:
        if not body.floats and is_off(body, table):
            yield (body.name,), "fall off the table"
    for body in bodies:
        if not body.floats and not is_held(body, contacts):
            yield (body.name,), "are not held by anything"
    for number, body in enumerate(bodies):
        for other in (table.body, *bodies[:number]):
            if depth_m(body, other) > allowed_m(body, other):
                yield (body.name, other.name), "are inside of each other"


def is_off(body: Body, table: Table) -> bool:
    """Tell whether a body is beside the table or below its top."""
    beside = np.abs(body.weight_at[:2]) > np.array(table.top_m) / 2
    return bool(beside.any() or body.low[2] < -allowed_m(body, table.body))


def is_held(body: Body, contacts: Contacts) -> bool:
    """Tell whether what a body touches holds it, so that it does not hover or tip over."""
    points = [each.points for (place, _), each in contacts.items() if place == body.place]
    if not any(len(each.bears) for (place, _), each in contacts.items() if place == body.place):
        return False
    beside = beside_m(np.concatenate(points), body.weight_at)
    return beside <= LEANS_M + LEANS * body.size_m


def beside_m(points: Points, weight_at: Points) -> float:
    """Return how far a weight is beside all points (N, 3) that may bear it."""
    return shares(points, weight_at)[1]
