"""The things in a view: where they are in the picture, how they stand, how much is seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from farm.projection import NEAR, as_matrix, project, projected, reach_of, rim_px
from farm.soundness import tight_box
from farm.spec.camera import Matrix4
from farm.spec.label import Keypoint, ObjectLabel, Point2, Point3
from farm.spec.record import CameraRecord
from worker.bounds import Bounds
from worker.labels.polygons import area, clipped, clipped_to_disc, hull
from worker.points.bodies import Body

Points = NDArray[np.float64]
Floats = NDArray[np.float32]

HIDDEN_BY = 0.01
"""A keypoint is hidden by what is so much nearer, in units of the view's world: it may lie a bit
under the skin."""
ALONG_AN_EDGE = 17
"""Points by which a bent edge is told."""
EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]


@dataclass(frozen=True, eq=False)
class Thing:
    """Something in the scene that a view has a label of."""

    name: str
    category: str
    indices: tuple[int, ...]
    """Its values of the index pass."""
    world_from_object: Matrix4
    """A turn and a shift; the origin is the middle of its box."""
    size: Point3
    """Sides of its box along its own axes."""
    outline: Points
    """Its outermost points (N, 3), in the world; where there are none, its box is taken."""
    keypoints: tuple[tuple[str, Point3], ...] = ()
    """Points that it names, in the world."""
    asset: int | None = None
    """Place among the task's assets of the one that it is of."""
    world_from_file: Matrix4 | None = None
    """The coordinates of that asset's file to the world."""
    body: Body | None = None
    """What its silhouette is told by, in the world; None where only the renderer knows."""


@dataclass(frozen=True, eq=False)
class Sight:
    """What of a view's pixels tells of its things."""

    camera: CameraRecord
    resolution_px: tuple[int, int]
    coverage: Floats
    """(H, W), of all things together, 0..1."""
    index: NDArray[np.uint16] | None = None
    """(H, W); tells apart what is seen. None where all is of one thing."""
    reach: Floats | None = None
    """(H, W), how far off what is seen is, as `farm.projection.reach_of` has it."""

    @cached_property
    def values(self) -> frozenset[int]:
        """All values of `index`: a scene has far more things than a view shows."""
        assert self.index is not None  # a view without it is not rendered
        return frozenset(np.flatnonzero(np.bincount(self.index.ravel())).tolist())


class Measured(Protocol):
    """What is known of a model, in its file's coordinates."""

    @property
    def bounds(self) -> Bounds: ...

    @property
    def indices(self) -> tuple[int, ...]: ...

    @property
    def keypoints(self) -> Mapping[str, Point3]: ...

    @property
    def body(self) -> Body | None: ...


def thing_at(
    world_from_file: Matrix4, model: Measured, *, name: str, category: str, asset: int | None
) -> Thing:
    """Return a model as a thing where a matrix takes it; its box lies along its file's axes.

    Args:
        world_from_file: Turns, scales and shifts.
        model: What is known of it.
        name: What it is called.
        category: What kind of thing it is.
        asset: Place among the task's assets of the one that it is of, if it is of any.
    """
    matrix, bounds = np.array(world_from_file, dtype=np.float64), model.bounds
    scales = np.linalg.norm(matrix[:3, :3], axis=0)
    world_from_object = np.eye(4)
    world_from_object[:3, :3] = matrix[:3, :3] / scales
    if np.linalg.det(world_from_object) < 0:  # a mirrored box is the same box
        world_from_object[:3, 0] *= -1
    world_from_object[:3, 3] = moved((bounds.low + bounds.high)[None] / 2, matrix)[0]
    x, y, z = ((bounds.high - bounds.low) * scales).tolist()
    points = moved(np.array([*model.keypoints.values()], dtype=np.float64).reshape(-1, 3), matrix)
    return Thing(
        name=name,
        category=category,
        indices=model.indices,
        world_from_object=as_matrix(world_from_object + 0.0),
        size=(x, y, z),
        outline=moved(bounds.support, matrix),
        keypoints=tuple(
            (key, (at[0], at[1], at[2]))
            for key, at in zip(model.keypoints, points.tolist(), strict=True)
        ),
        asset=asset,
        world_from_file=world_from_file,
        body=model.body.moved(matrix) if model.body is not None else None,
    )


def stand_alone(things: Sequence[Thing], parts: int) -> bool:
    """Tell whether all that is seen is of one thing.

    Args:
        things: What a view shows.
        parts: How many values the index pass has.
    """
    return len(things) == 1 and len(things[0].indices) >= parts


def object_label(thing: Thing, sight: Sight, *, alone: bool) -> ObjectLabel:
    """Describe a thing in a view.

    Args:
        thing: What is described.
        sight: The view.
        alone: All that is seen is of it, so that all that is covered is covered by it.
    """
    box_px, area_px = footprint(thing, sight, alone=alone)
    camera_from_world = np.linalg.inv(np.array(sight.camera.world_from_camera))
    world_from_object = np.array(thing.world_from_object)
    corners = moved(box_corners(thing.size), camera_from_world @ world_from_object)
    outline = moved(thing.outline, camera_from_world) if len(thing.outline) else corners
    return ObjectLabel(
        name=thing.name,
        asset=thing.asset,
        category=thing.category,
        indices=thing.indices,
        box_px=box_px,
        area_px=area_px,
        visible_fraction=float(area_px > 0.0) if alone else None,
        truncation=truncation(silhouette(outline, corners, sight.camera), sight),
        camera_from_object=as_matrix(camera_from_world @ world_from_object + 0.0),
        size=thing.size,
        world_from_file=thing.world_from_file,
        corners_px=pixels(corners, sight.camera),
        keypoints=tuple(
            keypoint(name, moved(np.array([at]), camera_from_world)[0], sight)
            for name, at in thing.keypoints
        ),
    )


def footprint(
    thing: Thing, sight: Sight, *, alone: bool
) -> tuple[tuple[float, float, float, float] | None, float]:
    """Return the box of the pixels that a thing covers, and how many it covers."""
    if not alone and sight.values.isdisjoint(thing.indices):
        return None, 0.0
    coverage = coverage_of(thing, sight, alone=alone)
    return tight_box(coverage), float(coverage.sum(dtype=np.float64))


def coverage_of(thing: Thing, sight: Sight, *, alone: bool) -> Floats:
    """Return how much of each pixel (H, W) a thing covers."""
    if alone:
        return sight.coverage
    assert sight.index is not None  # a view without it is not rendered
    return np.asarray(np.where(np.isin(sight.index, thing.indices), sight.coverage, 0), np.float32)


def keypoint(name: str, at: Points, sight: Sight) -> Keypoint:
    """Describe a point of the camera's frame (3,) in a view."""
    [px] = pixels(at[None], sight.camera)
    far = float(reach_of(at, sight.camera))
    return Keypoint(name=name, px=px, depth=float(-at[2]), visible=visible(px, far, sight))


def visible(px: Point2 | None, far: float, sight: Sight) -> bool | None:
    """Tell whether a point is in the picture and nothing hides it."""
    width, height = sight.resolution_px
    if px is None or not (0 <= px[0] < width and 0 <= px[1] < height):
        return False
    if sight.reach is None:
        return None
    return bool(far <= sight.reach[int(px[1]), int(px[0])] + HIDDEN_BY)


def truncation(points: Points, sight: Sight) -> float:
    """Return how much of the hull of points of the camera's frame (N, 3) is outside the picture.

    What is beyond the rim of a fisheye is outside, too.
    """
    if len(points) < 3:
        return 1.0
    px, rim = projected(points, sight.camera), rim_px(sight.camera)
    middle = sight.camera.cx_px, sight.camera.cy_px
    within = ((px >= 0.0) & (px <= sight.resolution_px)).all()
    if within and (rim is None or (np.hypot(*(px - middle).T) <= rim).all()):
        return 0.0  # most often; the hull takes a third of a small view's labels
    whole = hull(px)
    size = area(whole)
    if size <= 0:
        return 0.0
    inside = clipped(whole, sight.resolution_px)
    if rim is not None:
        inside = clipped_to_disc(inside, middle, rim)
    return float(np.clip(1.0 - area(inside) / size, 0.0, 1.0))


def silhouette(outline: Points, corners: Points, camera: CameraRecord) -> Points:
    """Return points (N, 3) of a thing whose hull in the picture is that of the thing.

    A fisheye bends the edges of a box, and shows also what is behind its plane.
    """
    if camera.model != "fisheye_polynomial":
        return in_front(outline, corners)
    if len(outline) > len(corners):
        return outline
    steps = np.linspace(0.0, 1.0, ALONG_AN_EDGE)[:, None]
    return np.concatenate([corners[a] + steps * (corners[b] - corners[a]) for a, b in EDGES])


def in_front(outline: Points, corners: Points) -> Points:
    """Return the points (N, 3) of an outline before the camera; if some are not, of its box."""
    if (outline[:, 2] < -NEAR).all():
        return outline
    near = -10 * NEAR * max(1.0, float(np.ptp(corners, axis=0).max()))
    kept = [corner for corner in corners if corner[2] <= near]
    for a, b in EDGES:
        start, end = corners[a], corners[b]
        if (start[2] <= near) != (end[2] <= near):
            share = (near - start[2]) / (end[2] - start[2])
            kept.append(start + share * (end - start))
    return np.array(kept).reshape(-1, 3)


def box_corners(size: Point3) -> Points:
    """Return the corners (8, 3) of a box around the origin: x changes slowest, minus first."""
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    return np.asarray(signs * np.array(size) / 2, np.float64)


def pixels(points: Points, camera: CameraRecord) -> tuple[Point2 | None, ...]:
    """Return where points of the camera's frame (N, 3) fall; None for one that no lens shows."""
    found = project(points, camera).tolist()
    return tuple(None if math.isnan(u) else (u, v) for u, v in found)


def moved(points: Points, matrix: Points) -> Points:
    """Apply a 4 x 4 `matrix` to `points` (N, 3)."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]
