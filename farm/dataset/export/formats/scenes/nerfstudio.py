"""nerfstudio: a folder per scene with pictures, points and `transforms.json`."""

from __future__ import annotations

import json
from typing import Any

from farm.dataset.export.base import ExportJob, NumberedView, ViewFiles
from farm.dataset.export.passes.depths import DepthNotes
from farm.dataset.export.passes.points import joined, ply, sample, to_text
from farm.dataset.export.scene_exporter import Line, SceneExporter, by_role
from farm.dataset.export.transforms import MM_PER_M, depth_mm, frame_entry, mask_png, told_once
from farm.spec.passes import PassName

POINTS_FILE = "sparse_pc.ply"


class SceneNerfstudioExporter(SceneExporter):
    """`<scene>/{images,depths,masks}/`, `sparse_pc.ply` and `transforms.json`, in metres."""

    reader = "nerfstudio"
    takes = frozenset({"link", "foreground", "points"})
    needs = (("rgb", "foreground"),)
    own = frozenset[PassName]({"depth", "mask"})

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._deep = "depth" in (self.options.passes or self.survey.common_passes())
        self._depths = DepthNotes(steps_per_m=MM_PER_M)

    def take_view(self, view: NumberedView, folder: str) -> ViewFiles:
        file, name = self.picture_of(view), self.name_of(view)
        path = f"images/{name}.{file.suffix}"
        files = [file.put(self.outbox, f"{folder}/{path}", link=self.options.link)]
        frame: Line = {"file_path": path, **frame_entry(view.record)}
        line: Line = {"frame": frame}
        if self._deep:
            frame["depth_file_path"] = f"depths/{name}.png"
            depth = depth_mm(view)
            files.append(self.outbox.put(f"{folder}/{frame['depth_file_path']}", depth.png))
            points = sample(view, self.points_of(view))
            points["xyz"] *= view.record.metres_per_unit
            line |= {**depth.told, "points": to_text(points)}
        if "mask" in self.options.passes:
            frame["mask_path"] = f"masks/{name}.png"
            files.append(self.outbox.put(f"{folder}/{frame['mask_path']}", mask_png(view)))
        return ViewFiles(files, line)

    def write_scene(self, folder: str, frames: list[Line]) -> list[str]:
        shared, own = told_once([line["frame"] for line in frames])
        told: dict[str, Any] = {"camera_model": "OPENCV", **shared}
        for role, lines in by_role(frames).items():
            told[f"{role}_filenames"] = [line["frame"]["file_path"] for line in lines]
        files = []
        if self._deep:
            told["ply_file_path"] = POINTS_FILE
            points = joined(line["points"] for line in frames)
            files.append(self.outbox.put(f"{folder}/{POINTS_FILE}", ply(points)))
            self._depths.see(frames)
        text = json.dumps({**told, "frames": own}, indent=2) + "\n"
        return [*files, self.outbox.put_text(f"{folder}/transforms.json", text)]

    def notes_in_the_end(self) -> list[str]:
        return self._depths.notes
