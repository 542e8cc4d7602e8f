"""BOP: scenes of pictures with poses, in millimetres and OpenCV's camera."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from farm.dataset.export.base import Exporter, ExportJob, ExportPart, Lines, NumberedView, Written
from farm.dataset.export.cameras import HALF_PIXEL, OPENCV_FROM_OPENGL, only_pinholes
from farm.dataset.export.geometry.meshes import mesh_of, ply_text
from farm.dataset.export.instances import (
    Box,
    Instance,
    Mask,
    box_of,
    find_instances,
    find_wholes,
)
from farm.dataset.export.passes.pictures import encode, picture, put_extras
from farm.dataset.export.survey import MM_PER_M, things
from farm.errors import SpecError
from farm.library.meshes.mesh import NoMeshError
from farm.projection import focal_px
from farm.spec.camera import Matrix4
from farm.spec.record import ViewRecord

DEPTH_MOST = 65535
DEPTH_STEPS = (1, 2, 5)
"""A depth scale is one of these times a power of ten, millimetres."""
NOWHERE = Box(-1, -1, -1, -1)
"""The box of what is not in the picture."""
LEAST_SEEN = 0.1
"""The visible share from which BOP asks for an object."""
OWN = ("rgb", "depth", "mask")
"""Passes that have folders of the format's own."""
TESTED = "test"
"""The split of which there are targets."""
Entry = dict[str, Any]


class Frame(NamedTuple):
    """One picture of a scene."""

    number: int
    """Within the scene."""
    files: list[str]
    size_px: tuple[int, int]
    camera: Entry
    poses: list[Entry]
    facts: list[Entry]


class BopExporter(Exporter[Frame]):
    """`<split>/<scene>/` with rgb, depth, mask and mask_visib; `models/`, `camera.json`; targets.

    A scene is views in a row of one dataset, 1000 at most: in grid mode one model under one HDRI.
    Of several models that stand together it is views of one group, in which they stand still.
    """

    takes = frozenset({"link"})
    part_views = 1000
    by_dataset = True
    by_arrangement = True
    needs = (("mask", "index"),)

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        if not self.survey.things:
            raise SpecError(
                "BOP needs object poses, and the records of this dataset have none: render it again"
            )
        only_pinholes(self.survey, "BOP")
        self._numbers = {thing: at for at, thing in enumerate(self.survey.things, start=1)}

    def take(self, view: NumberedView) -> Frame:
        record = view.record
        if not record.objects:
            raise SpecError(f"{view.view.key}: has no poses, and BOP needs them")
        scene, stem = f"{view.split}/{view.part:06d}", f"{view.place:06d}"
        link = self.options.link
        files: list[str] = []
        camera = camera_entry(record)
        if "rgb" in record.files:
            file = picture(view, "rgb", self.options.image_format)
            files.append(file.put(self.outbox, f"{scene}/rgb/{stem}.{file.suffix}", link=link))
        covered = None
        if "depth" in record.files:
            pixels, camera["depth_scale"] = depth_pixels(view.pixels("depth"), scale_mm(record))
            covered = pixels > 0
            data = encode(pixels, "png")
            files.append(self.outbox.put(f"{scene}/depth/{stem}.png", data))
        found = find_instances(view, self.options.classes)
        wholes = find_wholes(view, found)
        for number, (instance, whole) in enumerate(zip(found, wholes, strict=True)):
            masks = {"mask": instance.mask if whole is None else whole, "mask_visib": instance.mask}
            for folder, mask in masks.items():
                data = encode(mask.astype(np.uint8) * 255, "png")
                path = f"{scene}/{folder}/{stem}_{number:06d}.png"
                files.append(self.outbox.put(path, data))
        extras = tuple(name for name in self.options.passes if name not in OWN)
        files += put_extras(view, self.outbox, extras, link=link)
        poses = [
            pose_entry(label.camera_from_object, scale_mm(record))
            | {"obj_id": self._numbers[thing]}
            for thing, label in things(record)
        ]
        facts = [
            fact_entry(each, whole, covered) for each, whole in zip(found, wholes, strict=True)
        ]
        return Frame(view.place, files, record.resolution_px, camera, poses, facts)

    def write(self, part: ExportPart, taken: Iterator[Frame]) -> Written:
        scene = f"{part.split}/{part.number:06d}"
        files: list[str] = []
        cameras: dict[str, Any] = {}
        poses: dict[str, Any] = {}
        facts: dict[str, Any] = {}
        sensors: list[Entry] = []
        targets: list[JsonValue] = []
        for frame in taken:
            sensors = sensors or [sensor_entry(frame)]
            targets += target_entries(frame, part.number)
            files += frame.files
            cameras[str(frame.number)] = frame.camera
            poses[str(frame.number)] = frame.poses
            facts[str(frame.number)] = frame.facts
        for name, entries in (
            ("scene_camera", cameras),
            ("scene_gt", poses),
            ("scene_gt_info", facts),
        ):
            files.append(self.outbox.put_text(f"{scene}/{name}.json", scene_json(entries)))
        return Written(files, [{"camera": sensors[0], "targets": targets}])

    def close(self, lines: Lines) -> list[str]:
        models = {
            str(number): model_entry(thing.name, thing.sha256, self.survey.things[thing])
            for thing, number in self._numbers.items()
        }
        files = [self.outbox.put_text("models/models_info.json", scene_json(models))]
        files += self._put_meshes()
        for scene in chain.from_iterable(map(lines, self.survey.splits)):
            text = json.dumps(scene["camera"], indent=2) + "\n"
            files.append(self.outbox.put_text("camera.json", text))
            break
        return files + self._put_targets(lines) if TESTED in self.survey.splits else files

    def _put_meshes(self) -> list[str]:
        """Write the mesh of each model that has one, and note why others have none."""
        files = []
        lacking: dict[str, list[str]] = {}
        for thing, number in self._numbers.items():
            try:
                mesh = mesh_of(self.survey.origins[thing], self.survey.things[thing])
            except NoMeshError as error:
                lacking.setdefault(str(error), []).append(thing.name)
            else:
                files.append(self.outbox.put_text(f"models/obj_{number:06d}.ply", ply_text(mesh)))
        for reason, names in lacking.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            self.notes.append(f"no mesh of {names[0]}{more}: {reason}")
        return files

    def _put_targets(self, lines: Lines) -> list[str]:
        """Write which objects of which pictures are to be found; the newer list has pictures."""
        found = [target for scene in lines(TESTED) for target in scene["targets"]]
        pictures = {(each["scene_id"], each["im_id"]): None for each in found}
        shown = [{"im_id": at, "scene_id": scene} for scene, at in pictures]
        return [
            self.outbox.put_text("test_targets_bop19.json", list_json(found)),
            self.outbox.put_text("test_targets_bop24.json", list_json(shown)),
        ]


def sensor_entry(frame: Frame) -> Entry:
    """Return the camera of a picture as that of a whole dataset."""
    matrix = frame.camera["cam_K"]
    return {
        "cx": matrix[2], "cy": matrix[5], "depth_scale": frame.camera["depth_scale"],
        "fx": matrix[0], "fy": matrix[4], "height": frame.size_px[1], "width": frame.size_px[0],
    }  # fmt: skip


def target_entries(frame: Frame, scene: int) -> list[JsonValue]:
    """Return what is to be found in a picture: objects of which enough is seen, and how many."""
    counts = Counter(
        pose["obj_id"]
        for pose, facts in zip(frame.poses, frame.facts, strict=True)
        if facts["visib_fract"] >= LEAST_SEEN
    )
    return [
        {"im_id": frame.number, "inst_count": count, "obj_id": number, "scene_id": scene}
        for number, count in sorted(counts.items())
    ]


def scale_mm(record: ViewRecord) -> float:
    """Return what a unit of the view's world is in millimetres."""
    return record.metres_per_unit * MM_PER_M


def camera_entry(record: ViewRecord) -> Entry:
    """Return the intrinsics, and the pose of the world as the camera sees it."""
    camera = record.camera
    fx, fy = focal_px(camera)
    cx, cy = camera.cx_px - HALF_PIXEL, camera.cy_px - HALF_PIXEL
    pose = rigid(np.linalg.inv(np.array(camera.world_from_camera)), scale_mm(record))
    return {
        "cam_K": [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        "depth_scale": 1.0,
        "cam_R_w2c": pose[0],
        "cam_t_w2c": pose[1],
    }


def pose_entry(camera_from_object: Matrix4, scale: float) -> Entry:
    """Return the pose of an object."""
    rotation, shift = rigid(np.array(camera_from_object), scale)
    return {"cam_R_m2c": rotation, "cam_t_m2c": shift}


def rigid(matrix: NDArray[np.float64], scale: float) -> tuple[list[float], list[float]]:
    """Return rotation (row by row) and shift (mm) into OpenCV's camera: x right, y down, z ahead.

    Args:
        matrix: (4, 4), into Blender's camera, which looks along -Z; units of the view's world.
        scale: Millimetres in such a unit.
    """
    turned = OPENCV_FROM_OPENGL @ matrix
    return turned[:3, :3].ravel().tolist(), (turned[:3, 3] * scale).tolist()


def depth_pixels(depth: NDArray[np.float32], scale: float) -> tuple[NDArray[np.uint16], float]:
    """Return depth in 16 bits, and what a step of it is in millimetres: as fine as will hold all.

    0 is the background.
    """
    there = np.isfinite(depth) & (depth > 0)
    depth_mm = np.where(there, depth, 0).astype(np.float64) * scale
    step = depth_step(float(depth_mm.max(initial=0.0)))
    return np.round(depth_mm / step).astype(np.uint16), step


def depth_step(most_mm: float) -> float:
    """Return the finest step with which 16 bits reach so far."""
    if most_mm <= 0:
        return 1.0
    power = math.floor(math.log10(most_mm / DEPTH_MOST))
    steps = (
        times * 10.0**at if at >= 0 else times / 10.0**-at
        for at in (power, power + 1)
        for times in DEPTH_STEPS
    )
    return next(step for step in steps if most_mm <= step * DEPTH_MOST)


def fact_entry(instance: Instance, whole: Mask | None, covered: Mask | None) -> Entry:
    """Return boxes and counts of an object.

    Args:
        instance: The object.
        whole: (H, W), its silhouette; where that is not known, only the share that is seen may be.
        covered: (H, W), where depth is known, if it is a pass.
    """
    seen, label = instance.seen_px, instance.label
    shown = instance.mask if whole is None else whole
    inside = 1.0 if label is None else 1.0 - label.truncation
    if whole is not None:
        share = seen / np.count_nonzero(whole) if whole.any() else 0.0
    else:
        share = 1.0 if label is None or label.visible_fraction is None else label.visible_fraction
    share *= inside
    return {
        "bbox_obj": list(box_of(shown) or NOWHERE),
        "bbox_visib": list(box_of(instance.mask) or NOWHERE),
        "px_count_all": silhouette_px(seen, share, shown, inside),
        "px_count_valid": int(np.count_nonzero(shown if covered is None else shown & covered)),
        "px_count_visib": seen,
        "visib_fract": share if seen else 0.0,
    }


def silhouette_px(seen: int, share: float, shown: Mask, inside: float) -> int:
    """Return the pixels of a silhouette, also of what is outside of the picture.

    Args:
        seen: Pixels that are seen.
        share: Of the whole, what they are.
        shown: (H, W), what of it is in the picture, as far as is known.
        inside: Of the whole, what is in the picture.
    """
    if seen and share > 0:
        return round(seen / share)
    count = int(np.count_nonzero(shown))
    return round(count / inside) if inside > 0 else count


def model_entry(name: str, sha256: str, size_mm: tuple[float, float, float]) -> Entry:
    """Return the box of a model. Its diameter is that of the box: at least the model's own."""
    x, y, z = size_mm
    return {
        "diameter": math.sqrt(x * x + y * y + z * z),
        "min_x": -x / 2, "min_y": -y / 2, "min_z": -z / 2,
        "size_x": x, "size_y": y, "size_z": z,
        "name": name, "sha256": sha256,
    }  # fmt: skip


def list_json(entries: list[Entry]) -> str:
    """Return JSON with a line for each entry, as the tools of BOP write it."""
    return "[\n" + ",\n".join(f"  {json.dumps(entry)}" for entry in entries) + "\n]\n"


def scene_json(entries: Entry) -> str:
    """Return JSON with a line for each picture or model, as the tools of BOP write it."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in entries.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"
