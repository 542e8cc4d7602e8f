"""The picture of rigs in docs/: their cameras as records tell them, drawn around a model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from farm.dataset.reader import Dataset, DatasetView
from farm.projection import focal_px, project
from farm.spec.record import CameraRecord, OrthographicRecord, ViewRecord

Numbers = NDArray[np.float64]

LENGTH = 0.2
"""Of a drawn camera, in distances of the nearest one."""
BACKGROUND = (24, 26, 30)
ABOVE, BELOW = (120, 200, 255), (255, 170, 90)
HIDDEN = 0.35
"""How much of its colour is left of what the model hides."""
PIECES = 24
"""Of a line, each in front of the model or behind."""
FINER = 3
"""Times that lines are drawn finer than they are shown."""


class Line(NamedTuple):
    """A line in the world."""

    ends: Numbers
    """(2, 3)"""
    colour: tuple[int, int, int]


def drawn_around(rig: Dataset, shown: DatasetView) -> Image.Image:
    """Draw the cameras of a rig into a view of the model in the same frame."""
    cut = Image.fromarray(shown["foreground"], mode="RGBA")
    picture = Image.new("RGB", cut.size, BACKGROUND)
    picture.paste(cut, mask=cut)
    canvas = picture.resize((cut.width * FINER, cut.height * FINER), Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(canvas)
    records = [view.record for view in rig]
    nearest = min(record.camera.distance or 1.0 for record in records)
    for record in records:
        for line in body_of(record, LENGTH * nearest):
            draw_line(pen, line, shown)
    return canvas.resize(cut.size, Image.Resampling.LANCZOS)


def body_of(record: ViewRecord, length: float) -> Iterator[Line]:
    """Yield the lines of a camera: what it sees, as far as `length`; an orthographic one's are
    side by side.
    """
    pose = np.array(record.camera.world_from_camera)
    colour = ABOVE if pose[2, 3] > -1e-6 else BELOW
    half = half_of(record.camera, record.resolution_px, length)
    start = half / 4 if record.camera.model == "orthographic" else np.zeros(2)
    signs = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    far = [placed(pose, np.array([*(half * sign), -length])) for sign in signs]
    near = [placed(pose, np.array([*(start * sign), 0.0])) for sign in signs]
    if record.camera.model == "orthographic":
        far = [placed(pose, np.array([*(half / 4 * sign), -length])) for sign in signs]
    for place in range(4):
        yield Line(np.array([near[place], far[place]]), colour)
        yield Line(np.array([far[place], far[(place + 1) % 4]]), colour)
        if start.any():
            yield Line(np.array([near[place], near[(place + 1) % 4]]), colour)


def half_of(camera: CameraRecord, size_px: tuple[int, int], length: float) -> Numbers:
    """Return half of the width and height (2,) that a camera sees at a distance."""
    if isinstance(camera.lens, OrthographicRecord):
        return np.array(size_px) / 2 / camera.lens.px_per_unit
    return np.array(size_px) / 2 / np.array(focal_px(camera)) * length


def placed(pose: Numbers, point: Numbers) -> Numbers:
    """Return a point of the camera's frame in the world."""
    return np.asarray(pose[:3, :3] @ point + pose[:3, 3])


def draw_line(pen: ImageDraw.ImageDraw, line: Line, shown: DatasetView) -> None:
    """Draw a line, dimmer where the model is before it."""
    camera, depth = shown.record.camera, shown["depth"]
    inverse = np.linalg.inv(np.array(camera.world_from_camera))
    steps = np.linspace(0.0, 1.0, PIECES + 1)[:, None]
    points = line.ends[0] + steps * (line.ends[1] - line.ends[0])
    own = points @ inverse[:3, :3].T + inverse[:3, 3]
    at = project(own, camera)
    if not np.isfinite(at).all():
        return
    for (one, other), z in zip(pairwise(at), own[:-1, 2], strict=True):
        column, row = (int(part) for part in one)
        inside = 0 <= row < depth.shape[0] and 0 <= column < depth.shape[1]
        dim = HIDDEN if inside and -z > depth[row, column] else 1.0
        colour = tuple(
            round(dim * each + (1 - dim) * dark)
            for each, dark in zip(line.colour, BACKGROUND, strict=True)
        )
        pen.line([*(one * FINER), *(other * FINER)], fill=colour, width=FINER)
