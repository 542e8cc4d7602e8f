"""Bodies brought to where their true surfaces touch, and whether they really rest there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from worker.bounds import Points
from worker.tabletop.balance import shares
from worker.tabletop.bodies import Body, up
from worker.tabletop.contacts import NEAR_M, UP, Contact, allowed_m, contact, depth_m, gap_m
from worker.tabletop.tops import Table

LOWERED = 0.04
"""How far a body may be lowered to what it rests on, as a share of its size: where parts stand for
it that are larger than it is."""
LEANS_M, LEANS = 0.005, 0.03
"""How far a weight may be beside all that bears it: metres, and a share of the body's size."""
ASKEW_RAD = 0.2
"""Largest angle by which a body is set straight."""
ALONE = 0.05
"""From so high above another thing on a body does not rest on it, as a share of its size."""
NEARLY = 0.015
"""How near what bears a hollow thing may be, to hold it: a share of its size."""
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
    for place, body in enumerate(found):
        if not (body.floats or body.stands) and stands_alone(body, found):
            found[place] = level(body)
    for _ in range(TURNS):
        for place in np.argsort([body.weight_at[2] for body in found], kind="stable"):
            body = found[place]
            if not body.floats:
                found[place] = in_contact(body, [table.body, *others(found, body)])
    return found


def level(body: Body) -> Body:
    """Return a body turned to the side of its own on which it nearly stands.

    The parts that fell for it are not exactly as it is, so that it may come to rest a little
    askew.
    """
    sides = body.solid.stands_on @ body.rotation.T
    if not len(sides):
        return body
    side = sides[sides[:, 2].argmin()]
    axis = np.cross(side, -UP)
    sine, cosine = float(np.linalg.norm(axis)), float(-side[2])
    if sine < 1e-9 or cosine < np.cos(ASKEW_RAD):
        return body
    x, y, z = axis / sine
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn = np.eye(3) + sine * across + (1 - cosine) * across @ across
    return body.moved(body.weight_at + turn @ (body.at - body.weight_at), turn @ body.rotation)


def stands_alone(body: Body, bodies: Sequence[Body]) -> bool:
    """Tell whether a body is above the table alone."""
    return all(gap_m(body, other) > ALONE * body.size_m for other in others(bodies, body))


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
        if not body.floats and not (is_held(body, contacts) or is_nearly_held(body, bodies, table)):
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


def is_nearly_held(body: Body, bodies: Sequence[Body], table: Table) -> bool:
    """Tell whether a hollow body is held by what it nearly touches, as its parts are as exact."""
    below = [table.body, *others(bodies, body)]
    found: Contacts = {}
    for other in below:
        if body.solid.is_hollow or other.solid.is_hollow:
            near_m = NEAR_M + NEARLY * min(body.size_m, other.size_m)
        else:
            near_m = NEAR_M
        if touched := contact(body, other, near_m):
            found[body.place, other.place] = touched
    touches = any(gap_m(body, other) <= NEAR_M for other in below)
    return touches and is_held(body, found)


def beside_m(points: Points, weight_at: Points) -> float:
    """Return how far a weight is beside all points (N, 3) that may bear it."""
    return shares(points, weight_at)[1]
