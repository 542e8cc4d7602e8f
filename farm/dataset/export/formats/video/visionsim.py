"""visionsim: its folders, its `transforms.json` and its four-channel flow."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import Lines, NumberedView, ViewFiles
from farm.dataset.export.passes.pictures import PassFile, encode_exr, original, picture
from farm.dataset.export.sequences import FrameExporter, by_sequence, moment_of
from farm.projection import focal_px
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord

SENSOR_MM = 36.0
"""Width of the sensor that the lens is told for; it spans the longer side of the picture."""
NOTHING = 1e10
"""Depth where there is nothing."""
FILES: dict[PassName, tuple[str, str, str]] = {
    "rgb": ("frames", "frame", "file_path"),
    "depth": ("depths", "depth", "depth_file_path"),
    "normal": ("normals", "normal", "normal_file_path"),
    "index": ("segmentations", "segmentation", "segmentation_file_path"),
    "flow_forward": ("flows", "flow", "flow_file_path"),
}
"""Folder, stem, and what `transforms.json` calls them; a flow file holds both directions."""
LENS = ("angle", "angle_x", "angle_y", "lens", "shift_x", "shift_y", "w", "h", "fl_x", "fl_y",
        "cx", "cy")  # fmt: skip
CONSTANT = {"c": 3, "type": "PERSP", "lens_unit": "MILLIMETERS", "sensor_width": SENSOR_MM,
            "sensor_height": 24.0, "sensor_fit": "AUTO"}  # fmt: skip
FLOW_NOTE = """\
A flow file has four channels, as Blender's vector pass has them: x is right, y is UP, pixels.

R, G    where the point was in the frame before, minus where it is: the BACKWARD flow
B, A    where it is, minus where it will be in the next frame: MINUS the forward flow

So with x right and y down the forward flow is (-B, A), and the backward flow is (R, -G).
Frames lead to the neighbouring frames of their own sequence. The first has no frame before, the
last no next one: what stands there belongs to frames that are not in the dataset.
"""


class VisionsimExporter(FrameExporter):
    """`<split>/<scene>/<sequence>/{frames,depths,normals,segmentations,flows}/`."""

    reader = "visionsim"
    pinholes = True
    takes = frozenset({"link"})
    needs = (("rgb",),)

    def take(self, view: NumberedView) -> ViewFiles:
        record = view.record
        folder = f"{view.split}/{self.reels[view.sequence].path}"
        frame = lens_entry(record) | {"transform_matrix": pose_of(record)}
        files = []
        for name in self._own():
            place, stem, key = FILES[name]
            file = self._file(view, name)
            frame[key] = f"{place}/{stem}_{moment_of(view).number:06d}.{file.suffix}"
            link = self.options.link
            files.append(file.put(self.outbox, f"{folder}/{frame[key]}", link=link))
        return ViewFiles([*files, *self.put_extras(view, *FILES, "flow_backward")], frame)

    def close(self, lines: Lines) -> list[str]:
        files = [self.outbox.put_text("FLOW.txt", FLOW_NOTE)] if self._has_flow() else []
        for split in self.survey.splits:
            for name, frames in by_sequence(lines, split):
                if len({frame["fl_x"] for frame in frames}) > 1:
                    self.notes.append(
                        f"{name} zooms, so its lens is told in each frame: readers of visionsim "
                        "that want one lens for all frames refuse it"
                    )
                text = json.dumps(transforms(frames, self.reels[name].fps), indent=2) + "\n"
                path = f"{split}/{self.reels[name].path}/transforms.json"
                files.append(self.outbox.put_text(path, text))
        return files

    def _own(self) -> list[PassName]:
        """Return the passes that go along: all of theirs that all frames have, unless said."""
        there = self.survey.common_passes()
        wanted = self.options.passes or there
        found = [name for name in FILES if name in there and (name in wanted or name == "rgb")]
        if self._has_flow():
            return found
        return [name for name in found if name != "flow_forward"]

    def _has_flow(self) -> bool:
        both = {"flow_forward", "flow_backward"}
        return both <= set(self.options.passes or self.survey.common_passes())

    def _file(self, view: NumberedView, name: PassName) -> PassFile:
        if name == "rgb":
            return picture(view, name, self.options.image_format)
        if name == "normal":
            return original(view, name)
        if name == "flow_forward":
            return PassFile("exr", encode_exr(vector_pass(view)))
        values = view.pixels(name).astype(np.float32)
        if name == "depth":
            values = np.where(np.isfinite(values), values, np.float32(NOTHING))
        return PassFile("exr", encode_exr({"V": values}))


def vector_pass(view: NumberedView) -> dict[str, NDArray[np.float32]]:
    """Return both flows as Blender's vector pass has them."""
    forward, backward = view.pixels("flow_forward"), view.pixels("flow_backward")
    return {
        "R": backward[..., 0], "G": -backward[..., 1], "B": -forward[..., 0], "A": forward[..., 1],
    }  # fmt: skip


def pose_of(record: ViewRecord) -> list[list[float]]:
    """Return where the camera is, in units of the scene, as depth is."""
    return [list(row) for row in record.camera.world_from_camera]


def lens_entry(record: ViewRecord) -> dict[str, Any]:
    """Return a pinhole as Blender's camera, and as numbers of pixels."""
    camera = record.camera
    fx, fy = focal_px(camera)
    width, height = record.resolution_px
    longer = max(width, height)
    angle_x, angle_y = 2 * math.atan(width / 2 / fx), 2 * math.atan(height / 2 / fy)
    values = (
        max(angle_x, angle_y), angle_x, angle_y, fx / longer * SENSOR_MM,
        (width / 2 - camera.cx_px) / longer, (camera.cy_px - height / 2) / longer,
        width, height, fx, fy, camera.cx_px, camera.cy_px,
    )  # fmt: skip
    return dict(zip(LENS, values, strict=True))


def transforms(lines: list[dict[str, Any]], fps: float) -> dict[str, Any]:
    """Return what `transforms.json` says; the lens is told once where it is the same."""
    frames = [{key: line[key] for key in line if key != "sequence"} for line in lines]
    shared = {key: frames[0][key] for key in LENS if len({frame[key] for frame in frames}) == 1}
    own = [{key: value for key, value in frame.items() if key not in shared} for frame in frames]
    whole = {"fps": fps, **CONSTANT, **shared, "frames": own}
    if {"fl_x", "fl_y", "cx", "cy"} <= set(shared):
        matrix = [[shared["fl_x"], 0, shared["cx"]], [0, shared["fl_y"], shared["cy"]], [0, 0, 1]]
        whole["intrinsics"] = matrix
    return whole
