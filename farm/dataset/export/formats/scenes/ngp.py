"""instant-ngp: `transforms.json` to train, with the scale that fits its unit cube; others beside.

It reads every `.json` in the folder that it is given, so what is held out is in one of its own.
"""

from __future__ import annotations

import json
import math
from typing import Any

from farm.dataset.export.base import NumberedView, ViewFiles
from farm.dataset.export.geometry.boxes import Box
from farm.dataset.export.passes.depths import stepped_depth
from farm.dataset.export.scene_exporter import Line, SceneExporter, by_role, pose_of
from farm.dataset.export.transforms import INTRINSICS, lens_entry, told_once
from farm.spec.passes import PassName

ROOM = 0.8
"""Share of the unit cube that the longest side of the things takes."""
USUAL_SCALE = 0.33
"""What instant-ngp takes, unless it is told."""
NEAR, FAR = 1, 16
"""How many unit cubes wide what is learnt is: the object alone, and with what is behind it."""
PATHS = ("file_path", "depth_path")
STEPS_PER_SIZE = 5000.0
"""Of depth, in the size of the things, to the next power of two: 13 times that fits 16 bits."""


class NgpExporter(SceneExporter):
    """`<scene>/images/`, `transforms.json`, `held_out/transforms_{val,test}.json`."""

    reader = "ngp"
    needs = (("rgb", "foreground"),)
    own = frozenset[PassName]({"depth"})

    def take_view(self, view: NumberedView, folder: str) -> ViewFiles:
        file, name = self.picture_of(view), self.name_of(view)
        path = f"images/{name}.{file.suffix}"
        files = [file.put(self.outbox, f"{folder}/{path}", link=self.options.link)]
        frame: Line = {"file_path": path, "transform_matrix": pose_of(view).tolist()}
        frame |= lens_entry(view.record)
        line: Line = {"fitting": fitting(self.scene_of(view).box)}
        if "depth" in self.options.passes:
            frame["depth_path"] = f"depths/{name}.png"
            steps = steps_per_unit(self.scene_of(view).box)
            depth = stepped_depth(view.pixels("depth"), steps_per_unit=steps)
            files.append(self.outbox.put(f"{folder}/{frame['depth_path']}", depth.png))
            line["steps_per_unit"] = steps
        return ViewFiles(files, {"frame": frame, **line})

    def write_scene(self, folder: str, frames: list[Line]) -> list[str]:
        wide = NEAR if self.shows_cutouts else FAR
        told: dict[str, Any] = {"aabb_scale": wide, **frames[0]["fitting"]}
        if "depth" in self.options.passes:
            told["integer_depth_scale"] = 1 / frames[0]["steps_per_unit"]
        files = []
        for role, lines in by_role(frames).items():
            path, up = ("transforms.json", "") if role == "train" else (
                f"held_out/transforms_{role}.json", "../"
            )  # fmt: skip
            entries = [with_paths(line["frame"], up) for line in lines]
            text = json.dumps({**told, **transforms(entries)}, indent=2) + "\n"
            files.append(self.outbox.put_text(f"{folder}/{path}", text))
        return files


def steps_per_unit(box: Box | None) -> float:
    """Return how many steps of depth are a unit of the views' world."""
    size = box.longest if box is not None and box.longest else 1.0
    return float(STEPS_PER_SIZE * 2.0 ** -round(math.log2(size)))


def fitting(box: Box | None) -> dict[str, Any]:
    """Return the scale and offset that put things into the middle of the unit cube."""
    if box is None or not box.longest:
        return {"scale": USUAL_SCALE, "offset": [0.5, 0.5, 0.5]}
    scale = ROOM / box.longest
    return {"scale": scale, "offset": (0.5 - scale * box.middle).tolist()}


def transforms(frames: list[Line]) -> Line:
    """Return what is told of views; all of a lens is in one place, as instant-ngp takes it."""
    shared, own = told_once(frames)
    if len(shared) < len(INTRINSICS):
        return {"frames": frames}
    return {**shared, "frames": own}


def with_paths(frame: Line, up: str) -> Line:
    """Return a frame whose paths begin in another folder."""
    return {key: up + value if key in PATHS else value for key, value in frame.items()}
