"""Kubric's MOVi: one `.npz` per sequence with the names and shapes of its samples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import ExportPart, NumberedView, Written
from farm.dataset.export.cameras import quaternion, without_flips
from farm.dataset.export.passes.npz import put_npz, stacks
from farm.dataset.export.passes.pictures import PassFile, extra_files
from farm.dataset.export.sequences import WholeExporter
from farm.dataset.export.survey import things
from farm.dataset.export.timeline import ObjectKey
from farm.dataset.images import to_8_bit
from farm.projection import distances, focal_px
from farm.spec.label import ObjectLabel
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord

Array = NDArray[Any]
SENSOR_MM = 36.0
"""Width of the sensor that the focal length is told for: Kubric's cameras have one of 36 mm."""
EXACT = (0.0, 65535.0)
"""The range of arrays that are not in 16 bits: MOVi's formula leaves their values as they are."""
OWN: tuple[PassName, ...] = (
    "rgb", "index", "depth", "distance", "normal", "normal_world", "flow_forward",
    "flow_backward", "flow_forward_valid", "flow_backward_valid",
)  # fmt: skip


class Instances(NamedTuple):
    """Of each object of a sequence, in one frame; NaN where it is not there."""

    positions: Array
    """(N, 3)."""
    quaternions: Array
    """(N, 4): w, x, y, z."""
    bboxes_3d: Array
    """(N, 8, 3)."""
    image_positions: Array
    """(N, 2), of the middle of its box, 0..1 in the picture."""
    bboxes: Array
    """(N, 4): top, left, bottom, right, 0..1; NaN where it is not seen."""
    visibility: Array
    """(N,), pixels."""


class Shown(NamedTuple):
    """A frame of a sample."""

    arrays: dict[str, Array]
    record: ViewRecord
    instances: Instances
    extras: list[tuple[str, PassFile]]


class MoviExporter(WholeExporter[Shown]):
    """`<split>/<sequence>.npz`, in metres."""

    reader = "MOVi"
    pinholes = True
    needs = (("rgb",), ("index",))

    def take_frame(self, view: NumberedView) -> Shown:
        keys = self.reels[view.sequence].seen()
        index = view.pixels("index")
        numbers = np.zeros(index.shape, dtype=np.uint8 if len(keys) < 256 else np.uint16)
        for key, label in things(view.record):
            if key in keys:
                numbers[np.isin(index, label.indices)] = keys.index(key) + 1
        arrays: dict[str, Array] = {
            "video": three(to_8_bit(view.pixels("rgb"))),
            "segmentations": numbers[..., None],
            **self._labels(view),
        }
        extras = extra_files(view, self.extras(*OWN))
        return Shown(arrays, view.record, instances_of(view.record, keys, numbers), extras)

    def write_sequence(self, part: ExportPart, frames: Iterator[Shown]) -> Written:
        name = part.views[0].sequence
        records: list[ViewRecord] = []
        instances: list[Instances] = []
        files: list[str] = []
        with stacks(self.outbox, len(part.views)) as stacked:
            for frame in frames:
                for key, array in frame.arrays.items():
                    stacked.add(key, array)
                records.append(frame.record)
                instances.append(frame.instances)
                files += [file.put(self.outbox, path, link=False) for path, file in frame.extras]
            told = {
                **self._metadata(part, records),
                **camera_arrays(records),
                **self._instances(name, instances),
            }
            files.append(put_npz(self.outbox, f"{part.split}/{name}.npz", stacked, told))
        return Written(files, [])

    def _labels(self, view: NumberedView) -> dict[str, Array]:
        """Return what goes along of depth, flow and normals."""
        scale = np.float32(view.record.metres_per_unit)
        found: dict[str, Array] = {}
        if self._has("distance"):
            found["depth"] = view.pixels("distance")[..., None] * scale
        elif self._has("depth"):
            far = distances(view.pixels("depth"), view.record.camera)
            found["depth"] = far[..., None] * scale
        for name in ("forward", "backward"):
            flow, valid = flow_passes(name)
            if self._has(flow):
                found[f"{name}_flow"] = np.ascontiguousarray(view.pixels(flow)[..., ::-1])
            if self._has(valid):
                found[f"{name}_flow_valid"] = (view.pixels(valid) > 0)[..., None]
        normals = self._normals(view)
        if normals is not None:
            found["normal"] = np.round((normals / 2 + 0.5) * 65535).astype(np.uint16)
        return found

    def _normals(self, view: NumberedView) -> Array | None:
        """Return normals of the world (H, W, 3), if there are any."""
        if self._has("normal_world"):
            return view.pixels("normal_world")
        if not self._has("normal"):
            return None
        turn = np.array(view.record.camera.world_from_camera)[:3, :3]
        return np.asarray(view.pixels("normal") @ turn.T.astype(np.float32))

    def _has(self, name: PassName) -> bool:
        return name in (self.options.passes or self.survey.common_passes())

    def _metadata(self, part: ExportPart, records: list[ViewRecord]) -> dict[str, Any]:
        reel = self.reels[part.views[0].sequence]
        width, height = records[0].resolution_px
        return {
            "metadata/video_name": reel.name,
            "metadata/width": np.int32(width),
            "metadata/height": np.int32(height),
            "metadata/num_frames": np.int32(len(records)),
            "metadata/num_instances": np.int32(len(reel.seen())),
            "metadata/fps": np.float32(reel.fps),
            **{
                f"metadata/{name}_range": np.array(EXACT, np.float32)
                for name in ("depth", "forward_flow", "backward_flow")
            },
        }

    def _instances(self, name: str, frames: list[Instances]) -> dict[str, Any]:
        """Return what is told of objects: first which, then the frame, as MOVi has it."""
        keys = self.reels[name].seen()
        found: dict[str, Any] = {
            f"instances/{field}": np.stack([getattr(each, field) for each in frames], axis=1)
            for field in Instances._fields
        }
        turns = found["instances/quaternions"]
        for at in range(len(keys)):
            turns[at] = np.array(without_flips(turns[at]), np.float32)
        return found | {
            "instances/name": np.array([key.name for key in keys], dtype=np.str_),
            "instances/asset_id": np.array([key.asset for key in keys], dtype=np.str_),
        }


def flow_passes(name: str) -> tuple[PassName, PassName]:
    """Return the passes of a direction: flow, and where it is valid."""
    if name == "forward":
        return "flow_forward", "flow_forward_valid"
    return "flow_backward", "flow_backward_valid"


def three(pixels: Array) -> Array:
    """Return a picture with three channels."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)


def camera_arrays(records: list[ViewRecord]) -> dict[str, Any]:
    """Return the path of the camera, Blender's and OpenGL's, and its lens."""
    poses = np.array([record.camera.world_from_camera for record in records])
    scale = records[0].metres_per_unit
    width, height = records[0].resolution_px
    lenses = np.array([focal_px(record.camera) for record in records])
    centres = np.array([(record.camera.cx_px, record.camera.cy_px) for record in records])
    matrices = np.zeros((len(records), 3, 3), np.float32)
    matrices[:, 0, 0], matrices[:, 1, 1] = lenses.T
    matrices[:, :2, 2] = centres
    matrices[:, 2, 2] = 1.0
    longer = max(width, height)
    return {
        "camera/focal_length": np.float32(lenses[0, 0] / longer * SENSOR_MM),
        "camera/sensor_width": np.float32(SENSOR_MM),
        "camera/field_of_view": np.float32(2 * math.atan(width / 2 / lenses[0, 0])),
        "camera/positions": (poses[:, :3, 3] * scale).astype(np.float32),
        "camera/quaternions": np.array(
            without_flips(quaternion(pose[:3, :3]) for pose in poses), np.float32
        ),
        "camera/intrinsics": matrices,
    }


def instances_of(record: ViewRecord, keys: list[ObjectKey], numbers: Array) -> Instances:
    """Return where objects are in a frame, in metres.

    Args:
        record: The frame's.
        keys: The objects of the sequence, in order.
        numbers: (H, W), what pixels show, from 1.
    """
    labels = dict(things(record))
    found = [instance_of(record, labels.get(key)) for key in keys]
    counts = np.bincount(numbers.ravel(), minlength=len(keys) + 1)[1 : len(keys) + 1]
    positions, turns, corners, middles, boxes = (
        np.array([each[at] for each in found], dtype=np.float32) for at in range(5)
    )
    return Instances(positions, turns, corners, middles, boxes, counts.astype(np.uint32))


def instance_of(record: ViewRecord, label: ObjectLabel | None) -> tuple[Array, ...]:
    """Return position, quaternion, corners, place in the picture and box of an object."""
    if label is None:
        return tuple(np.full(shape, np.nan) for shape in (3, 4, (8, 3), 2, 4))
    scale = record.metres_per_unit
    pose = np.array(record.camera.world_from_camera) @ np.array(label.camera_from_object)
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    corners = signs * np.array(label.size) @ pose[:3, :3].T + pose[:3, 3]
    width, height = record.resolution_px
    x, y, z = np.array(label.camera_from_object)[:3, 3]
    fx, fy = focal_px(record.camera)
    middle = np.full(2, np.nan)
    if z < 0:
        middle = np.array([record.camera.cx_px - fx * x / z, record.camera.cy_px + fy * y / z])
    box = np.full(4, np.nan)
    if label.box_px is not None:
        left, top, right, bottom = label.box_px
        box = np.array([top / height, left / width, bottom / height, right / width])
    return (
        pose[:3, 3] * scale,
        quaternion(pose[:3, :3]),
        corners * scale,
        middle / (width, height),
        box,
    )
