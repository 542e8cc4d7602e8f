"""Whole silhouettes of things, were nothing before them, and what hides parts of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.arrays import Rows
from farm.runs import runs_of
from farm.soundness import box_around
from farm.spec.label import ObjectLabel, Occluder
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
    bodies: Mapping[int, Body] | None
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


class Whole(NamedTuple):
    """The whole silhouette of a thing in a view."""

    mask: Flags
    """(H, W), also of what is seen beside, by a rounding."""
    seen_px: int
    """Pixels at whose centres nothing hides it."""
    occluders: tuple[Occluder, ...]

    def told(self, label: ObjectLabel) -> ObjectLabel:
        """Return the label of the thing with what is known of it."""
        area_px = int(np.count_nonzero(self.mask))
        return label.model_copy(
            update={
                "visible_fraction": self.seen_px / area_px if area_px else 0.0,
                "amodal_area_px": float(area_px),
                "amodal_box_px": box_around(self.mask),
                "occluders": self.occluders,
            }
        )


def body_of(thing: Thing, bodies: Mapping[int, Body] | None) -> Body | None:
    """Return what the silhouette of a thing is told by.

    Args:
        thing: It may bring it.
        bodies: Else, by the number of an object; what is not among them is not there at all.
    """
    if thing.body is not None or bodies is None:
        return thing.body
    return joined(bodies.get(index, Body()) for index in thing.indices)


def wholes(
    things: Sequence[Thing], known: Silhouettes, index: Index
) -> Iterator[tuple[int, Whole]]:
    """Yield the whole silhouettes of things that are known, with their places.

    Args:
        things: What a view shows.
        known: What is known of them.
        index: (H, W), which object each pixel shows.
    """
    seen_of = owners(index, things)
    for place, thing in enumerate(things):
        mask = known.of(place, thing)
        if mask is not None:
            seen = seen_of == place + 1
            mask = mask | seen
            yield place, Whole(mask, int(seen.sum()), occluders(place, mask, seen_of))


def told_with(
    labels: Sequence[ObjectLabel], found: Iterable[tuple[int, Whole]]
) -> tuple[tuple[ObjectLabel, ...], Rows]:
    """Return labels with what is known of silhouettes, and these as the rows of a pass.

    One silhouette after the other is kept: those of a large scene would take much memory.
    """
    objects, parts = list(labels), [runs_of([])]
    for place, whole in found:
        objects[place] = whole.told(labels[place])
        parts.append(runs_of([(place, whole.mask)]))
    return tuple(objects), np.concatenate(parts)


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
