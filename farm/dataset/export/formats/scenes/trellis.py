"""TRELLIS: `renders/<sha256 of the model>/` with numbered pictures and `transforms.json`."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np

from farm.dataset.export.base import ExportJob, Lines, NumberedView, ViewFiles
from farm.dataset.export.object_exporter import ObjectExporter, UnitCube, angles_of
from farm.dataset.export.safe_names import FreeNames
from farm.dataset.export.scene_exporter import Line
from farm.spec.record import ViewRecord

UNIT = [[-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]]
METADATA_FILE = "metadata.csv"
COLUMNS = ("sha256", "file_identifier", "rendered")


class TrellisExporter(ObjectExporter):
    """`renders/<sha256>/000.png` (RGBA), `transforms.json`; `metadata.csv` names the models.

    A model that is there under several lights has a folder for each: `<sha256>`, `<sha256>-2`.
    """

    reader = "TRELLIS"
    tells_lenses = True

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        names = FreeNames()
        self._names = {each.name: names.take(each.sha256) for each in self.scenes.scenes}
        self._rows: dict[str, list[tuple[str, str, bool]]] = {}

    def object_name(self, view: NumberedView) -> str:
        return f"renders/{self._names[self.scene_of(view).name]}"

    def take_view(self, view: NumberedView, folder: str) -> ViewFiles:
        name = f"{self.name_of(view)}.png"
        file = self.picture_of(view)
        files = [file.put(self.outbox, f"{folder}/{name}", link=self.options.link)]
        entry = {
            "file_path": name,
            "camera_angle_x": angles_of(view.record)[0],
            "transform_matrix": self.pose_of(view).tolist(),
        }
        placed = placing(view.record, self.cube_of(view))
        asset = self.scene_of(view).file
        return ViewFiles(
            files, {"view": view.view.name, "frame": entry, "placed": placed, "asset": asset}
        )

    def write_scene(self, folder: str, frames: list[Line]) -> list[str]:
        place, _, name = folder.rpartition("renders/")
        self._rows.setdefault(place, []).append((name, frames[0]["asset"], True))
        told = {"aabb": UNIT, **frames[0]["placed"], "frames": [each["frame"] for each in frames]}
        text = json.dumps(told, indent=2) + "\n"
        path = self.outbox.put_text(f"{folder}/transforms.json", text)
        return [path, self.put_names(folder, frames)]

    def close(self, lines: Lines) -> list[str]:
        files = super().close(lines)
        for place, rows in self._rows.items():
            table = io.StringIO()
            csv.writer(table, lineterminator="\n").writerows([COLUMNS, *sorted(rows)])
            files.append(self.outbox.put_text(f"{place}{METADATA_FILE}", table.getvalue()))
        return files


def placing(record: ViewRecord, cube: UnitCube) -> dict[str, Any]:
    """Return the scale and the offset from a model's file, in Blender's axes, to the unit cube.

    Where the record does not say where the model stands in its file: from the view's world.
    """
    world_from_file = next((each.world_from_file for each in record.objects), None)
    matrix = np.eye(4) if world_from_file is None else np.array(world_from_file)
    own = float(np.cbrt(abs(np.linalg.det(matrix[:3, :3]))))
    offset = (matrix[:3, 3] - cube.middle) * cube.scale
    return {"scale": cube.scale * own, "offset": offset.tolist()}
