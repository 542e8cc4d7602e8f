"""nerfstudio: a folder per sequence with pictures and `transforms.json`."""

from __future__ import annotations

import json
from typing import Any

from farm.dataset.export.base import Exporter, Lines, NumberedView, ViewFiles
from farm.dataset.export.formats.scenes.nerfstudio import SceneNerfstudioExporter
from farm.dataset.export.passes.depths import NOTHING, DepthNotes
from farm.dataset.export.passes.pictures import picture
from farm.dataset.export.sequences import FrameExporter, by_sequence, moment_of
from farm.dataset.export.survey import Survey
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
        told = NOTHING
        if self._has("depth", view):
            frame["depth_file_path"] = f"depths/depth_{number}.png"
            depth = depth_mm(view)
            files.append(self.outbox.put(f"{folder}/{frame['depth_file_path']}", depth.png))
            told = depth.told
        if "mask" in self.options.passes:
            frame["mask_path"] = f"masks/mask_{number}.png"
            files.append(self.outbox.put(f"{folder}/{frame['mask_path']}", mask_png(view)))
        files += self.put_extras(view, "rgb", "depth", "mask")
        return ViewFiles(files, {"frame": frame, **told})

    def close(self, lines: Lines) -> list[str]:
        files, depths = [], DepthNotes(steps_per_m=MM_PER_M)
        for split in self.survey.splits:
            for name, frames in by_sequence(lines, split):
                depths.see(frames)
                entries = [line["frame"] for line in frames]
                text = json.dumps(transforms(entries, self.reels[name].fps), indent=2) + "\n"
                files.append(self.outbox.put_text(f"{split}/{name}/transforms.json", text))
        self.notes += depths.notes
        return files

    def _has(self, name: str, view: NumberedView) -> bool:
        """Say whether a pass goes along: all frames have it, since readers take all or none."""
        if self.options.passes:
            return name in self.options.passes
        return name in self.survey.common_passes() and name in view.record.files


class _Sequences(NerfstudioExporter):
    """Sequences alone: what pictures on their own are exported with is of no use."""

    takes = frozenset({"link"})


def transforms(frames: list[dict[str, Any]], fps: float) -> dict[str, Any]:
    """Return what `transforms.json` says; the lens is told once where it is the same."""
    shared, own = told_once(frames)
    return {"camera_model": "OPENCV", "fps": fps, **shared, "frames": own}
