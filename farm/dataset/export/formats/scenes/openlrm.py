"""OpenLRM: a folder for each object with pictures, poses and one lens, and lists of folders."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import ExportJob, Lines, NumberedView, ViewFiles
from farm.dataset.export.formats.scenes.zero123 import npy
from farm.dataset.export.object_exporter import ObjectExporter, UnitCube, fewest_and_all
from farm.dataset.export.scene_exporter import Line
from farm.projection import focal_px
from farm.spec.record import ViewRecord

SIDE = 2.0
"""Of the cube that readers expect things to fill."""
READERS_VIEWS = 32
"""Views of each object that readers expect, unless they are told."""


class OpenlrmExporter(ObjectExporter):
    """`<object>/rgba/000.png`, `pose/000.npy` (3, 4), camera to world; `intrinsics.npy`.

    `<split>_uids.json` lists the folders.
    """

    reader = "openlrm"

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._views: defaultdict[str, dict[str, int]] = defaultdict(dict)
        """Split -> folder -> its views."""

    def cube_of(self, view: NumberedView) -> UnitCube:
        cube = super().cube_of(view)
        return cube._replace(scale=cube.scale * SIDE)

    def take_view(self, view: NumberedView, folder: str) -> ViewFiles:
        number, record = self.name_of(view), view.record
        file = self.picture_of(view)
        files = [
            file.put(self.outbox, f"{folder}/rgba/{number}.png", link=self.options.link),
            self.outbox.put(f"{folder}/pose/{number}.npy", npy(self.pose_of(view)[:3])),
        ]
        return ViewFiles(files, {"view": view.view.name, "lens": intrinsics(record).tolist()})

    def write_scene(self, folder: str, frames: list[Line]) -> list[str]:
        split = folder.partition("/")[0] if self.is_split else "train"
        self._views[split][folder] = len(frames)
        lens = self.outbox.put(f"{folder}/intrinsics.npy", npy(np.array(frames[0]["lens"])))
        return [lens, self.put_names(folder, frames)]

    def close(self, lines: Lines) -> list[str]:
        files = super().close(lines)
        lists = [self.put_list(f"{split}_uids.json", views) for split, views in self._views.items()]
        return files + lists

    def notes_in_the_end(self) -> list[str]:
        counts = {count for views in self._views.values() for count in views.values()}
        if not counts or counts == {READERS_VIEWS}:
            return []
        fewest, some = fewest_and_all(counts)
        return [
            f"objects have {some}, and readers of openlrm expect {READERS_VIEWS}: set "
            f"num_all_views of its ObjaverseDataset to {fewest:,}"
        ]


def intrinsics(record: ViewRecord) -> NDArray[np.float64]:
    """Return focal lengths, the middle and the size (3, 2) of a view, pixels, x before y."""
    camera = record.camera
    return np.array([focal_px(camera), (camera.cx_px, camera.cy_px), record.resolution_px])
