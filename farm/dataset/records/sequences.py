"""Sequences of a dataset: `transforms.json` and the table of ids that each of them gets.

`transforms.json` is what nerfstudio's `nerfstudio-data` and VisionSIM read: intrinsics in pixels,
poses from camera to world of OpenGL's camera (x right, y up, it looks along -Z). Numbers that are
the same for all frames stand at the top, others with each frame.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator
from typing import Any

from farm.dataset.records.read import VIEWS_FILE, Report, read_file
from farm.spec.label import IndexLabel
from farm.spec.passes import PassName
from farm.spec.record import CameraRecord, FisheyeRecord, OrthographicRecord, ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage

TRANSFORMS_FILE = "transforms.json"
IDS_FILE = "segmentations.json"
"""What the values of the index and material passes mean."""
FILE_KEYS: dict[PassName, str] = {
    "rgb": "file_path",
    "mask": "mask_path",
    "depth": "depth_file_path",
    "distance": "distance_file_path",
    "normal": "normal_file_path",
    "normal_world": "normal_world_file_path",
    "index": "segmentation_file_path",
    "material": "material_file_path",
    "flow_forward": "flow_file_path",
    "flow_backward": "flow_backward_file_path",
    "flow_forward_valid": "flow_valid_file_path",
    "flow_backward_valid": "flow_backward_valid_file_path",
    "position": "point_file_path",
}
"""How a frame names its files; those of other passes are `<pass>_file_path`."""
MODELS = {
    "pinhole": "PINHOLE",
    "orthographic": "ORTHOGRAPHIC",
    "fisheye_polynomial": "FISHEYE_POLYNOMIAL",
}
"""As nerfstudio and COLMAP write them; those two know the first alone."""


def write_sequences(storage: Storage, dataset: str, report: Report) -> None:
    """Write what each sequence of a folded dataset has beside its frames; none has nothing."""
    found: dict[str, Sequence] = {}
    for entry in read_file(storage, dataset_key(dataset, VIEWS_FILE), report):
        moment = entry.record.view.moment
        if moment is not None:
            found.setdefault(moment.sequence, Sequence(moment.sequence)).add(entry.record)
    for name, sequence in found.items():
        for file, data in sequence.files():
            storage.put(dataset_key(dataset, name, file), data)


def names_of_files(sequences: Iterable[str]) -> Iterator[str]:
    """Yield what sequences have beside their frames, relative to their dataset."""
    for sequence in sequences:
        for file in (TRANSFORMS_FILE, IDS_FILE):
            yield f"{sequence}/{file}"


class Sequence:
    """The frames of one sequence, gathered in any order."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._frames: dict[int, dict[str, Any]] = {}
        self._lenses: dict[int, dict[str, Any]] = {}
        self._tables: dict[str, dict[int, IndexLabel]] = {"index": {}, "material": {}}
        self._fps = 0.0

    def add(self, record: ViewRecord) -> None:
        """Take a frame."""
        moment = record.view.moment
        assert moment is not None
        self._fps = moment.fps
        self._lenses[moment.place] = lens_of(record)
        self._frames[moment.place] = frame_of(record, self._name)
        for table, labels in (("index", record.indices), ("material", record.materials)):
            self._tables[table] |= {label.index: label for label in labels}

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of what the sequence has beside its frames."""
        yield TRANSFORMS_FILE, written(self._transforms())
        if any(self._tables.values()):
            yield IDS_FILE, written(self._ids())

    def _transforms(self) -> dict[str, Any]:
        places = sorted(self._frames)
        lenses = [self._lenses[place] for place in places]
        shared = {
            key: value
            for key, value in lenses[0].items()
            if all(lens.get(key) == value for lens in lenses)
        }
        frames = []
        for place, lens in zip(places, lenses, strict=True):
            own = {key: value for key, value in lens.items() if key not in shared}
            frames.append({**self._frames[place], **own})
        return {**shared, "fps": self._fps, "frames": frames}

    def _ids(self) -> dict[str, Any]:
        return {
            table: [
                label.model_dump(mode="json") for _, label in sorted(labels.items())
            ]
            for table, labels in self._tables.items()
            if labels
        }  # fmt: skip


def frame_of(record: ViewRecord, sequence: str) -> dict[str, Any]:
    """Return what `frames` says of one frame."""
    moment = record.view.moment
    assert moment is not None
    paths = {
        FILE_KEYS.get(name, f"{name}_file_path"): posixpath.relpath(file.path, sequence)
        for name, file in record.files.items()
    }
    return {
        **paths,
        "transform_matrix": record.camera.world_from_camera,
        "time_s": moment.time_s,
        "frame": moment.number,
        **({"subframes": subframes} if (subframes := record.values.get("subframes")) else {}),
    }


def lens_of(record: ViewRecord) -> dict[str, Any]:
    """Return the intrinsics of a frame."""
    width, height = record.resolution_px
    picture = record.files.get("rgb")
    channels = {"c": 3} if picture is not None else {}
    return {
        "camera_model": MODELS[record.camera.model],
        "w": width,
        "h": height,
        **channels,
        "metres_per_unit": record.metres_per_unit,
        **numbers_of(record.camera),
    }


def numbers_of(camera: CameraRecord) -> dict[str, float]:
    """Return the numbers of a lens, by the field's names where it has some."""
    numbers = {"cx": camera.cx_px, "cy": camera.cy_px}
    if isinstance(camera.lens, OrthographicRecord):
        return {**numbers, "px_per_unit": camera.lens.px_per_unit}
    if isinstance(camera.lens, FisheyeRecord):
        return {**numbers, **camera.lens.model_dump(exclude={"kind"})}
    assert camera.fx_px is not None
    assert camera.fy_px is not None
    return {**numbers, "fl_x": camera.fx_px, "fl_y": camera.fy_px}


def written(data: dict[str, Any]) -> bytes:
    """Return JSON as people can read it, a frame a line."""
    frames = data.get("frames")
    if frames is None:
        return (json.dumps(data, indent=1) + "\n").encode()
    head = json.dumps({**data, "frames": []}, indent=1)
    lines = ",\n  ".join(json.dumps(frame) for frame in frames)
    body = head.replace('"frames": []', f'"frames": [\n  {lines}\n ]')
    return (body + "\n").encode()
