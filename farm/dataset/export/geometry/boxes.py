"""Where the things of a scene are: the box around all of them, along the axes of the world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.label import ObjectLabel
from farm.spec.record import ViewRecord

CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])


class Box(NamedTuple):
    """The lowest and the highest corner, in the view's world."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def middle(self) -> NDArray[np.float64]:
        return (np.array(self.low) + self.high) / 2

    @property
    def longest(self) -> float:
        """Its longest side."""
        return float((np.array(self.high) - self.low).max())


def corners_of(record: ViewRecord) -> Iterator[tuple[ObjectLabel, NDArray[np.float64]]]:
    """Yield the things of a view, each with the corners (8, 3) of its box in the view's world."""
    world = np.array(record.camera.world_from_camera)
    for label in record.objects:
        yield label, placed(CORNERS * label.size, world @ np.array(label.camera_from_object))


def box_of(record: ViewRecord) -> Box | None:
    """Return the box around the things of a view; None where the record tells of none."""
    if not record.objects:
        return None
    points = np.concatenate([corners for _label, corners in corners_of(record)])
    return Box(tuple(points.min(axis=0).tolist()), tuple(points.max(axis=0).tolist()))


def placed(points: NDArray[np.float64], pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a pose takes points (N, 3)."""
    return points @ pose[:3, :3].T + pose[:3, 3]


def around(one: Box | None, other: Box | None) -> Box | None:
    """Return the box around two boxes, as far as they are known."""
    if one is None or other is None:
        return one or other
    low = np.minimum(one.low, other.low)
    high = np.maximum(one.high, other.high)
    return Box(tuple(low.tolist()), tuple(high.tolist()))
