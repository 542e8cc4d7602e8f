"""Points of surfaces with their colours, from depth: what training begins with."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import NumberedView
from farm.dataset.images import to_8_bit
from farm.projection import points_at
from farm.spec.base import digest
from farm.spec.passes import PassName

Points = NDArray[Any]
"""(N,) with fields `xyz` in the view's world, `rgb`, and `px`: column and row."""
POINT = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3), ("px", "<u2", 2)])
MOST = 100_000
"""Points of a scene, unless a person says."""
WHOLE = 250
"""Coverage, of 255, of pixels that show nothing but the object."""


def share_of(points: int, views: int) -> int:
    """Return how many points each of so many views gives, so that all give about `points`."""
    return -(-points // views)


def sample(view: NumberedView, count: int) -> Points:
    """Return so many points that a view shows, evenly over the pixels with a depth; or all.

    Raises:
        DamagedFileError: A file is not what was recorded.
    """
    depth = view.pixels("depth")
    there = np.isfinite(depth) & (depth > 0)
    if "mask" in view.record.files:
        inside = there & (to_8_bit(view.pixels("mask")) >= WHOLE)
        there = inside if inside.any() else there
    rows, columns = np.nonzero(there)
    chosen = pick(len(rows), count, view.view.name)
    rows, columns = rows[chosen], columns[chosen]
    camera = view.record.camera
    seen = points_at(depth, camera)[rows, columns]
    pose = np.array(camera.world_from_camera)
    found = np.empty(len(rows), POINT)
    found["xyz"] = seen @ pose[:3, :3].T + pose[:3, 3]
    source: PassName = "rgb" if "rgb" in view.record.files else "foreground"
    found["rgb"] = to_8_bit(view.pixels(source))[rows, columns, :3]
    found["px"] = np.stack([columns, rows], axis=-1)
    return found


def pick(there: int, count: int, name: str) -> NDArray[np.intp]:
    """Return which of so many are taken: the same ones each time, in order."""
    if count >= there:
        return np.arange(there)
    rng = np.random.default_rng(int(digest(name)[:16], 16))
    return np.sort(rng.choice(there, count, replace=False))


def joined(texts: Iterable[str]) -> Points:
    """Return the points of several texts."""
    return np.concatenate([np.empty(0, POINT), *map(from_text, texts)])


def to_text(points: Points) -> str:
    """Return points as text for a line."""
    return base64.b64encode(points.tobytes()).decode("ascii")


def from_text(text: str) -> Points:
    """Return the points of a text."""
    return np.frombuffer(base64.b64decode(text), POINT)


def ply(points: Points) -> bytes:
    """Return a binary PLY of points as trainers take it, with normals of length 0."""
    head = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}"]
    head += [f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")]
    head += [f"property uchar {name}" for name in ("red", "green", "blue")]
    rows = np.zeros(len(points), [("xyz", "<f4", 3), ("normal", "<f4", 3), ("rgb", "u1", 3)])
    rows["xyz"], rows["rgb"] = points["xyz"], points["rgb"]
    return "\n".join([*head, "end_header", ""]).encode("ascii") + rows.tobytes()
