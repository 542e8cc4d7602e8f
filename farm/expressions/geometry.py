"""Where things lie from each other in a view: surely so, and possibly so."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.expressions.seen import SeenObject, SeenScene
from farm.spec.expression import SAID_FROM, SIZE_RATIO

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

BESIDE = 0.5
"""Share of the way along a direction that may lie across it: what is far off to the side is not
said to be behind a thing."""
APART_PX = 0.25
"""Sizes, as they show in the picture, that left and right lie apart there at least."""
BOX_RATIO = 1.2
"""Factor between the tallest thing and the box of any other, which is higher where it is tilted."""
NEARER = 0.75
"""Share of the next one's distance at which a thing is said to be the nearest."""
BETWEEN = (0.25, 0.75, 0.2)
"""Along the line from one thing to another, and off it, shares of its length: said within."""
NOT_BETWEEN = 0.4
"""Off the line: surely not between from here on."""
AREA_RATIO = 1.1
"""Factor between what the largest thing takes up for the eye and any other: a pencil is longer than
a mug, and nobody calls it larger."""


class Pairs(NamedTuple):
    """Of each two things, whether one holds from the other."""

    sure: Flags
    """(n, n), the first from the second."""
    maybe: Flags


def bits(flags: Flags) -> list[int]:
    """Return each row of flags as a whole number, the first flag its lowest bit."""
    packed = np.packbits(flags, axis=-1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


class Layout:
    """Measures of the things in a view, each with each."""

    def __init__(self, scene: SeenScene, things: Sequence[SeenObject]) -> None:
        self.count = len(things)
        self.things = things
        self._scene = scene
        shape = (len(things), 3)
        self.centres = np.array([each.centre_m for each in things], float).reshape(shape)
        self.seen = np.array([each.seen_m for each in things], float).reshape(shape)
        self.sizes = np.array([each.size_m for each in things], float)
        self.mean_sizes = np.maximum((self.sizes[:, None] + self.sizes) / 2, 1e-9)
        self.u_px = np.array([each.mean_px[0] for each in things], float)

    @cached_property
    def sizes_px(self) -> Numbers:
        """(n, n): how many pixels the size of two things is, halfway between them."""
        if self._scene.focal_px is None:
            boxes = np.array([each.box_px for each in self.things], float).reshape(-1, 4)
            sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
            return np.asarray((sides[:, None] + sides) / 2)
        pose = self._scene.world_from_camera
        far = (self.seen - pose[:3, 3]) @ -pose[:3, 2]
        return np.asarray(
            self.mean_sizes * self._scene.focal_px / np.maximum((far[:, None] + far) / 2, 1e-6)
        )

    @cached_property
    def contacts(self) -> tuple[Flags, Flags]:
        """What surely rests on what, and what surely lies in what: (n, n) each."""
        on, inside = (np.zeros((self.count, self.count), bool) for _ in range(2))
        at = {each.place: row for row, each in enumerate(self.things)}
        surfaces = {each.place for each in self._scene.objects if each.is_surface}
        for row, each in enumerate(self.things):
            for place in each.inside & at.keys():
                inside[row, at[place]] = True
            if not each.on & surfaces:
                for place in each.on & at.keys():
                    on[row, at[place]] = True
        return on, inside

    @cached_property
    def carried(self) -> Flags:
        """(n, n): what rests on or in what, over others, too, and what only leans on it."""
        at = {each.place: row for row, each in enumerate(self.things)}
        held = np.zeros((self.count, self.count), bool)
        for row, each in enumerate(self.things):
            for place in (each.on | each.inside) & at.keys():
                held[row, at[place]] = True
        for middle in range(self.count):
            held |= held[:, middle, None] & held[None, middle]
        return held

    @cached_property
    def on_unseen(self) -> Flags:
        """(n,): it rests on or in something of which nothing is seen, or over such a thing."""
        seen = {each.place for each in self._scene.objects}
        own = np.array([bool((each.on | each.inside) - seen) for each in self.things], bool)
        return np.asarray(own | (self.carried & own[None]).any(axis=1))

    @cached_property
    def apart(self) -> Flags:
        """(n, n): neither carries the other."""
        return np.asarray(~(self.carried | self.carried.T))

    def along(self, axis: Numbers) -> tuple[Numbers, Numbers]:
        """Return how far each lies along an axis from each other, in sizes: least and most."""
        ways = [at @ axis for at in (self.centres, self.seen)]
        measured = [(way[:, None] - way) / self.mean_sizes for way in ways]
        return np.minimum(*measured), np.maximum(*measured)

    @cached_property
    def leftwards(self) -> tuple[Numbers, Numbers]:
        low, high = self.along(self._scene.right)
        return -high, -low

    @cached_property
    def backwards(self) -> tuple[Numbers, Numbers]:
        return self.along(self._scene.away)

    @cached_property
    def left_px(self) -> tuple[Flags, Flags]:
        """(n, n): what is surely left of what in the picture, and what may be."""
        by_px = self.u_px - self.u_px[:, None]
        return np.asarray(by_px >= APART_PX * self.sizes_px), np.asarray(by_px > 0)

    @cached_property
    def sides(self) -> dict[str, Pairs]:
        """By direction, what lies clearly there from what, whatever lies across: for rows."""
        (left, left_most), (back, back_most) = self.leftwards, self.backwards
        sure_px, maybe_px = self.left_px
        lefts = Pairs((left >= SAID_FROM) & sure_px, (left_most >= 0) | maybe_px)
        backs = Pairs(back >= SAID_FROM, back_most >= 0)
        return {
            "left": lefts,
            "right": Pairs(lefts.sure.T, lefts.maybe.T),
            "behind": backs,
            "front": Pairs(backs.sure.T, backs.maybe.T),
        }

    @cached_property
    def relations(self) -> dict[str, Pairs]:
        """By direction, what is said to lie there from what, and what may be said to."""
        other = ~np.eye(self.count, dtype=bool)
        aside, deep = (
            np.abs(np.subtract.outer(way, way))
            for way in (self.centres @ self._scene.right, self.centres @ self._scene.away)
        )
        sideways, lengthways = aside >= BESIDE * deep, deep >= BESIDE * aside
        level = {"left": sideways, "right": sideways, "front": lengthways, "behind": lengthways}
        on, inside = self.contacts
        maybe_held = self.carried | (self.on_unseen[:, None] & other)
        return {
            name: Pairs(pairs.sure & level[name] & self.apart, pairs.maybe & other)
            for name, pairs in self.sides.items()
        } | {"on": Pairs(on, maybe_held), "in": Pairs(inside, maybe_held)}

    def nearer(self, anchor: int) -> Flags:
        """(n, n): what is surely nearer to a thing than what, over the table."""
        ways = [
            np.linalg.norm(at[:, :2] - at[anchor, :2], axis=1) for at in (self.centres, self.seen)
        ]
        return np.asarray(np.all([way[:, None] <= NEARER * way for way in ways], axis=0))

    @cached_property
    def between(self) -> Pairs:
        """(n, n, n): of the first and second, whether the third is between them."""
        found = [self._between(at[:, :2]) for at in (self.centres, self.seen)]
        far = np.linalg.norm(self.centres[:, None, :2] - self.centres[:, :2], axis=-1)
        room = (far >= self.mean_sizes) & self.apart & ~np.eye(self.count, dtype=bool)
        other = np.ones((self.count,) * 3, bool)
        each = np.arange(self.count)
        other[each, :, each] = other[:, each, each] = False
        clear = self.apart[:, None] & self.apart[None]
        return Pairs(
            found[0].sure & found[1].sure & room[..., None] & other & clear,
            (found[0].maybe | found[1].maybe) & other,
        )

    def _between(self, at: Numbers) -> Pairs:
        way = at - at[:, None]  # (first, second, 2)
        length2 = np.maximum((way**2).sum(axis=-1), 1e-12)[..., None]
        to = (at - at[:, None])[:, None]  # (first, 1, third, 2)
        share = (to * way[:, :, None]).sum(axis=-1) / length2
        off = np.abs(way[:, :, None, 0] * to[..., 1] - way[:, :, None, 1] * to[..., 0]) / length2
        low, high, aside = BETWEEN
        said = (share >= low) & (share <= high) & (off <= aside)
        return Pairs(said, (share >= 0) & (share <= 1) & (off <= NOT_BETWEEN))

    @cached_property
    def larger(self) -> Flags:
        """(n, n): what is surely larger than what."""
        camera = self._scene.world_from_camera[:3, 3]
        far2 = ((self.seen - camera) ** 2).sum(axis=1)
        shown = [each.area_px / max(each.visible_fraction, 1e-3) for each in self.things]
        area = np.array(shown, float) * far2
        return np.asarray(
            (self.sizes[:, None] >= SIZE_RATIO * self.sizes) & (area[:, None] >= AREA_RATIO * area)
        )

    @cached_property
    def taller(self) -> Flags:
        """(n, n): what is surely taller than what; of what stands on others nobody can say."""
        heights = np.array([each.height_m for each in self.things], float)
        rises = np.array([each.rise_m or 0.0 for each in self.things], float)
        grounded = ~self.carried.any(axis=1) & ~self.on_unseen
        taller = heights[:, None] >= np.maximum(SIZE_RATIO * heights, BOX_RATIO * rises)
        return np.asarray(taller & grounded[:, None] & grounded)
