"""A walk by chance: a smooth curve that grows piece by piece, each looked at before it counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from farm.spec.recipes.sequence import RandomWalkPath
from worker.recipes.paths.curves import STEPS, lengths, looking, piece
from worker.recipes.paths.guard import MOST_HIDDEN, Guard
from worker.recipes.paths.places import free_places, wanted_distance
from worker.recipes.paths.scene import Points

PACES_S = (1.0, 0.5, 0.25)
"""Seconds from one control point to the next that are tried: shorter ones turn in less room."""
MOST_TURN_RAD = math.radians(40.0)
"""From one control point to the next."""
MOST_SLOPE_RAD = math.radians(20.0)
MOST_JERK = 2.0
"""Largest jerk, in speeds per square of the seconds from one control point to the next."""
WAYS = 12
"""Directions that are tried from a control point."""
STARTS = 12
"""Places from which walks are tried."""
HEADINGS = 4
BACK = 4
"""Control points that are given up where none of the WAYS leads on."""
PATIENCE = (3, 20)
"""Times that a walk may be taken back before it gets farther: little from all starts first."""
SPAN = (0.4, 1.8)
"""Distances to the target between which it stays, in those that fill the picture, or its first."""
LEVEL_RAD = (math.radians(-5.0), math.radians(65.0))
"""How high above the target it is, seen from there."""


@dataclass
class Trail:
    """Control points of a B-spline, and the frames on its pieces so far."""

    control: list[Points]
    ends: list[float] = field(default_factory=lambda: [0.0])
    """Length of the curve up to the end of each piece, beginning with 0."""
    eyes: list[Points] = field(default_factory=list)
    """Where the camera is at the frames that are on the curve so far."""
    counts: list[int] = field(default_factory=lambda: [0])
    """How many frames there are up to the end of each piece."""
    unseen: list[int] = field(default_factory=lambda: [0])
    """And in how many of these the goal is hidden."""

    def drop(self, pieces: int) -> None:
        """Take the last pieces back, but for the first one."""
        kept = max(len(self.ends) - pieces, 2)
        for each in (self.ends, self.counts, self.unseen):
            del each[kept:]
        del self.control[kept + 2 :]
        del self.eyes[self.counts[-1] :]


def walks(path: RandomWalkPath, guard: Guard, rng: np.random.Generator) -> Iterator[Points]:
    """Yield walks that were looked at already; there may be none."""
    for pace, patience in itertools.product(PACES_S, PATIENCE):
        for trail in trails(path, guard, rng, pace, patience):
            poses = zip(trail.eyes, guard.goal.middles, strict=True)
            yield np.array([looking(eye, at) for eye, at in poses])


def trails(
    path: RandomWalkPath, guard: Guard, rng: np.random.Generator, pace: float, patience: int
) -> Iterator[Trail]:
    """Yield walks with so many seconds from one control point to the next."""
    for start in itertools.islice(free_places(guard, rng, most_per_ring=1), STARTS):
        for ahead in headings(start - guard.goal.middles[0], rng):
            walk = Walk(path, guard, rng, pace, start)
            if walk.begin(ahead) and walk.grow(patience):
                yield walk.trail


def headings(off: Points, rng: np.random.Generator) -> Iterator[Points]:
    """Yield directions in which to set off: past the target, to the left or to the right."""
    for side in rng.permutation([-1.0, 1.0] * (HEADINGS // 2)):
        turn = math.atan2(off[1], off[0]) + side * math.pi / 2
        turn += rng.uniform(-MOST_TURN_RAD, MOST_TURN_RAD)
        yield np.array([math.cos(turn), math.sin(turn), 0.0])


class Walk:
    """One walk that grows."""

    def __init__(
        self,
        path: RandomWalkPath,
        guard: Guard,
        rng: np.random.Generator,
        pace: float,
        start: Points,
    ) -> None:
        self.guard = guard
        self.rng = rng
        self.start = start
        self.per_frame = path.speed / guard.take.fps
        self.stride = path.speed * pace
        first = float(np.linalg.norm(start - guard.goal.middles[0]))
        wanted = wanted_distance(guard)
        self.span = min(SPAN[0] * wanted, first), max(SPAN[1] * wanted, first)
        self.trail = Trail([])

    def begin(self, ahead: Points) -> bool:
        """Set off straight on; tell whether that is possible."""
        self.trail = Trail([self.start + step * self.stride * ahead for step in (-1, 0, 1)])
        return self.add(self.trail.control[-1] + self.stride * ahead)

    def grow(self, patience: int) -> bool:
        """Continue until all frames are on the way; tell whether that was possible."""
        left, best = patience, 0
        while len(self.trail.eyes) < self.guard.take.frames:
            ways = sorted(self.ways(), key=self.strays)
            if any(self.fits(point) and self.add(point) for point in ways):
                continue
            if len(self.trail.control) > best:
                left, best = patience, len(self.trail.control)
            left -= 1
            if left < 0:
                return False
            self.trail.drop(BACK)
        return True

    def ways(self) -> Iterator[Points]:
        """Yield control points that may come next, by chance."""
        x, y, z = self.trail.control[-1] - self.trail.control[-2]
        turn, slope = math.atan2(y, x), math.atan2(z, math.hypot(x, y))
        sides = self.rng.uniform(-0.9 * MOST_TURN_RAD, 0.9 * MOST_TURN_RAD, WAYS)
        rises = self.rng.uniform(-0.4 * MOST_TURN_RAD, 0.4 * MOST_TURN_RAD, WAYS)
        for side, rise in zip(sides.tolist(), rises.tolist(), strict=True):
            up = min(max(slope + rise, -MOST_SLOPE_RAD), MOST_SLOPE_RAD)
            level = math.cos(up)
            way = [level * math.cos(turn + side), level * math.sin(turn + side), math.sin(up)]
            yield self.trail.control[-1] + self.stride * np.array(way)

    def strays(self, point: Points) -> float:
        """Return how much too near or too far off the target it leads to go on like this."""
        ahead = 2.0 * point - self.trail.control[-1]
        distance = float(np.linalg.norm(ahead - self.guard.goal.middles[self.place]))
        return max(self.span[0] - distance, distance - self.span[1], 0.0)

    @property
    def place(self) -> int:
        """The first frame that is not on the way yet."""
        return min(len(self.trail.eyes), self.guard.take.frames - 1)

    def fits(self, point: Points) -> bool:
        """Tell whether a control point is near and high enough, and leads into the open."""
        off = point - self.guard.goal.middles[self.place]
        distance = float(np.linalg.norm(off))
        height = math.asin(min(max(off[2] / max(distance, 1e-12), -1.0), 1.0))
        if not (self.span[0] <= distance <= self.span[1]):
            return False
        if not LEVEL_RAD[0] <= height <= LEVEL_RAD[1]:
            return False
        last = self.trail.control[-1]
        self.guard.show(self.place)
        return self.guard.scene.first_hit(last, point + (point - last)) is None

    def add(self, point: Points) -> bool:
        """Add a control point, if the piece of the curve that it completes is free."""
        control = np.array([*self.trail.control[-3:], point])
        reached = self.trail.ends[-1] + lengths(control)
        frames = self.guard.take.frames
        first = len(self.trail.eyes)
        last = min(math.floor(reached[-1] / self.per_frame) + 1, frames)
        at = np.arange(first, last) * self.per_frame
        eyes = piece(control, np.interp(at, reached, np.linspace(0.0, 1.0, STEPS + 1)))
        unseen = self.look(first, eyes)
        if unseen is None:
            return False
        self.trail.control.append(point)
        self.trail.ends.append(float(reached[-1]))
        self.trail.eyes.extend(eyes)
        self.trail.counts.append(len(self.trail.eyes))
        self.trail.unseen.append(unseen)
        return True

    def look(self, first: int, eyes: Points) -> int | None:
        """Return in how many frames up to here the goal is hidden; None: one is not possible."""
        guard, unseen = self.guard, self.trail.unseen[-1]
        before = self.trail.eyes[-1] if self.trail.eyes else None
        for place, eye in enumerate(eyes, first):
            pose = looking(eye, guard.goal.middles[place])
            unseen += guard.hidden(place, pose) is not None
            if unseen > MOST_HIDDEN * guard.take.frames or guard.blocked(place, pose, before):
                return None
            before = eye
        return unseen
