"""Points that are followed through the frames of a sequence, as their files have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from farm.arrays import Rows, row_type
from farm.errors import RenderError
from farm.projection import project, reach_of
from farm.spec.camera import Matrix4
from farm.spec.passes import PASSES
from farm.spec.record import CameraRecord
from worker.points.first_hits import Numbers
from worker.points.followed import Flags, in_camera
from worker.points.tracking import Tracking

BEFORE = 5e-3
"""Share of the way to a point by which the picture must be nearer to hide it: hair, mist and what
else has no mesh is known by the pixels around alone."""


def track_rows(
    tracking: Tracking, camera: CameraRecord, world_from_scene: Matrix4, reach: NDArray[np.float32]
) -> Rows:
    """Return the tracks as their file has them.

    Args:
        tracking: Where its points are.
        camera: What sees the frame.
        world_from_scene: From the renderer's coordinates to the record's.
        reach: (H, W), how far off what is seen is.

    Raises:
        RenderError: The renderer did not show its meshes.
    """
    if tracking.followed is None:
        raise RenderError("tracks: the renderer has not shown its meshes")
    height, width = reach.shape
    turn = np.array(world_from_scene)
    world = tracking.followed.world @ turn[:3, :3].T + turn[:3, 3]
    local = in_camera(world, camera)
    px = project(local, camera)
    inside = ((px >= 0) & (px < (width, height))).all(axis=1)
    rows = np.zeros(len(world), row_type(PASSES["tracks"].columns))
    rows["id"] = np.arange(len(world))
    rows["px"], rows["world"], rows["depth"] = px, world, -local[:, 2]
    rows["lost"] = np.isnan(world).any(axis=1)
    seen = tracking.followed.open & inside & ~rows["lost"]
    seen[seen] = ~is_behind(px[seen], reach_of(local[seen], camera), reach)
    rows["visible"] = seen
    return rows


def is_behind(px: Numbers, far: Numbers, reach: NDArray[np.float32]) -> Flags:
    """Say which points (N,) all pixels around show something in front of.

    Args:
        px: (N, 2), where they are in the picture.
        far: (N,), how far off they are.
        reach: (H, W), how far off what is seen is.
    """
    height, width = reach.shape
    corner = np.floor(px - 0.5).astype(np.int64)
    around = []
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x = np.clip(corner[:, 0] + right, 0, width - 1)
        y = np.clip(corner[:, 1] + down, 0, height - 1)
        around.append(reach[y, x])
    return np.asarray(np.max(around, axis=0) < far * (1 - BEFORE))
