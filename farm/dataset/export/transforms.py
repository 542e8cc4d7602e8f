"""`transforms.json` as nerfstudio has it: poses in metres, lenses, depth, masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from farm.dataset.export.base import NumberedView
from farm.dataset.export.instances import at_least_half
from farm.dataset.export.passes.depths import SteppedDepth, stepped_depth
from farm.dataset.export.passes.pictures import encode
from farm.projection import focal_px
from farm.spec.record import ViewRecord

MM_PER_M = 1000.0
INTRINSICS = ("fl_x", "fl_y", "cx", "cy", "w", "h")
"""Told once where all frames agree, else in each frame."""
Entry = dict[str, Any]


def frame_entry(record: ViewRecord) -> Entry:
    """Return the pose and the lens of a view, as nerfstudio counts: from the outer corner."""
    pose = np.array(record.camera.world_from_camera)
    pose[:3, 3] *= record.metres_per_unit
    return {"transform_matrix": pose.tolist(), **lens_entry(record)}


def lens_entry(record: ViewRecord) -> Entry:
    """Return the lens of a view, a pinhole."""
    camera = record.camera
    fx, fy = focal_px(camera)
    numbers = (fx, fy, camera.cx_px, camera.cy_px, *record.resolution_px)
    return dict(zip(INTRINSICS, numbers, strict=True))


def told_once(frames: list[Entry]) -> tuple[Entry, list[Entry]]:
    """Return what all frames have in common of their lens, and the frames without it."""
    shared = {
        key: frames[0][key]
        for key in INTRINSICS
        if all(frame[key] == frames[0][key] for frame in frames)
    }
    return shared, [without(frame, shared) for frame in frames]


def without(frame: Entry, keys: Entry) -> Entry:
    """Return a frame without some of its keys."""
    return {key: value for key, value in frame.items() if key not in keys}


def depth_mm(view: NumberedView) -> SteppedDepth:
    """Return the depth of a view in whole millimetres.

    Raises:
        DamagedFileError: Its file is not what was recorded.
    """
    steps = MM_PER_M * view.record.metres_per_unit
    return stepped_depth(view.pixels("depth"), steps_per_unit=steps)


def mask_png(view: NumberedView) -> bytes:
    """Return a PNG that is white where a view shows its things.

    Raises:
        DamagedFileError: A file is not what was recorded.
    """
    return encode(at_least_half(view.pixels("mask")).astype(np.uint8) * 255, "png")
