"""How bodies touch, by their true surfaces: gaps, depths, what bears what."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from worker.bounds import Points
from worker.tabletop.bodies import Body, boxes_meet
from worker.tabletop.crossings import crossing

NEAR_M = 0.001
"""Surfaces that are nearer touch."""
SHARE = 0.005
"""Of the size of the smaller of two things, that they may go into each other; at least `NEAR_M`."""
BEARS = 0.5
"""Upward part of a surface's normal from which on things rest on it, and do not lean against it."""
STEEPEST, EXACT_M = 1.4, 1e-5
"""What goes into a thing from above is at most so much deeper straight up than it is deep."""
DOWN, UP = np.array([0.0, 0.0, -1.0]), np.array([0.0, 0.0, 1.0])
MOST_POINTS = 60
"""Points of a contact that are kept."""


class Contact(NamedTuple):
    """Where one body touches another."""

    points: Points
    """(N, 3), of the world."""
    bears: Points
    """(M, 3), those of them where it rests on the other one."""


def allowed_m(one: Body, other: Body) -> float:
    """Return how far two bodies may go into each other."""
    return max(NEAR_M, SHARE * min(one.size_m, other.size_m))


def gap_m(body: Body, other: Body) -> float:
    """Return how far a body is straight above another one; negative where it has sunk into it.

    Infinity where it is not above it at all.
    """
    return float(vertical(body, other)[1].min(initial=np.inf))


def vertical(body: Body, other: Body) -> tuple[Points, Points, Points]:
    """Return points of a body (N, 3) above another one, their gaps (N,), and normals (N, 3)."""
    low, high = np.maximum(body.low, other.low)[:2], np.minimum(body.high, other.high)[:2]
    if (low > high).any():
        return np.empty((0, 3)), np.empty(0), np.empty((0, 3))
    start = sunk_m(body, other)
    ours, theirs = between(body.samples, low, high), between(other.samples, low, high)
    ours = ours[ours[:, 2] > other.low[2] - start]
    theirs = theirs[theirs[:, 2] < body.high[2] + start]
    below, their_normals = other.first_hits(ours + start * UP, DOWN)
    above, our_normals = body.first_hits(theirs + start * DOWN, UP)
    if other.solid.faces_outwards:
        below[their_normals[:, 2] <= 0] = np.inf  # from inside
    if body.solid.faces_outwards:
        above[our_normals[:, 2] >= 0] = np.inf
    gaps = (
        from_above(below - start, ours, other, their_normals),
        from_above(above - start, theirs, body, our_normals),
    )
    found = np.isfinite(np.concatenate(gaps))
    points, normals = np.concatenate([ours, theirs]), np.concatenate([their_normals, our_normals])
    return points[found], np.concatenate(gaps)[found], normals[found]


def from_above(gaps: Points, points: Points, body: Body, normals: Points) -> Points:
    """Return gaps (N,) to a body without those of points (N, 3) that went into it from aside.

    Its surface is steep there, or much nearer than straight up.
    """
    sunk = np.flatnonzero(gaps < -EXACT_M)
    depths, _ = body.nearest(points[sunk], float(-gaps.min(initial=0.0)) + EXACT_M)
    aside = -gaps[sunk] > STEEPEST * depths + EXACT_M
    aside |= np.abs(normals[sunk, 2]) < 1 / STEEPEST
    gaps[sunk[aside]] = np.inf
    return gaps


def sunk_m(body: Body, other: Body) -> float:
    """Return how far a body may have sunk into another by the parts that stand for both."""
    hollow = body.solid.is_hollow or other.solid.is_hollow
    return 0.0005 + (0.01 if hollow else 0.003) * min(body.size_m, other.size_m)


def between(points: Points, low: Points, high: Points) -> Points:
    """Return the points (N, 3) above a rectangle."""
    inside = ((points[:, :2] >= low) & (points[:, :2] <= high)).all(axis=1)
    return np.asarray(points[inside])


def contact(body: Body, other: Body, near_m: float = NEAR_M) -> Contact | None:
    """Return where two bodies touch, if they do."""
    if not boxes_meet(body, other, near_m):
        return None
    points, gaps, normals = vertical(body, other)
    bears = points[(gaps <= near_m) & (np.abs(normals[:, 2]) >= BEARS)]
    ours, theirs = near(body.samples, other, near_m), near(other.samples, body, near_m)
    crossed = crossing(body, other).points
    touching = np.concatenate([bears, ours, theirs, crossed])
    return Contact(few(touching), few(bears)) if len(touching) else None


def near(points: Points, body: Body, near_m: float) -> Points:
    """Return the points (N, 3) that are nearer to a body than a distance."""
    close = ((points >= body.low - near_m) & (points <= body.high + near_m)).all(axis=1)
    points = points[close]
    distances, _ = body.nearest(points, near_m)
    return points[np.isfinite(distances)]


def few(points: Points) -> Points:
    """Return at most `MOST_POINTS` of points (N, 3), those furthest out among them."""
    if len(points) <= MOST_POINTS:
        return points
    angles = np.linspace(0, 2 * np.pi, MOST_POINTS, endpoint=False)
    ways = np.stack([np.cos(angles), np.sin(angles)])
    return np.asarray(points[np.unique((points[:, :2] @ ways).argmax(axis=0))])


def depth_m(body: Body, other: Body) -> float:
    """Return how far two bodies are inside of each other.

    No less than that must one be moved, wherever to, until they are apart.
    """
    if not boxes_meet(body, other):
        return 0.0
    allowed = allowed_m(body, other)
    sunk = max(inner_depth(body, other, allowed), inner_depth(other, body, allowed))
    return max(sunk, crossing(body, other).depth_m)


def inner_depth(body: Body, other: Body, allowed: float) -> float:
    """Return how deep points of a body are inside another, as far as that is more than allowed."""
    points = body.samples
    points = points[((points > other.low) & (points < other.high)).all(axis=1)]
    close, _ = other.nearest(points, allowed)
    deep = other.to_solid(points[~np.isfinite(close)])
    inside = np.array([p for p in deep if other.solid.surface.is_around(p)]).reshape(-1, 3)
    if not len(inside):
        return 0.0
    distances, _ = other.solid.surface.nearest(inside, np.inf)
    return float(distances.max()) * other.scale
