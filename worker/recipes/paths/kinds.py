"""Paths that follow a rule: around the target, on the spot, straight on, or as a file has them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from farm.spec.recipes.sequence import DollyPath, OrbitPath, PanPath, TrajectoryPath
from worker.recipes.paths.curves import (
    looking,
    natural_spline,
    one_way,
    turned,
    turns,
    unit,
)
from worker.recipes.paths.guard import Guard
from worker.recipes.paths.places import SHRINK, free_places, wanted_distance
from worker.recipes.paths.scene import Points

RADII = 16
"""Radii of an orbit that are tried, each smaller than the one before."""
HEIGHTS = (1 / 3, 2 / 3, 1.2)
"""Of an orbit above its target, in radii, that are tried."""
BEGINNINGS = 4
"""Where on its circle an orbit may begin: draws per radius and height."""
LEFT_OVER = 0.1
"""A dolly stops short of its target by at least this share of its way."""
FARTHEST = 8.0
"""How far off a dolly begins, in distances from which the target fills the picture."""


def seconds(guard: Guard) -> Points:
    """Return when the frames of a sequence are, from its first."""
    return np.arange(guard.take.frames) / guard.take.fps


def facing(guard: Guard, eyes: Points) -> Points:
    """Return poses (frames, 4, 4) at places (frames, 3) that look at the goal."""
    return np.array(
        [looking(eye, at) for eye, at in zip(eyes, guard.goal.middles, strict=True)]
    ).reshape(-1, 4, 4)


def orbits(path: OrbitPath, guard: Guard, rng: np.random.Generator) -> Iterator[Points]:
    """Yield circles around where the goal is on average, the widest first."""
    middle = guard.goal.middles.mean(axis=0)
    for radius, height in rings(path, guard):
        for begin in rng.uniform(0.0, 2.0 * math.pi, BEGINNINGS):
            angles = begin + path.speed / radius * seconds(guard)
            level = [radius * np.cos(angles), radius * np.sin(angles)]
            yield facing(guard, middle + np.stack([*level, np.full_like(angles, height)], axis=-1))


def rings(path: OrbitPath, guard: Guard) -> Iterator[tuple[float, float]]:
    """Yield the radii and heights that an orbit may have; what is wanted first."""
    if path.radius is not None:
        heights = [share * path.radius for share in HEIGHTS] if path.height is None else []
        yield from ((path.radius, height) for height in heights or [path.height or 0.0])
        return
    widest = wanted_distance(guard)
    for distance in (widest * SHRINK**step for step in range(RADII)):
        if path.height is not None:
            yield distance, path.height
            continue
        for share in HEIGHTS:  # what fills the picture is the distance along the slope
            radius = distance / math.hypot(1.0, share)
            yield radius, share * radius


def pans(path: PanPath, guard: Guard, rng: np.random.Generator) -> Iterator[Points]:
    """Yield turns on the spot that look at the goal half-way."""
    half = (guard.take.frames - 1) / 2
    angles = -math.radians(path.speed) * (seconds(guard) - half / guard.take.fps)
    middle = guard.goal.middles[round(half)]
    places = free_places(guard, rng) if path.position is None else [np.array(path.position)]
    for eye in places:
        pose = looking(eye, middle)
        yield np.array([turned(pose, angle) for angle in angles])


def dollies(path: DollyPath, guard: Guard, rng: np.random.Generator) -> Iterator[Points]:
    """Yield straight lines to the goal, or away from it, which never pass it."""
    way = path.speed * seconds(guard)
    middle = guard.goal.middles[0]
    for eye in [np.array(path.position)] if path.position else beginnings(guard, rng, way[-1]):
        ahead = unit(middle - eye)
        distance = float(np.linalg.norm(middle - eye))
        if way[-1] <= distance * (1.0 - LEFT_OVER):
            yield facing(guard, eye + way[:, None] * ahead)


def beginnings(guard: Guard, rng: np.random.Generator, way: float) -> Iterator[Points]:
    """Yield places where a line of some length towards the goal may begin.

    Those that are free, and, along the same ray, those that are as far as the line needs.
    """
    middle, needed = guard.goal.middles[0], way / (1.0 - LEFT_OVER) + 2.0 * guard.lens.reach
    farthest = FARTHEST * wanted_distance(guard)
    for eye in free_places(guard, rng):
        yield eye
        if np.linalg.norm(eye - middle) < needed < farthest:
            yield middle + needed * unit(eye - middle)


def trajectories(path: TrajectoryPath, guard: Guard, start: float, fps: float) -> Points:
    """Return the poses of a file at the frames of a sequence.

    Args:
        path: The file's poses.
        guard: Knows the sequence.
        start: Moment of the scene at which the file's time is 0.
        fps: Frames of the scene's file per second.
    """
    take, known = guard.take, np.array(path.poses)
    moments = np.array([take.moment(place) for place in range(take.frames)])
    times = np.clip((moments - start) / fps * path.speed, 0.0, known[-1, 0])
    poses = np.broadcast_to(np.eye(4), (take.frames, 4, 4)).copy()
    poses[:, :3, 3] = natural_spline(known[:, 0], known[:, 1:4], times)
    poses[:, :3, :3] = turns(natural_spline(known[:, 0], one_way(known[:, 4:]), times))
    return poses
