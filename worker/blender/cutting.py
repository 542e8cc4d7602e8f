"""The rectangle of a picture in which models are, and a render of no more than that."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from farm.projection import NEAR, projected
from farm.spec.record import CameraRecord
from worker.blender.models.model import Model
from worker.bounds import Points, transformed
from worker.images.cut import Window

MARGIN_PX = 4
"""Pixels beside the models: of the filter, and for the denoiser to look at."""
MARGIN_SHARE = 0.005
"""The same as a share of the rectangle: bounds are told by a limited number of points."""
INSIDE = 0.25
"""Of a pixel: Blender rounds the sides of a border down."""


def window_of(
    models: Iterable[Model], camera: CameraRecord, size_px: tuple[int, int]
) -> Window | None:
    """Return the pixels in which models are seen; None where that is not surely known."""
    each = tuple(models)
    if not each or camera.lens is not None or not all(model.is_enclosed for model in each):
        return None
    return window_around(np.concatenate([outermost(model) for model in each]), camera, size_px)


def outermost(model: Model) -> Points:
    """Return the outermost points (N, 3) of a model where it stands."""
    return transformed(model.bounds.support, np.array(model.parent.matrix_basis))


def window_around(points: Points, camera: CameraRecord, size_px: tuple[int, int]) -> Window | None:
    """Return the pixels around points of the world (N, 3); None where some are behind the camera,
    or all outside of the picture.
    """
    camera_from_world = np.linalg.inv(np.array(camera.world_from_camera, dtype=np.float64))
    seen = transformed(points, camera_from_world)
    if (seen[:, 2] > -NEAR).any():
        return None
    places = projected(seen, camera)
    low, high = places.min(axis=0), places.max(axis=0)
    margin = MARGIN_PX + MARGIN_SHARE * float((high - low).max())
    left, top = (max(0, math.floor(side - margin)) for side in low)
    right, bottom = (
        min(most, math.ceil(side + margin)) for side, most in zip(high, size_px, strict=True)
    )
    return Window(left, top, right, bottom) if left < right and top < bottom else None


@contextmanager
def bordered(scene: Any, window: Window) -> Iterator[None]:
    """Render a rectangle of the picture alone; the file has no more than that."""
    render = scene.render
    width, height = render.resolution_x, render.resolution_y
    render.border_min_x = (window.left + INSIDE) / width
    render.border_max_x = (window.right + INSIDE) / width
    render.border_min_y = (height - window.bottom + INSIDE) / height
    render.border_max_y = (height - window.top + INSIDE) / height
    render.use_border = render.use_crop_to_border = True
    try:
        yield
    finally:
        render.use_border = render.use_crop_to_border = False
