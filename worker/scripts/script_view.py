"""What a script is told of the view that is to be taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.projection import project
from worker.scripts.ground import Ground

Pixels = NDArray[np.float64]


@dataclass(frozen=True)
class ScriptView:
    """One view, as `frame(scene, view, rng)` of a script is given it."""

    index: int
    """Its place in the dataset, from 0."""
    name: str
    """The stem of its files."""
    episode: int
    step: int
    """Its place in its episode, from 0."""
    frame: int | None
    """Of the scene; None where views are on their own."""
    params: dict[str, Any]
    """The script's parameters for this view, fixed ones and drawn ones."""
    resolution_px: tuple[int, int]
    """Width and height."""
    ground: Ground = field(repr=False)

    def project(self, points: Any) -> Pixels:
        """Return where points of the world (N, 3) fall in the picture, (N, 2), pixels.

        u goes right and v down from the outer corner of the top-left pixel. Points that the camera
        cannot see, since they are behind it, are NaN.
        """
        self.ground.update()
        return in_pixels(np.asarray(points, dtype=float).reshape(-1, 3), self.ground)

    def corners(self, item: Any) -> NDArray[np.float64]:
        """Return the corners of an object's box (8, 3), in the world, as they are now."""
        return box_of(item, self.ground.update())


def in_pixels(points: NDArray[np.float64], ground: Ground) -> Pixels:
    """Return where points of the world (N, 3) fall in the picture of the scene's camera."""
    record = ground.camera_record()
    camera_from_world = np.linalg.inv(np.array(record.world_from_camera))
    seen = points @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    return np.asarray(project(seen, record))


def box_of(item: Any, depsgraph: Any) -> NDArray[np.float64]:
    """Return the corners of an object's box (8, 3), in the world."""
    now = item.evaluated_get(depsgraph)
    matrix = np.array(now.matrix_world)
    return np.asarray(np.array(now.bound_box) @ matrix[:3, :3].T + matrix[:3, 3])
