"""nerfstudio: a folder per sequence with pictures and `transforms.json`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from farm.dataset.export.base import Lines, NumberedView
from farm.dataset.export.depths import MOST, note_on, stepped_depth
from farm.dataset.export.instances import at_least_half
from farm.dataset.export.pictures import encode, picture
from farm.dataset.export.sequences import FrameExporter, FrameFiles, by_sequence, moment_of
from farm.projection import focal_px
from farm.spec.record import ViewRecord

MM_PER_M = 1000.0
INTRINSICS = ("fl_x", "fl_y", "cx", "cy", "w", "h")
"""Told once where all frames agree, else in each frame."""


class NerfstudioExporter(FrameExporter):
    """`<split>/<sequence>/{images,depths,masks}/` and `transforms.json`, in metres."""

    reader = "nerfstudio"
    pinholes = True
    takes = frozenset({"link"})
    needs = (("rgb",),)

    def take(self, view: NumberedView) -> FrameFiles:
        number = f"{moment_of(view).number:06d}"
        folder = f"{view.split}/{view.sequence}"
        file = picture(view, "rgb", self.options.image_format)
        path = f"images/frame_{number}.{file.suffix}"
        files = [file.put(self.outbox, f"{folder}/{path}", link=self.options.link)]
        frame = {"file_path": path, **frame_entry(view.record)}
        far = 0
        if self._has("depth", view):
            frame["depth_file_path"] = f"depths/depth_{number}.png"
            steps = MM_PER_M * view.record.metres_per_unit
            depth = stepped_depth(view.pixels("depth"), steps_per_unit=steps)
            files.append(self.outbox.put(f"{folder}/{frame['depth_file_path']}", depth.png))
            far = depth.too_far
        if "mask" in self.options.passes:
            frame["mask_path"] = f"masks/mask_{number}.png"
            kept = at_least_half(view.pixels("mask")).astype(np.uint8) * 255
            files.append(self.outbox.put(f"{folder}/{frame['mask_path']}", encode(kept, "png")))
        files += self.put_extras(view, "rgb", "depth", "mask")
        return FrameFiles(files, {"frame": frame, "too_far": far > 0})

    def close(self, lines: Lines) -> list[str]:
        files, far = [], 0
        for split in self.survey.splits:
            for name, frames in by_sequence(lines, split):
                far += sum(line["too_far"] for line in frames)
                entries = [line["frame"] for line in frames]
                text = json.dumps(transforms(entries, self.reels[name].fps), indent=2) + "\n"
                files.append(self.outbox.put_text(f"{split}/{name}/transforms.json", text))
        self.notes += note_on(far, reach_m=MOST / MM_PER_M)
        return files

    def _has(self, name: str, view: NumberedView) -> bool:
        """Say whether a pass goes along: all frames have it, since readers take all or none."""
        if self.options.passes:
            return name in self.options.passes
        return name in self.survey.common_passes() and name in view.record.files


def frame_entry(record: ViewRecord) -> dict[str, Any]:
    """Return the pose and the lens of a frame, as nerfstudio counts: from the outer corner."""
    camera = record.camera
    pose = np.array(camera.world_from_camera)
    pose[:3, 3] *= record.metres_per_unit
    fx, fy = focal_px(camera)
    width, height = record.resolution_px
    moment = record.view.moment
    assert moment is not None
    return {
        "transform_matrix": pose.tolist(),
        "time_s": moment.time_s,
        **dict(zip(INTRINSICS, (fx, fy, camera.cx_px, camera.cy_px, width, height), strict=True)),
    }


def transforms(frames: list[dict[str, Any]], fps: float) -> dict[str, Any]:
    """Return what `transforms.json` says; the lens is told once where it is the same."""
    shared = {
        key: frames[0][key]
        for key in INTRINSICS
        if all(frame[key] == frames[0][key] for frame in frames)
    }
    own = [{key: value for key, value in frame.items() if key not in shared} for frame in frames]
    return {"camera_model": "OPENCV", "fps": fps, **shared, "frames": own}
