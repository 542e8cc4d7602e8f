"""Datasets for tests: small real ones with every pass, made by numpy; and looking at one as a
whole."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import farm.dataset
from farm.arrays import encode_rows
from farm.dataset.finish import finish_dataset
from farm.dataset.records.collect import FinishedRun, RunFacts, collect
from farm.projection import recorded
from farm.runs import runs_of
from farm.spec.asset import Asset, Credit
from farm.spec.camera import AnyLens, OrbitCamera, PoseCamera, intrinsics, orbit_matrix
from farm.spec.label import IndexLabel, Keypoint, ObjectLabel, Occluder
from farm.spec.passes import PASSES, SURFACE_BITS, VIEW_PASSES, PassName, pass_path
from farm.spec.recipes.sod import SodView
from farm.spec.record import CameraRecord, FileRecord, ViewRecord
from farm.spec.view import Light
from farm.storage import FolderStorage
from tests.builders import a_record, an_asset

Floats = NDArray[np.float32]
FINE = 4
"""Rays per pixel and axis, of which the mask is the mean."""
CATEGORIES = ("vase", "chair", "lamp")
COLOURS = ((214, 69, 65), (65, 131, 214), (38, 166, 91), (244, 179, 80))
MOTION_DEG = 3.0
"""Flow is what the camera's walk by so much does to the points that are seen."""


class Ball(NamedTuple):
    """One object of a scene: all that is seen of it follows from two numbers."""

    centre: tuple[float, float, float]
    radius: float


def views_that_are_whole(folder: Path) -> int:
    """Return how many views the datasets under `folder` have; all their files have their hashes."""
    count = 0
    for listing in folder.rglob("views.jsonl"):
        for line in listing.read_text().splitlines():
            count += 1
            for file in json.loads(line)["files"].values():
                data = (listing.parent / file["path"]).read_bytes()
                assert hashlib.sha256(data).hexdigest() == file["sha256"], file["path"]
    return count


def write_dataset(
    folder: Path,
    *,
    views: int = 4,
    models: int = 1,
    hdrs: int = 1,
    objects: int = 1,
    passes: Sequence[PassName] = VIEW_PASSES,
    size: tuple[int, int] = (64, 48),
    bit_depth: int = 8,
    picture_format: str = "png",
    preview: bool = False,
    first: int = 0,
) -> list[ViewRecord]:
    """Write a whole dataset of balls on a patterned ground; every label follows from geometry.

    Args:
        folder: Where to.
        views: So many in all; they take models and HDRIs in turn.
        models: `ball000.blend`, `ball001.blend`, ...: of different sizes and categories.
        hdrs: `sky000.exr`, ...
        objects: Balls in each model, side by side, each with its own index.
        passes: Those that the views have.
        size: (width, height), pixels.
        bit_depth: Of rgb and mask.
        picture_format: Of rgb and mask: `png` or `jxl`.
        preview: Draw the contact sheet, too.
        first: The number of the first view: other numbers are other views.
    """
    storage = FolderStorage(folder)
    records = []
    for number in range(first, first + views):
        record, files = make_view(
            number, models=models, hdrs=hdrs, objects=objects, passes=passes, size=size,
            bit_depth=bit_depth, picture_format=picture_format,
        )  # fmt: skip
        for name, data in files.items():
            storage.put(record.files[name].path, data)
        records.append(record)
    fold(storage, folder.name, records, tasks=models * hdrs, preview=preview)
    return records


def fold(
    storage: FolderStorage,
    name: str,
    records: Sequence[ViewRecord],
    *,
    tasks: int = 1,
    preview: bool = False,
) -> None:
    """Write the records of views whose files are there, as a job does that is over."""
    lines = "".join(record.model_dump_json() + "\n" for record in records)
    storage.put(".records/views.jsonl", lines.encode())
    facts = RunFacts(name=name, spec={"name": name}, tasks=tasks, seconds=float(len(records)))
    finish = finish_dataset if preview else collect
    finish(storage, "", FinishedRun(facts, is_complete=lambda _task: True, report=print))


def make_view(
    number: int,
    *,
    models: int,
    hdrs: int,
    objects: int,
    passes: Sequence[PassName],
    size: tuple[int, int],
    bit_depth: int,
    picture_format: str,
) -> tuple[ViewRecord, dict[PassName, bytes]]:
    """Return one view and the bytes of its files."""
    which = number % models
    model = a_model(which)
    hdr = an_asset(f"sky{number // models % hdrs:03d}.exr", kind="hdr")
    camera = OrbitCamera(
        yaw_deg=float(number * 67 % 360), pitch_deg=float(5 + number * 23 % 70), distance=3.5
    )
    scene = the_balls(which, objects)
    shot = shoot(camera, scene, size=size, sky=number // models % hdrs)
    name = f"{model.id}_{number:04d}_{camera.yaw_deg:03.0f}_{camera.pitch_deg:02.0f}"
    files = {of: encode_pass(of, shot, bit_depth, picture_format) for of in passes}
    record = a_record(
        SodView(index=number, name=name, camera=camera, light=Light(), seed=number),
        files=files,
        model=model,
        hdr=hdr,
        resolution_px=size,
        camera=a_camera_record(camera, size),
        coverage=float(shot["mask"].mean()),
        samples=16,
        objects=tuple(
            label_ball(scene, of, shot, camera, size, model, whole="amodal" in passes)
            for of in range(objects)
        ),
        indices=tuple(
            IndexLabel(
                index=at + 1, name=f"Ball.{at}", category=model.credit.category, colour=COLOURS[at]
            )
            for at in range(objects if "index" in passes else 0)
        ),
        materials=(IndexLabel(index=1, name="Checker", colour=(200, 200, 200)),)
        if "material" in passes
        else (),
    )
    paths = {of: pass_path(of, name, picture_format=picture_format) for of in files}
    found = {
        of: FileRecord(path=paths[of], sha256=file.sha256, size_bytes=file.size_bytes)
        for of, file in record.files.items()
    }
    return record.model_copy(update={"files": found}), files


def a_model(which: int) -> Asset:
    """Return the model of a number: its id, category and licence."""
    credit = Credit(
        name=f"Ball {which}", category=CATEGORIES[which % 3], author="Nobody", licence="cc0"
    )
    asset = an_asset(f"ball{which:03d}.blend")
    return asset.model_copy(update={"credit": credit})


def the_balls(which: int, objects: int) -> tuple[Ball, ...]:
    """Return the balls of a model, side by side along X, none touching another."""
    radius = (0.5 - 0.06 * (which % 4)) / objects
    return tuple(
        Ball(((2 * at + 1 - objects) * 0.5 / objects, 0.0, 0.0), radius) for at in range(objects)
    )


def a_camera_record(camera: OrbitCamera, size: tuple[int, int]) -> CameraRecord:
    fx, fy, cx, cy = intrinsics(camera, size)
    return CameraRecord(
        world_from_camera=orbit_matrix(
            yaw_deg=camera.yaw_deg, pitch_deg=camera.pitch_deg, distance=camera.distance
        ),
        fx_px=fx, fy_px=fy, cx_px=cx, cy_px=cy, distance=camera.distance,
    )  # fmt: skip


def world_from(camera: OrbitCamera) -> NDArray[np.float64]:
    """(4, 4)."""
    return np.array(
        orbit_matrix(yaw_deg=camera.yaw_deg, pitch_deg=camera.pitch_deg, distance=camera.distance)
    )


def project(
    points: NDArray[np.float64], camera: OrbitCamera, size: tuple[int, int]
) -> NDArray[np.float64]:
    """Return where points of the world, (..., 3), fall in the picture, (..., 2) pixels."""
    fx, fy, cx, cy = intrinsics(camera, size)
    matrix = world_from(camera)
    seen = (points - matrix[:3, 3]) @ matrix[:3, :3]
    return np.stack(
        [cx - fx * seen[..., 0] / seen[..., 2], cy + fy * seen[..., 1] / seen[..., 2]], -1
    )


def trace(
    camera: OrbitCamera, scene: Sequence[Ball], *, size: tuple[int, int], fine: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return unit rays (H, W, 3), how far each goes (inf: to the sky) and what it meets (-1)."""
    fx, fy, cx, cy = intrinsics(camera, size)
    matrix = world_from(camera)
    u = (np.arange(size[0] * fine) + 0.5) / fine
    v = (np.arange(size[1] * fine) + 0.5) / fine
    x, y = np.meshgrid((u - cx) / fx, -(v - cy) / fy)
    rays = np.stack([x, y, -np.ones_like(x)], axis=-1) @ matrix[:3, :3].T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    far = np.full((len(scene), *x.shape), np.inf)
    for at, ball in enumerate(scene):
        towards = matrix[:3, 3] - np.array(ball.centre)
        half = rays @ towards
        root = half**2 - (towards @ towards - ball.radius**2)
        far[at] = np.where(root >= 0, -half - np.sqrt(np.maximum(root, 0)), np.inf)
    nearest = far.min(axis=0)
    return rays, nearest, np.where(np.isfinite(nearest), far.argmin(axis=0), -1)


def shoot(
    camera: OrbitCamera, scene: Sequence[Ball], *, size: tuple[int, int], sky: int
) -> dict[str, NDArray[np.float64]]:
    """Return all passes of a view as they are before they are encoded; rgb and mask in 0..1."""
    rays, far, which = trace(camera, scene, size=size, fine=1)
    matrix = world_from(camera)
    hit = which >= 0
    reach = np.where(hit, far, 0.0)
    points = np.where(hit[..., None], matrix[:3, 3] + rays * reach[..., None], 0.0)
    centres = np.array([ball.centre for ball in scene])[which]
    normals = points - centres
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    normals = np.where(hit[..., None], normals, 0.0)
    ahead = -(rays @ matrix[:3, 2]) * reach
    checker = np.sign(np.sin(9 * points[..., 0]) * np.sin(7 * points[..., 2] + 1))[..., None]
    tint = np.array([COLOURS[at % len(COLOURS)] for at in range(len(scene))])[which] / 255
    albedo = np.where(hit[..., None], tint * (0.75 + 0.25 * checker), 0.0)
    light = 0.35 + 0.65 * np.clip(normals @ np.array([0.3, 0.4, 0.866]), 0, None)[..., None]
    ground = 0.5 + 0.35 * np.sin(rays * (5, 7, 9) + (sky, 2 * sky, 1)) * np.cos(rays[..., ::-1] * 6)
    _, _, finer = trace(camera, scene, size=size, fine=FINE)
    parts = (finer[None] == np.arange(len(scene))[:, None, None]).reshape(
        len(scene), size[1], FINE, size[0], FINE
    )
    shares = parts.mean(axis=(2, 4))
    mask = shares.sum(axis=0)
    pixels = np.stack(np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5), -1)
    moved = {
        name: np.where(hit[..., None], project(points, turned(camera, degrees), size) - pixels, 0.0)
        for name, degrees in (("flow_forward", MOTION_DEG), ("flow_backward", -MOTION_DEG))
    }
    wholes = [trace(camera, [ball], size=size, fine=1)[2] >= 0 for ball in scene]
    return {
        "wholes": np.array(wholes),
        "rgb": ground * (1 - mask[..., None]) + np.clip(albedo * light, 0, 1) * mask[..., None],
        "mask": mask,
        "shares": shares,
        "depth": np.where(hit, ahead, np.inf),
        "distance": far,
        "normal": normals @ matrix[:3, :3],
        "normal_world": normals,
        "index": which + 1,
        "material": hit.astype(np.int64),
        **moved,
        "position": points,
        "albedo": albedo,
        "diffuse": albedo * light,
        "specular": np.where(hit[..., None], (1 - light) * (0.1, 0.1, 0.1), 0.0),
        "base_color": albedo,
        "roughness": np.where(hit, 0.4, 0.0),
        "metallic": np.where(which == 0, 0.1, 0.0),
        "emission": np.zeros_like(albedo),
        "transmission": np.zeros_like(far),
        "opacity": hit.astype(np.float64),
        "normal_geometry": normals @ matrix[:3, :3],
        "surface_valid": np.where(hit, sum(SURFACE_BITS.values()), 0),
        "uv": np.where(
            hit[..., None],
            np.stack(
                [np.arctan2(normals[..., 0], normals[..., 1]) / (2 * np.pi) + 0.5,
                 np.arcsin(np.clip(normals[..., 2], -1, 1)) / np.pi + 0.5], -1
            ),
            0.0,
        ),
    }  # fmt: skip


def turned(camera: OrbitCamera, degrees: float) -> OrbitCamera:
    return camera.model_copy(update={"yaw_deg": camera.yaw_deg + degrees})


def label_ball(
    scene: Sequence[Ball],
    at: int,
    shot: dict[str, NDArray[np.float64]],
    camera: OrbitCamera,
    size: tuple[int, int],
    model: Asset,
    *,
    whole: bool = False,
) -> ObjectLabel:
    """Return the box, pose and keypoints of one ball; also what is known of its silhouette."""
    ball, share = scene[at], shot["shares"][at]
    rows, columns = np.flatnonzero(share.any(axis=1)), np.flatnonzero(share.any(axis=0))
    centre = np.array(ball.centre)
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = project(centre + signs * ball.radius, camera, size)
    camera_from_world = np.linalg.inv(world_from(camera))
    pose = camera_from_world @ np.block([[np.eye(3), centre[:, None]], [np.zeros((1, 3)), 1]])
    top = centre + np.array([0.0, 0.0, ball.radius])
    told = silhouette_of(at, shot) if whole else {"visible_fraction": 1.0}
    return ObjectLabel(
        name=model.name if len(scene) == 1 else f"Ball.{at}",
        category=model.credit.category or "object",
        indices=(at + 1,),
        box_px=(
            float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
        ) if len(rows) else None,
        area_px=float(share.sum()),
        **told,
        truncation=0.0,
        camera_from_object=tuple(tuple(row) for row in pose.tolist()),
        size=(2 * ball.radius,) * 3,
        corners_px=tuple((u, v) for u, v in corners.tolist()),
        keypoints=(
            Keypoint(
                name="top",
                px=tuple(project(top, camera, size).tolist()),
                depth=float(-(camera_from_world @ (*top, 1.0))[2]),
                visible=True,
            ),
        ),
    )  # fmt: skip


def silhouette_of(at: int, shot: dict[str, NDArray[np.float64]]) -> dict[str, object]:
    """Return what a label tells of the whole silhouette of a ball."""
    mask, seen_of = shot["wholes"][at], shot["index"]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    hides = [
        Occluder(object=other, area_px=float(np.count_nonzero(mask & (seen_of == other + 1))))
        for other in range(len(shot["wholes"]))
        if other != at
    ]
    return {
        "visible_fraction": np.count_nonzero(mask & (seen_of == at + 1)) / max(mask.sum(), 1),
        "amodal_area_px": float(mask.sum()),
        "amodal_box_px": (
            float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
        ) if mask.any() else None,
        "occluders": tuple(
            sorted((each for each in hides if each.area_px), key=lambda each: -each.area_px)
        ),
    }  # fmt: skip


def encode_pass(
    name: PassName, shot: dict[str, NDArray[np.float64]], bit_depth: int, picture_format: str
) -> bytes:
    """Return the file of a pass."""
    import imagecodecs

    info = PASSES[name]
    if info.kind == "picture":
        top, dtype = (255, np.uint8) if bit_depth == 8 else (65535, np.uint16)
        pixels = np.round(np.clip(shot[name], 0, 1) * top).astype(dtype)
        if picture_format == "jxl":
            return bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
        return bytes(imagecodecs.png_encode(pixels))
    if info.kind == "integers":
        return bytes(imagecodecs.png_encode(shot[name].astype(np.uint16)))
    if name == "amodal":
        return encode_rows(runs_of(enumerate(shot["wholes"])))
    if info.kind == "cryptomatte":
        return encode_cryptomatte(shot["shares"])
    planes = np.atleast_3d(shot[name].astype(np.float32))
    return encode_exr({of: planes[..., at] for at, of in enumerate(info.channels)})


def encode_cryptomatte(shares: NDArray[np.float64]) -> bytes:
    """Return a Cryptomatte of one layer: the two objects with the largest share of each pixel."""
    names = [f"Ball.{at}" for at in range(len(shares))]
    hashes = [zlib.crc32(name.encode()) & 0x3FFFFFFF | 0x10000000 for name in names]  # no NaN
    ids = np.array(hashes, dtype=np.uint32).view(np.float32)
    order = np.argsort(-shares, axis=0, kind="stable")[:2]
    part = np.take_along_axis(shares, order, axis=0).astype(np.float32)
    who = np.where(part > 0, ids[order], np.float32(0))
    if len(shares) == 1:
        part, who = (np.concatenate([of, np.zeros_like(of)]) for of in (part, who))
    layer = "CryptoObject"
    key = f"cryptomatte/{zlib.crc32(layer.encode()):08x}"[:19]
    manifest = {name: f"{value:08x}" for name, value in zip(names, hashes, strict=True)}
    header = {
        f"{key}/name": layer,
        f"{key}/hash": "MurmurHash3_32",
        f"{key}/conversion": "uint32_to_float32",
        f"{key}/manifest": json.dumps(manifest),
    }
    planes = {"R": who[0], "G": part[0], "B": who[1], "A": part[1]}
    return encode_exr({f"{layer}00.{of}": plane for of, plane in planes.items()}, header)


def encode_exr(planes: dict[str, Floats], header: dict[str, str] | None = None) -> bytes:
    """Return an EXR with 32-bit channels, ZIP."""
    import tempfile

    import OpenEXR

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pass.exr"
        whole = {"compression": OpenEXR.ZIP_COMPRESSION, **(header or {})}
        OpenEXR.File(whole, {of: np.ascontiguousarray(p) for of, p in planes.items()}).write(
            str(path)
        )
        return path.read_bytes()


def give_lens(place: Path, lens: AnyLens) -> None:
    """Say of the views of a dataset that they were taken from where they were with this lens."""
    storage = FolderStorage(place)
    lines = []
    for view in farm.dataset.open(place):
        record = view.record
        pose = PoseCamera(world_from_camera=record.camera.world_from_camera, lens=lens)
        camera = recorded(pose, record.resolution_px)
        lines.append(record.model_copy(update={"camera": camera}).model_dump_json() + "\n")
    storage.put("views.jsonl", "".join(lines).encode())
