"""G-buffer Objaverse: a folder for each view with picture, camera, normals and depth.

What its files hold follows from the code that reads them. The camera's axes are x right, y down,
z ahead, in a world with +Z up. Normals are of that world as Unity has it, (-x, z, -y). Depth is
along the camera's axis, 0 where there is nothing.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import ExportJob, Lines, NumberedView, ViewFiles
from farm.dataset.export.cameras import OPENCV_FROM_OPENGL
from farm.dataset.export.object_exporter import ObjectExporter, angles_of
from farm.dataset.export.passes.pictures import encode, encode_exr
from farm.dataset.export.passes.srgb import colour_bytes, gamma_bytes
from farm.dataset.export.scene_exporter import Line
from farm.dataset.export.scenes import Lens
from farm.spec.passes import PassName

CAMPOS = "campos_512_v4"
"""The folder that readers open in that of an object, whatever the size of its pictures."""

READERS_FOV_DEG = 39.6
"""Field of view that readers take for all views: that of a lens of 50 mm on a sensor 36 mm wide."""

MATERIALS: frozenset[PassName] = frozenset({"base_color", "roughness", "metallic"})
"""Passes that, where all views have them, are written as maps of materials."""


class GobjaverseExporter(ObjectExporter):
    """`<split>/<object>/campos_512_v4/00000/00000.json`, `.png`, `_nd.exr`.

    With passes of materials `_albedo.png` and `_mr.png`, too.
    """

    reader = "gobjaverse"
    needs = (("depth",), ("normal_world", "normal"))
    own = frozenset[PassName]({"depth", "normal", "normal_world", *MATERIALS})
    digits = 5

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._has_materials = MATERIALS.issubset(self.survey.common_passes())
        self._objects: defaultdict[str, list[str]] = defaultdict(list)

    def folder_of(self, view: NumberedView) -> str:
        return f"{view.split}/{self.object_name(view)}/{CAMPOS}"

    def take_view(self, view: NumberedView, folder: str) -> ViewFiles:
        path = f"{folder}/{self.name_of(view)}/{self.name_of(view)}"
        file = self.picture_of(view)
        files = [
            file.put(self.outbox, f"{path}.png", link=self.options.link),
            self.outbox.put_text(f"{path}.json", json.dumps(self._camera(view), indent=2) + "\n"),
            self.outbox.put(f"{path}_nd.exr", encode_exr(self._normal_and_depth(view))),
        ]
        maps = {"albedo": albedo, "mr": metal_and_roughness} if self._has_materials else {}
        for name, paint in maps.items():
            files.append(self.outbox.put(f"{path}_{name}.png", encode(paint(view), "png")))
        return ViewFiles(files, {"view": view.view.name})

    def _camera(self, view: NumberedView) -> dict[str, Any]:
        pose = self.pose_of(view) @ OPENCV_FROM_OPENGL
        x_fov, y_fov = angles_of(view.record)
        axes = {name: pose[:3, at].tolist() for at, name in enumerate(("x", "y", "z", "origin"))}
        return {"x_fov": x_fov, "y_fov": y_fov, **axes}

    def _normal_and_depth(self, view: NumberedView) -> dict[str, NDArray[np.float32]]:
        x, y, z = np.moveaxis(world_normals(view), -1, 0)
        depth = view.pixels("depth").astype(np.float64)
        there = np.isfinite(depth) & (depth > 0)
        scaled = np.where(there, depth, 0.0) * self.cube_of(view).scale
        planes = {"R": -x, "G": z, "B": -y, "A": scaled}
        return {name: plane.astype(np.float32) for name, plane in planes.items()}

    def write_scene(self, folder: str, frames: list[Line]) -> list[str]:
        split, name, _ = folder.split("/")
        self._objects[split].append(f"{split}/{name}")
        return [self.put_names(folder, frames)]

    def close(self, lines: Lines) -> list[str]:
        files = super().close(lines)
        return files + [
            self.put_list(f"gobjaverse_{split}.json", objects)
            for split, objects in self._objects.items()
        ]

    def notes_in_the_end(self) -> list[str]:
        angles = [fov_deg(lens) for scene in self.scenes.scenes for lens in scene.lenses]
        odd = next((angle for angle in angles if abs(angle - READERS_FOV_DEG) > 0.1), None)
        if odd is None:
            return []
        return [
            f"views span {odd:.1f} degrees, and readers of gobjaverse take {READERS_FOV_DEG} for "
            f"all: change that in their code, or render with --fov {READERS_FOV_DEG}"
        ]


def fov_deg(lens: Lens) -> float:
    """Return the degrees that a picture is wide."""
    return math.degrees(2 * math.atan(lens.width / 2 / lens.fx))


def albedo(view: NumberedView) -> NDArray[np.uint8]:
    """Return the colours of a view's materials in sRGB."""
    return colour_bytes(view.pixels("base_color"))


def metal_and_roughness(view: NumberedView) -> NDArray[np.uint8]:
    """Return metal as red and roughness as green, bent as the readers take them back."""
    red, green = gamma_bytes(view.pixels("metallic")), gamma_bytes(view.pixels("roughness"))
    return np.dstack([red, green, np.zeros_like(red)])


def world_normals(view: NumberedView) -> NDArray[np.float64]:
    """Return the normals (H, W, 3) of a view in its world.

    Raises:
        DamagedFileError: A file is not what was recorded.
    """
    if "normal_world" in view.record.files:
        return view.pixels("normal_world").astype(np.float64)
    pose = np.array(view.record.camera.world_from_camera)
    return np.asarray(view.pixels("normal").astype(np.float64) @ pose[:3, :3].T)
