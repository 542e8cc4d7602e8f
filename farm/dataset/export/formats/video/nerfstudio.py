"""nerfstudio: a folder per sequence with pictures and `transforms.json`."""

from __future__ import annotations

import json
from typing import Any

from pydantic import JsonValue

from farm.dataset.export.base import Exporter, ExportPart, Lines, NumberedView, ViewFiles
from farm.dataset.export.formats.scenes.nerfstudio import POINTS_FILE, SceneNerfstudioExporter
from farm.dataset.export.passes.depths import NOTHING, DepthNotes
from farm.dataset.export.passes.pictures import picture
from farm.dataset.export.passes.points import MOST as MOST_POINTS
from farm.dataset.export.passes.points import joined, ply, sample, share_of, to_text
from farm.dataset.export.sequences import FrameExporter, by_sequence, moment_of
from farm.dataset.export.survey import Survey
from farm.dataset.export.timeline import Reel
from farm.dataset.export.transforms import MM_PER_M, depth_mm, frame_entry, mask_png, told_once


class NerfstudioExporter(FrameExporter):
    """`<split>/<sequence>/{images,depths,masks}/` and `transforms.json`, in metres."""

    reader = "nerfstudio"
    pinholes = True
    takes = frozenset({"link", "foreground", "points"})
    needs = (("rgb",),)

    @classmethod
    def suited_to(cls, survey: Survey) -> type[Exporter[Any]]:
        return _Sequences if survey.timeline.reels else SceneNerfstudioExporter

    def facts_of(self, part: ExportPart) -> JsonValue:
        reel = self.reels[part.views[0].sequence]
        return [super().facts_of(part), self._points_of(reel) if reel.stands_still else 0]

    def take(self, view: NumberedView) -> ViewFiles:
        number = f"{moment_of(view).number:06d}"
        folder = f"{view.split}/{view.sequence}"
        file = picture(view, "rgb", self.options.image_format)
        path = f"images/frame_{number}.{file.suffix}"
        files = [file.put(self.outbox, f"{folder}/{path}", link=self.options.link)]
        entry = frame_entry(view.record)
        frame = {
            "file_path": path,
            "transform_matrix": entry.pop("transform_matrix"),
            "time_s": moment_of(view).time_s,
            **entry,
        }
        line: dict[str, Any] = {"frame": frame, **NOTHING}
        if self._has("depth", view):
            frame["depth_file_path"] = f"depths/depth_{number}.png"
            depth = depth_mm(view)
            files.append(self.outbox.put(f"{folder}/{frame['depth_file_path']}", depth.png))
            line |= depth.told
            reel = self.reels[view.sequence]
            if reel.stands_still:
                points = sample(view, self._points_of(reel))
                points["xyz"] *= view.record.metres_per_unit
                line["points"] = to_text(points)
        if "mask" in self.options.passes:
            frame["mask_path"] = f"masks/mask_{number}.png"
            files.append(self.outbox.put(f"{folder}/{frame['mask_path']}", mask_png(view)))
        files += self.put_extras(view, "rgb", "depth", "mask")
        return ViewFiles(files, line)

    def close(self, lines: Lines) -> list[str]:
        files, depths = [], DepthNotes(steps_per_m=MM_PER_M)
        for split in self.survey.splits:
            for name, frames in by_sequence(lines, split):
                depths.see(frames)
                told = transforms([line["frame"] for line in frames], self.reels[name].fps)
                if all("points" in line for line in frames):
                    told = {"ply_file_path": POINTS_FILE, **told}
                    points = ply(joined(line["points"] for line in frames))
                    files.append(self.outbox.put(f"{split}/{name}/{POINTS_FILE}", points))
                text = json.dumps(told, indent=2) + "\n"
                files.append(self.outbox.put_text(f"{split}/{name}/transforms.json", text))
        self.notes += depths.notes
        return files

    def _points_of(self, reel: Reel) -> int:
        """Return how many points a frame gives of a sequence in which things stand still."""
        told = "points" in self.options.model_fields_set
        return share_of(self.options.points if told else MOST_POINTS, len(reel.places))

    def _has(self, name: str, view: NumberedView) -> bool:
        """Say whether a pass goes along: all frames have it, since readers take all or none."""
        if self.options.passes:
            return name in self.options.passes
        return name in self.survey.common_passes() and name in view.record.files


class _Sequences(NerfstudioExporter):
    """Sequences alone: what pictures on their own are exported with is of no use."""

    takes = frozenset({"link", "points"})


def transforms(frames: list[dict[str, Any]], fps: float) -> dict[str, Any]:
    """Return what `transforms.json` says; the lens is told once where it is the same."""
    shared, own = told_once(frames)
    return {"camera_model": "OPENCV", "fps": fps, **shared, "frames": own}
