"""The original NeRF's format: `transforms_train.json` and two more, pictures with alpha."""

from __future__ import annotations

import json
import math

from numpy import float64
from numpy.typing import NDArray

from farm.dataset.export.base import ExportJob, NumberedView, ViewFiles
from farm.dataset.export.passes.points import Points, joined, ply, sample, to_text
from farm.dataset.export.scene_checks import one_lens
from farm.dataset.export.scene_exporter import Line, SceneExporter, by_role, pose_of
from farm.dataset.export.transforms import lens_entry
from farm.spec.counted import counted
from farm.spec.passes import PassName

NEAR, FAR = 2.0, 6.0
"""Depths between which NeRF's own code, and much that followed it, looks in scenes of this format:
`run_nerf.py` of https://github.com/bmild/nerf."""
POINTS_FILE = "points3d.ply"
"""Where the first code of 3D Gaussian Splatting looks, before it begins with points by chance."""


class NerfExporter(SceneExporter):
    """`<scene>/{train,val,test}/` and `transforms_{train,val,test}.json`, in the view's world."""

    reader = "nerf"
    takes = frozenset({"link", "foreground", "points"})
    cut_out = True
    own = frozenset[PassName]({"depth"})

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._deep = "depth" in (self.options.passes or self.survey.common_passes())
        self._beyond: list[str] = []
        """Scenes of which something is not between `NEAR` and `FAR`."""

    def check(self) -> None:
        super().check()
        one_lens(self.scenes, self.reader)

    def take_view(self, view: NumberedView, folder: str) -> ViewFiles:
        path = f"{self.role_of(view)}/{self.name_of(view)}"
        file = self.picture_of(view)
        files = [file.put(self.outbox, f"{folder}/{path}.png", link=self.options.link)]
        lens = lens_entry(view.record)
        line: Line = {
            "path": path,
            "pose": pose_of(view).tolist(),
            "angle": 2 * math.atan(lens["w"] / 2 / lens["fl_x"]),
        }
        if self._deep:
            points = sample(view, self.points_of(view))
            line |= {"points": to_text(points), "depths": depths_of(points, pose_of(view))}
        return ViewFiles(files, line)

    def write_scene(self, folder: str, frames: list[Line]) -> list[str]:
        files = []
        for role, lines in by_role(frames).items():
            told = {"camera_angle_x": frames[0]["angle"], "frames": [entry(line) for line in lines]}
            text = json.dumps(told, indent=2) + "\n"
            files.append(self.outbox.put_text(f"{folder}/transforms_{role}.json", text))
        if self._deep:
            points = joined(line["points"] for line in frames)
            files.append(self.outbox.put(f"{folder}/{POINTS_FILE}", ply(points)))
        depths = [depth for line in frames for depth in line.get("depths", ())]
        if depths and not NEAR <= min(depths) <= max(depths) <= FAR:
            self._beyond.append(f"{folder} ({min(depths):.2f} to {max(depths):.2f})")
        return files

    def notes_in_the_end(self) -> list[str]:
        if not self._beyond:
            return []
        return [
            f"NeRF's own code looks for things {NEAR:g} to {FAR:g} before cameras, and of "
            f"{counted(len(self._beyond), 'scene')}, such as {self._beyond[0]}, some are nearer or "
            "farther: set near and far in the trainer, or export to nerfstudio or ngp, which tell "
            "readers how large a scene is"
        ]


def depths_of(points: Points, pose: NDArray[float64]) -> list[float]:
    """Return the least and the most depth of points before a camera of OpenGL's; or nothing."""
    depths = (pose[:3, 3] - points["xyz"]) @ pose[:3, 2]
    return [float(depths.min()), float(depths.max())] if len(depths) else []


def entry(line: Line) -> Line:
    """Return what is told of a view; readers add the suffix to its path."""
    return {"file_path": f"./{line['path']}", "transform_matrix": line["pose"]}
