"""zero123: a folder for each object with numbered pictures and poses, and a list of folders."""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import PurePosixPath

import numpy as np

from farm.dataset.export.base import ExportJob, Lines, NumberedView, ViewFiles
from farm.dataset.export.object_exporter import ObjectExporter, fewest_and_all
from farm.dataset.export.scene_exporter import Line

LIST_FILE = "valid_paths.json"


class Zero123Exporter(ObjectExporter):
    """`<object>/000.png` (RGBA) and `000.npy` (3, 4): world to camera; `valid_paths.json`."""

    reader = "zero123"

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._views: dict[str, int] = {}

    def take_view(self, view: NumberedView, folder: str) -> ViewFiles:
        path = f"{folder}/{self.name_of(view)}"
        file = self.picture_of(view)
        files = [file.put(self.outbox, f"{path}.png", link=self.options.link)]
        camera_from_world = np.linalg.inv(self.pose_of(view))[:3]
        files.append(self.outbox.put(f"{path}.npy", npy(camera_from_world)))
        return ViewFiles(files, {"view": view.view.name})

    def write_scene(self, folder: str, frames: list[Line]) -> list[str]:
        self._views[folder] = len(frames)
        return [self.put_names(folder, frames)]

    def close(self, lines: Lines) -> list[str]:
        files = super().close(lines)
        lists: defaultdict[PurePosixPath, list[str]] = defaultdict(list)
        for folder in self._views:
            lists[PurePosixPath(folder).parent].append(PurePosixPath(folder).name)
        return files + [
            self.put_list((place / LIST_FILE).as_posix(), names) for place, names in lists.items()
        ]

    def notes_in_the_end(self) -> list[str]:
        if not self._views:
            return []
        fewest, some = fewest_and_all(self._views.values())
        return [f"objects have {some}: set total_view to {fewest:,}"]


def npy(matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bytes:
    """Return the bytes of a NumPy file."""
    file = io.BytesIO()
    np.save(file, matrix, allow_pickle=False)
    return file.getvalue()
