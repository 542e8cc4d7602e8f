"""Whole silhouettes of things, were nothing before them, and what hides parts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.spec.label import Occluder
from worker.labels.objects import Thing
from worker.points.bodies import Body, joined
from worker.points.followed import Flags
from worker.points.silhouettes import Clip, silhouette
from worker.points.surfaces import Eye

Index = NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Silhouettes:
    """What is known of the silhouettes of a view's things."""

    eye: Eye
    clip: Clip
    bodies: Mapping[int, Body]
    """By the number of an object, where things do not bring theirs."""
    rendered: Mapping[int, Flags]
    """(H, W), by the place of a thing: those that were rendered alone."""

    def of(self, place: int, thing: Thing) -> Flags | None:
        """Return the silhouette (H, W) of a thing; None where only the renderer knows."""
        if place in self.rendered:
            return self.rendered[place]
        body = body_of(thing, self.bodies)
        if body is None or not body.whole:
            return None
        return silhouette(body.surfaces, self.eye, self.clip)


def body_of(thing: Thing, bodies: Mapping[int, Body]) -> Body | None:
    """Return what the silhouette of a thing is told by.

    Args:
        thing: It may bring it.
        bodies: Else, by the number of an object; what is not among them is not there at all.
    """
    if thing.body is not None or not bodies:
        return thing.body
    return joined(bodies.get(index, Body()) for index in thing.indices)


def owners(index: Index, things: Sequence[Thing]) -> NDArray[np.int64]:
    """Return which thing each pixel (H, W) shows, by its place, from 1; 0 where it shows none."""
    table = np.zeros(int(index.max(initial=0)) + 1, np.int64)
    for place, thing in enumerate(things, 1):
        table[[each for each in thing.indices if each < len(table)]] = place
    return np.asarray(table[index])


def occluders(place: int, whole: Flags, seen_of: NDArray[np.int64]) -> tuple[Occluder, ...]:
    """Return what hides parts of a thing, from the largest part on.

    Args:
        place: Of the thing.
        whole: (H, W), its silhouette.
        seen_of: What each pixel shows, as `owners` has it.
    """
    counts = np.bincount(seen_of[whole])
    counts[:1] = 0
    counts[place + 1 : place + 2] = 0
    order = np.argsort(-counts, kind="stable")
    return tuple(
        Occluder(object=each - 1, area_px=float(counts[each]))
        for each in order.tolist()
        if counts[each]
    )
