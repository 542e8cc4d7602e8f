"""TUM RGB-D: pictures and depth by time stamps, and the camera's path."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from farm.dataset.export.base import Lines, NumberedView, ViewFiles
from farm.dataset.export.cameras import HALF_PIXEL, quaternion, without_flips, world_from_opencv
from farm.dataset.export.passes.depths import DepthNotes, stepped_depth
from farm.dataset.export.passes.pictures import picture
from farm.dataset.export.sequences import FrameExporter, Line, by_sequence, moment_of
from farm.projection import focal_px

STEPS_PER_M = 5000.0
"""The depth factor of TUM's own sequences."""


class TumExporter(FrameExporter):
    """`<split>/<sequence>/{rgb,depth}/<seconds>.png`, `rgb.txt`, `depth.txt`, `groundtruth.txt`."""

    reader = "TUM RGB-D"
    pinholes = True
    takes = frozenset({"link"})
    needs = (("rgb",), ("depth",))

    def take(self, view: NumberedView) -> ViewFiles:
        record, folder = view.record, f"{view.split}/{view.sequence}"
        stamp = f"{moment_of(view).time_s:.6f}"
        file = picture(view, "rgb", self.options.image_format)
        path = f"rgb/{stamp}.{file.suffix}"
        files = [file.put(self.outbox, f"{folder}/{path}", link=self.options.link)]
        steps = STEPS_PER_M * record.metres_per_unit
        depth = stepped_depth(view.pixels("depth"), steps_per_unit=steps)
        files.append(self.outbox.put(f"{folder}/depth/{stamp}.png", depth.png))
        pose = world_from_opencv(record.camera, record.metres_per_unit)
        fx, fy = focal_px(record.camera)
        line: Line = {
            "stamp": stamp,
            "rgb": path,
            "depth": f"depth/{stamp}.png",
            "place": pose[:3, 3].tolist(),
            "turn": quaternion(pose[:3, :3]).tolist(),
            "lens": [fx, fy, record.camera.cx_px - HALF_PIXEL, record.camera.cy_px - HALF_PIXEL],
            **depth.told,
        }
        return ViewFiles([*files, *self.put_extras(view, "rgb", "depth")], line)

    def close(self, lines: Lines) -> list[str]:
        files, depths = [], DepthNotes(steps_per_m=STEPS_PER_M)
        for split in self.survey.splits:
            for name, frames in by_sequence(lines, split):
                depths.see(frames)
                for file, text in lists_of(frames).items():
                    files.append(self.outbox.put_text(f"{split}/{name}/{file}", text))
        self.notes += depths.notes
        return files


def lists_of(frames: list[Line]) -> dict[str, str]:
    """Return the text files of a sequence, by name."""
    turns = without_flips(np.array(line["turn"]) for line in frames)
    path = [
        (line["stamp"], *(f"{value:.9g}" for value in (*line["place"], x, y, z, w)))
        for line, (w, x, y, z) in zip(frames, turns, strict=True)
    ]
    pairs = [(line["stamp"], line["rgb"], line["stamp"], line["depth"]) for line in frames]
    lenses = [(line["stamp"], *(f"{value:.9g}" for value in line["lens"])) for line in frames]
    return {
        "rgb.txt": table("timestamp filename", [pair[:2] for pair in pairs]),
        "depth.txt": table("timestamp filename", [pair[2:] for pair in pairs]),
        "associations.txt": table("", pairs),
        "groundtruth.txt": table("timestamp tx ty tz qx qy qz qw", path),
        "intrinsics.txt": table("timestamp fx fy cx cy", lenses),
    }


def table(head: str, rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows of words, below a comment that says what they are."""
    lines = [f"# {head}", *map(" ".join, rows)] if head else [*map(" ".join, rows)]
    return "\n".join(lines) + "\n"
