"""What each pixel of a frame shows, as a point of a mesh that carries it to other frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.projection import points_at
from worker.points.first_hits import Aims, Hits, Indices, Numbers, Wanted, weights_of
from worker.points.followed import in_camera
from worker.points.surfaces import Eye, Scenery, may_meet

FITS = 1e-3
"""Share of the way to what a pixel shows by which a mesh may be nearer or farther. What its
material displaces, and hair and mist, is not on a mesh."""


class Footing(NamedTuple):
    """Points of meshes that pixels show at their centres."""

    pixels: Indices
    """(K,), numbered row by row, increasing."""
    surface: Indices
    """(K,), which of the frame's surfaces."""
    corners: Indices
    """(K, 3), points of its mesh."""
    weights: Numbers
    """(K, 3), of these points."""

    def carried(self, own: Scenery, other: Scenery) -> Numbers:
        """Return where the points (K, 3) are in another frame, or again in their own.

        They are NaN where there is no such surface, or its faces have other corners.
        """
        world = np.full((len(self.pixels), 3), np.nan)
        there = {surface.key: surface for surface in other.shown}
        for number, places in by_number(self.surface):
            mine = own.shown[number]
            surface = there.get(mine.key)
            if surface is None or surface.mesh.shape != mine.mesh.shape:
                continue
            corners = surface.points_of(self.corners[places])
            world[places] = (self.weights[places, :, None] * corners).sum(axis=1)
        return world


def footing(
    reach: NDArray[np.float32], index: NDArray[np.uint16], eye: Eye, scenery: Scenery
) -> Footing:
    """Return the points of meshes that a frame shows; pixels that show something else have none.

    Args:
        reach: (H, W), how far off what is seen is, as Cycles' depth has it.
        index: (H, W), numbers of objects, 0 where there is nothing.
        eye: What sees the frame.
        scenery: Its surfaces.
    """
    pixels = np.flatnonzero((index > 0) & np.isfinite(reach))
    points = points_at(reach, eye.camera).reshape(-1, 3)[pixels]
    looked = eye.aims(points, scenery.near)
    depths = looked.depths(points)
    hits = looked.nothing(Wanted(depths, index.reshape(-1)[pixels].astype(np.int64)))
    look_for(looked, hits, scenery, eye)
    with np.errstate(invalid="ignore"):
        far = np.linalg.norm(points, axis=1)
        kept = np.flatnonzero(np.abs(hits.depth - depths) <= FITS * far)
    reached = looked.at(np.where(np.isfinite(hits.depth), hits.depth, 0.0))
    surface, triangle, reached = hits.surface[kept], hits.triangle[kept], reached[kept]
    corners, weights = np.zeros((len(kept), 3), np.int64), np.zeros((len(kept), 3))
    for number, places in by_number(surface):
        shown = scenery.shown[number]
        own = corners[places] = shown.mesh.triangles[triangle[places]]
        local = in_camera(shown.points_of(own), eye.camera)
        weights[places] = weights_of(local, reached[places])
    return Footing(pixels[kept], surface, corners, weights)


def look_for(looked: Aims, hits: Hits, scenery: Scenery, eye: Eye) -> None:
    """Note what rays meet of all surfaces, clear ones too, where it is looked for."""
    for number in np.flatnonzero(may_meet(looked, scenery.shown, eye)).tolist():
        surface = scenery.shown[number]
        local = in_camera(surface.points(), eye.camera)
        looked.cast(hits, number, local, surface.mesh.triangles, owner=surface.owner)


def by_number(numbers: Indices | NDArray[np.uint16]) -> Iterator[tuple[int, Indices]]:
    """Yield each number that there is, and at which places."""
    order = np.argsort(numbers, kind="stable")
    found, first = np.unique(numbers[order], return_index=True)
    yield from zip(found.tolist(), np.split(order, first[1:]), strict=True)
