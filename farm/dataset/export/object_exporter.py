"""What formats of many objects share: numbered views of each, in a world that it fills."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import NumberedView
from farm.dataset.export.geometry.boxes import Box
from farm.dataset.export.scene_checks import one_lens, square_pictures
from farm.dataset.export.scene_exporter import Line, SceneExporter, pose_of
from farm.errors import SpecError
from farm.projection import focal_px
from farm.spec.counted import counted
from farm.spec.record import ViewRecord

NAMES_FILE = "views.txt"
"""Says which view each number is of."""


class UnitCube(NamedTuple):
    """What takes the world of views to one in which the things just fit the cube of side 1.

    Its middle is the origin.
    """

    scale: float
    middle: tuple[float, ...]

    def pose(self, pose: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the pose (4, 4) of a camera there."""
        moved = pose.copy()
        moved[:3, 3] = (moved[:3, 3] - self.middle) * self.scale
        return moved


class ObjectExporter(SceneExporter):
    """Writes a folder for each object, in one for each split, with views numbered from 0."""

    cut_out = True
    digits = 3
    """Of a view's number."""
    tells_lenses = False
    """Each view has a field of view of its own, which readers take."""

    def check(self) -> None:
        square_pictures(self.scenes, self.reader)
        if not self.tells_lenses:
            one_lens(self.scenes, self.reader)
        for scene in self.scenes.scenes:
            if scene.box is None or not scene.box.longest:
                raise SpecError(
                    f"{scene.name}: its records tell of no boxes of things, by which {self.reader} "
                    "scales them to the unit cube: render it again"
                )

    def folder_of(self, view: NumberedView) -> str:
        name = self.object_name(view)
        return f"{view.split}/{name}" if self.is_split else name

    def object_name(self, view: NumberedView) -> str:
        """Return the folder of a view's object, in that of a split."""
        return self.scene_of(view).name

    def name_of(self, view: NumberedView) -> str:
        return f"{self.scenes.place(view.number):0{self.digits}d}"

    def cube_of(self, view: NumberedView) -> UnitCube:
        """Return what takes a view's world to the one of the format."""
        return unit_cube(self.scene_of(view).box)

    def pose_of(self, view: NumberedView) -> NDArray[np.float64]:
        """Return the pose (4, 4) of a view's camera there: x right, y up, it looks along -Z."""
        return self.cube_of(view).pose(pose_of(view))

    def put_names(self, folder: str, frames: list[Line]) -> str:
        """Write which view each number is of."""
        text = "".join(f"{frame['name']} {frame['view']}\n" for frame in frames)
        return self.outbox.put_text(f"{folder}/{NAMES_FILE}", text)

    def put_list(self, path: str, objects: Iterable[str]) -> str:
        """Write a list of objects, in order."""
        return self.outbox.put_text(path, json.dumps(sorted(objects), indent=2) + "\n")


def unit_cube(box: Box | None) -> UnitCube:
    """Return what takes a box to the middle of the unit cube."""
    assert box is not None, "an export of objects refuses scenes without boxes"
    return UnitCube(1 / box.longest, tuple(box.middle.tolist()))


def fewest_and_all(views: Collection[int]) -> tuple[int, str]:
    """Return the fewest views that an object has, and the numbers of all objects in words."""
    fewest, most = min(views), max(views)
    same = fewest == most
    return fewest, counted(fewest, "view") if same else f"{fewest:,} to {most:,} views"


def angles_of(record: ViewRecord) -> tuple[float, float]:
    """Return how wide and how high a centred lens sees, radians."""
    fx, fy = focal_px(record.camera)
    width, height = record.resolution_px
    return 2 * math.atan(width / 2 / fx), 2 * math.atan(height / 2 / fy)
