"""Holds that a camera keeps clear of what stands in a scene, with its target in view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from farm.spec.recipes.sequence import AnyPath, Take
from worker.bounds import directions, transformed
from worker.recipes.paths.lens import Lens, all_around
from worker.recipes.paths.scene import Body, Hit, Points, Scene

MOST_HIDDEN = 0.1
"""Largest share of a sequence's frames in which something may stand in front of the target."""
HALF_WAY = 0.5
"""What is met at this share of the way to the scene's middle, or later, belongs to what is seen."""
CLOSE = 1e-3
"""Share of the way to a point in which a surface counts as the point's own."""
LOOKS = 98
"""Directions in which a place is looked around for whether it is inside of a body."""
MOST_BACKS = 0.8
"""Share of directions in which surfaces show their backs, from which on one is inside of a body."""
POINT = 0.25
"""What is seen around a point, in sizes of the scene."""
FAR = 4.0
"""How far rays reach, in sizes of the scene."""


class Fault(NamedTuple):
    """Why a camera cannot be where a path has it."""

    place: int
    reason: str


@dataclass(frozen=True)
class Goal:
    """What is looked at, at each frame of a sequence."""

    middles: Points
    """(frames, 3)"""
    radius: float
    names: frozenset[str] = frozenset()
    """Objects of which it is made."""
    share: float = 1.0 - CLOSE
    """What is met at this share of the way to it, or later, is part of it."""
    skin: float = 0.0
    """So near to it is its own surface, where it is inside of a body."""

    def is_part(self, hit: Hit, distance: float) -> bool:
        """Tell whether what a ray to the goal meets belongs to it."""
        own = hit.distance >= min(self.share * distance, distance - self.skin * (1 + CLOSE))
        return hit.name in self.names or own


class Guard:
    """Looks at a scene frame by frame, with a camera's lens."""

    def __init__(self, scene: Scene, take: Take, path: AnyPath, lens: Lens) -> None:
        self.scene = scene
        self.take = take
        self.lens = lens
        self._place: int | None = None
        self._segments = lens.segments()
        self._around = all_around()
        self.show(0)
        self.whole = scene.everything()
        self.far = FAR * self.whole.radius + lens.reach
        self.goal = self._goal(path)

    def show(self, place: int) -> None:
        """Go to a frame, unless it is shown already."""
        if self._place != place:
            self._place = place
            self.scene.show(self.take.moment(place))

    def _goal(self, path: AnyPath) -> Goal:
        """Find what is looked at.

        Raises:
            AssetError: The scene does not have it.
        """
        frames, target = self.take.frames, path.target
        if isinstance(target, str):
            bodies = [self._body(target, place) for place in range(frames)]
            middles = np.array([body.middle for body in bodies])
            return Goal(middles, max(body.radius for body in bodies), bodies[0].names)
        if target is None:
            middles = np.broadcast_to(self.whole.middle, (frames, 3))
            return Goal(middles, self.whole.radius, share=HALF_WAY)
        point = np.array(target, dtype=np.float64)
        hits = self.looks_around(point)
        inside = body_around(hits) is not None
        skin = max((hit.distance for hit in hits if hit is not None), default=0.0)
        middles = np.broadcast_to(point, (frames, 3))
        return Goal(middles, POINT * self.whole.radius, skin=skin if inside else 0.0)

    def _body(self, name: str, place: int) -> Body:
        self.show(place)
        return self.scene.object(name)

    def looks_around(self, eye: Points) -> list[Hit | None]:
        """Return what is met in all directions from a place."""
        return [self.scene.first_hit(eye, eye + self.far * way) for way in directions(LOOKS)]

    def blocked(self, place: int, matrix: Points, before: Points | None = None) -> str | None:
        """Say what is in the way of a camera at a frame, if anything is.

        Args:
            place: Of the frame.
            matrix: `world_from_camera`.
            before: Where the camera is one frame before.
        """
        self.show(place)
        eye, reach = matrix[:3, 3], self.lens.reach
        if before is not None and (hit := self.scene.first_hit(before, eye)):
            return f"goes through {hit.name!r}"
        hits = [self.scene.first_hit(eye, eye + self.far * way) for way in self._around]
        for hit in hits:
            if hit is not None and hit.distance < reach:
                return f"comes nearer than {reach:.3g} to {hit.name!r}"
        for start, end in transformed(self._segments.reshape(-1, 3), matrix).reshape(-1, 2, 3):
            if hit := self.scene.first_hit(start, end):
                return f"cuts {hit.name!r} with its near plane"
        body = body_around(hits)
        if body is None or self._sees_front(place, eye):
            return None
        body = body_around(self.looks_around(eye))
        return f"is inside of {body!r}" if body is not None else None

    def _sees_front(self, place: int, eye: Points) -> bool:
        """Tell whether something shows its front towards the goal: then one is outside of it."""
        hit = self.scene.first_hit(eye, self.goal.middles[place])
        return hit is not None and not hit.from_behind

    def hidden(self, place: int, matrix: Points) -> str | None:
        """Say why the goal is not to be seen at a frame, if it is not."""
        self.show(place)
        eye, middle = matrix[:3, 3], self.goal.middles[place]
        if not self.lens.shows(middle, matrix):
            return "loses its target from the picture"
        hit = self.scene.first_hit(eye, middle)
        if hit is None or self.goal.is_part(hit, float(np.linalg.norm(middle - eye))):
            return None
        return f"has {hit.name!r} in front of its target"

    def fault(self, course: Points, *, seen_at: range | None = None) -> Fault | None:
        """Return the first fault of a course (frames, 4, 4) that is found, if it has any.

        Args:
            course: `world_from_camera` at each frame.
            seen_at: Frames in which the goal is to be seen; left out: all.
        """
        seen = range(len(course)) if seen_at is None else seen_at
        unseen = 0
        for place in coarse_to_fine(len(course)):
            before = course[place - 1, :3, 3] if place else None
            if reason := self.blocked(place, course[place], before):
                return Fault(place, reason)
            if place in seen and (reason := self.hidden(place, course[place])):
                unseen += 1
                if unseen > MOST_HIDDEN * len(seen):
                    return Fault(place, reason)
        return None


def body_around(hits: list[Hit | None]) -> str | None:
    """Return the name of a body that is all around a place, from what rays from there meet.

    From inside, one sees the backs of surfaces; not all of them, where a body has no bottom.
    """
    behind = [hit.name for hit in hits if hit is not None and hit.from_behind]
    if len(behind) < MOST_BACKS * len(hits):
        return None
    return max(sorted(set(behind)), key=behind.count)


def coarse_to_fine(count: int) -> Iterator[int]:
    """Yield 0 to count - 1, few from everywhere first: what is wrong for long is found soon."""
    step = 1 << max(count - 1, 0).bit_length()
    yield from range(min(count, 1))
    while step := step >> 1:
        yield from range(step, count, 2 * step)
