"""Points on surfaces that are followed: what carries them, and where they are in a frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.spec.record import CameraRecord
from worker.points.first_hits import Indices, Numbers

Flags = NDArray[np.bool_]

Key = tuple[str, str, tuple[int, ...]]
"""What tells a surface from all others in every frame and process: the object, what shows it, and
which of its copies it is."""


@dataclass(frozen=True, eq=False)
class Anchors:
    """Points on surfaces, told by what carries them."""

    keys: tuple[Key, ...]
    """Surface of each."""
    corners: Indices
    """(N, 3), points of its mesh."""
    weights: Numbers
    """(N, 3), of these points."""
    shapes: Indices
    """(N,), of the mesh when the point was chosen."""

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, eq=False)
class Followed:
    """Where points are in one frame, in the renderer's world."""

    world: Numbers
    """(N, 3); NaN where they cannot be followed."""
    open: Flags
    """(N,): no mesh is between them and the camera."""


def joined(parts: Iterable[Anchors]) -> Anchors:
    """Return the points of several moments as one."""
    every = list(parts)
    return Anchors(
        keys=tuple(key for part in every for key in part.keys),
        corners=np.concatenate([part.corners for part in every]),
        weights=np.concatenate([part.weights for part in every]),
        shapes=np.concatenate([part.shapes for part in every]),
    )


def in_camera(world: Numbers, camera: CameraRecord) -> Numbers:
    """Return points (N, 3) of the world in the frame of a camera."""
    pose = np.array(camera.world_from_camera)
    return np.asarray((world - pose[:3, 3]) @ pose[:3, :3])
