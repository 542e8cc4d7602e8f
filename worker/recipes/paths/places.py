"""Places from which a camera may begin: free, and with the target in view."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from worker.recipes.paths.curves import looking
from worker.recipes.paths.guard import Guard
from worker.recipes.paths.scene import Points

RINGS = 24
"""Distances that are tried, each nearer than the one before."""
PER_RING = 6
SHRINK = 0.87
HEIGHTS_RAD = (math.radians(3.0), math.radians(40.0))
"""Above the horizon."""


def wanted_distance(guard: Guard) -> float:
    """Return how far off a camera best stands: where the goal fills the picture.

    Of a whole scene no farther than the file's own camera, which may be in a room of it.
    """
    fitting = guard.lens.distance_of(guard.goal.radius)
    guard.show(0)
    own = guard.scene.own_camera()
    if own is None or guard.goal.names:
        return fitting
    off = float(np.linalg.norm(own - guard.goal.middles[0]))
    return min(fitting, max(off, 2.0 * guard.lens.reach))


def free_places(
    guard: Guard, rng: np.random.Generator, *, most_per_ring: int = PER_RING
) -> Iterator[Points]:
    """Yield places (3,) around the goal, by chance, the farthest first."""
    middle, distance = guard.goal.middles[0], wanted_distance(guard)
    for ring in range(RINGS):
        found = 0
        for _ in range(PER_RING):
            turn, height = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(*HEIGHTS_RAD)
            level = math.cos(height)
            way = np.array([level * math.cos(turn), level * math.sin(turn), math.sin(height)])
            eye = middle + distance * SHRINK**ring * way
            if found < most_per_ring and is_free(guard, eye):
                found += 1
                yield eye


def is_free(guard: Guard, eye: Points) -> bool:
    """Tell whether a camera may stand at a place in the first frame, and sees its goal."""
    pose = looking(eye, guard.goal.middles[0])
    return guard.hidden(0, pose) is None and guard.blocked(0, pose) is None
