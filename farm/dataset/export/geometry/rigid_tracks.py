"""Tracks of points on rigid things, from their poses; what hides a point is read from the depth.

Points are taken at the centres of pixels: depth leads to a point of the object's own frame, and the
object's pose in any other frame to where it is then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.projection import project, rays
from farm.spec.record import CameraRecord

Numbers = NDArray[np.float64]
Bools = NDArray[np.bool_]
SAME_SURFACE = 0.01
"""Distance, relative, within which what is seen at a point's place is the point."""
RIM = 0.03
"""The same at the rim of a thing, whose slope is not known there."""
OUTSIDE = 0.01
"""Distance out of its box, relative to its longest side, that a point of a rigid thing may have."""
FLOATING = 0.02
"""Share of a thing's points that may lie before all that is seen around them: at its rim."""
LEAST_SIZE = 1e-6


class Body(NamedTuple):
    """A thing in one frame."""

    indices: tuple[int, ...]
    """Its values of the index pass."""
    camera_from_object: Numbers
    """(4, 4)."""
    size: tuple[float, float, float]


class Sight(NamedTuple):
    """What a frame shows."""

    camera: CameraRecord
    depth: NDArray[np.float32]
    """(H, W), along the camera's axis."""
    ids: NDArray[Any]
    """(H, W), of the index pass."""


class Seen(NamedTuple):
    """Points in a frame."""

    px: Numbers
    """(N, 2), NaN behind the camera."""
    visible: Bools
    """(N,)."""
    floating: Bools
    """(N,): before all that is seen there, as no point of a rigid thing can be."""


def points_of(sight: Sight, body: Body, pixels: NDArray[np.intp]) -> Numbers:
    """Return the points (N, 3) of a thing's own frame that pixels (N, 2: row, column) show."""
    height, width = sight.depth.shape
    looks = rays(sight.camera, (width, height)).directions[pixels[:, 0], pixels[:, 1]]
    depth = sight.depth[pixels[:, 0], pixels[:, 1]].astype(np.float64)
    points = looks * (depth / -looks[:, 2])[:, None]
    inverse = np.linalg.inv(body.camera_from_object)
    return np.asarray(points @ inverse[:3, :3].T + inverse[:3, 3])


def inside_box(points: Numbers, body: Body) -> Bools:
    """Say which points (N, 3) of a thing's own frame are in its box."""
    size = np.array(body.size)
    slack = OUTSIDE * max(float(size.max()), LEAST_SIZE)
    return np.asarray((np.abs(points) <= size / 2 + slack).all(axis=-1))


def look(points: Numbers, body: Body, sight: Sight) -> Seen:
    """Return where points (N, 3) of a thing's own frame are in a frame, and whether they show."""
    pose = body.camera_from_object
    placed = points @ pose[:3, :3].T + pose[:3, 3]
    px, far = project(placed, sight.camera), -placed[:, 2]
    height, width = sight.depth.shape
    with np.errstate(invalid="ignore"):
        inside = ((px >= 0) & (px < (width, height))).all(axis=-1)
    columns, rows = np.where(inside[:, None], px, 0).astype(np.intp).T
    own = np.isin(sight.ids, body.indices)
    expected = depth_at(sight, own, px, rows, columns)
    before_all = far < np.min(around(sight.depth, rows, columns), axis=0) * (1 - SAME_SURFACE)
    with np.errstate(invalid="ignore"):
        same = np.abs(far - expected) <= SAME_SURFACE * far
        # At its rim: the pixel's centre shows what is behind, and a pixel beside it the thing.
        own_depth = np.where(own, sight.depth, np.inf)
        beside = np.abs(around(own_depth, rows, columns) - far).min(axis=0) <= RIM * far
        rim = beside & (far < sight.depth[rows, columns] * (1 - SAME_SURFACE))
    visible = inside & np.where(own[rows, columns], same, rim)
    return Seen(px, visible, inside & before_all)


def depth_at(
    sight: Sight, own: Bools, px: Numbers, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> Numbers:
    """Return the depth (N,) of the surface at places (N, 2), which are seldom centres of pixels.

    One over the depth of a plane changes evenly over the picture. Of both sides of a pixel the
    slope is taken that is the lesser: across an edge the other one leads to another surface.
    """
    with np.errstate(divide="ignore"):
        near = np.where(own, 1.0 / sight.depth.astype(np.float64), np.nan)
    here = near[rows, columns]
    offset = np.nan_to_num(px - np.stack([columns + 0.5, rows + 0.5], axis=-1))
    padded = np.pad(near, 1, constant_values=np.nan)
    down, right = rows + 1, columns + 1
    across = lesser(here - padded[down, right - 1], padded[down, right + 1] - here)
    along = lesser(here - padded[down - 1, right], padded[down + 1, right] - here)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1.0 / (here + across * offset[:, 0] + along * offset[:, 1]))


def lesser(one: Numbers, other: Numbers) -> Numbers:
    """Return what is nearer to 0 of two numbers (N,), of which either may be missing, as NaN."""
    first = np.where(np.isnan(one), other, one)
    second = np.where(np.isnan(other), one, other)
    return np.nan_to_num(np.where(np.abs(first) <= np.abs(second), first, second))


def around(
    depth: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> Numbers:
    """Return the depths (9, N) of 3 x 3 pixels around some; inf beside the picture."""
    padded = np.pad(depth.astype(np.float64), 1, constant_values=np.inf)
    return np.array(
        [padded[rows + down, columns + right] for down in range(3) for right in range(3)]
    )


def changes_size(bodies: Sequence[Body]) -> bool:
    """Say whether a thing's box is not the same in all frames."""
    sizes = np.array([body.size for body in bodies])
    most = max(float(sizes.max(initial=0.0)), LEAST_SIZE)
    return bool((np.ptp(sizes, axis=0) > 1e-4 * most).any())
