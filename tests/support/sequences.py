"""Sequences for tests: a square that moves and turns in front of a wall, seen by a moving camera.

Rays are cast at planes, so every label follows from geometry, also where flow can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.arrays import encode_rows, row_type
from farm.dataset.records.collect import FinishedRun, RunFacts, collect
from farm.projection import as_matrix, projected, rays
from farm.spec.camera import FileCamera
from farm.spec.label import IndexLabel, ObjectLabel
from farm.spec.moment import Moment
from farm.spec.passes import PASSES, PassName
from farm.spec.recipes.sequence import View
from farm.spec.record import CameraRecord, FileRecord, ViewRecord
from farm.storage import FolderStorage
from tests.builders import a_record, an_asset
from tests.support.datasets import encode_exr

Numbers = NDArray[np.float64]

SEQUENCE_PASSES: tuple[PassName, ...] = (
    "rgb", "mask", "depth", "normal", "index",
    "flow_forward", "flow_backward", "flow_forward_valid", "flow_backward_valid",
)  # fmt: skip
CARRIED_PASSES: tuple[PassName, ...] = (
    "scene_flow_forward", "scene_flow_backward", "scene_flow_forward_world",
    "scene_flow_backward_world", "occlusion_forward", "occlusion_backward",
    "out_of_frame_forward", "out_of_frame_backward",
)  # fmt: skip
SCENES = ("street", "harbour", "attic")
"""Titles of the scenes that sequences take in turn; each is a group of its own."""
COLOURS = ((120, 120, 130), (214, 69, 65))
TRACKED_PX = 8
"""From one tracked pixel of the first frame to the next."""
AGREE = 1e-6
"""Distance along the ray, relative, within which a surface is the same one in two frames."""


class Plate(NamedTuple):
    """A flat rectangle in the plane y = 0 of its own frame, seen from its -y side."""

    name: str
    sides: tuple[float, float]
    """Along x and z."""
    world_from_object: Numbers
    """(4, 4)."""


class Shot(NamedTuple):
    """What the rays of one frame meet."""

    index: NDArray[np.intp]
    """(...): 0 is the sky, plates count from 1."""
    local: Numbers
    """(..., 3), of the point that is met, in the frame of its plate; 0 in the sky."""
    depth: Numbers
    """(...), along the camera's axis; inf in the sky."""


def write_sequences(
    folder: Path,
    *,
    sequences: int = 2,
    frames: int = 4,
    passes: Sequence[PassName] = SEQUENCE_PASSES,
    size: tuple[int, int] = (64, 64),
    fps: float = 24.0,
    metres_per_unit: float = 1.0,
    grain: float = 0.0,
) -> list[ViewRecord]:
    """Write a whole dataset of sequences: folders, names and records as the recipe has them.

    Args:
        folder: Where to.
        sequences: How many; they take scenes in turn, and each moves in its own way.
        frames: Of each; their numbers count from 1.
        passes: Those that the frames have.
        size: (width, height), pixels.
        fps: Frames per second.
        metres_per_unit: Of the records.
        grain: Deviation of the noise in pictures, 0..1.
    """
    storage = FolderStorage(folder)
    records = []
    for which in range(sequences):
        for place in range(frames):
            record, files = make_frame(
                which, place, frames=frames, passes=passes, size=size, fps=fps,
                metres_per_unit=metres_per_unit, grain=grain,
            )  # fmt: skip
            for name, data in files.items():
                storage.put(record.files[name].path, data)
            record = record.model_copy(
                update={"view": record.view.model_copy(update={"index": len(records)})}
            )
            records.append(record)
    lines = "".join(record.model_dump_json() + "\n" for record in records)
    storage.put(".records/frames.jsonl", lines.encode())
    facts = RunFacts(name=folder.name, spec={"name": folder.name}, tasks=sequences, seconds=1.0)
    collect(storage, "", FinishedRun(facts, is_complete=lambda _task: True, report=print))
    return records


def make_frame(
    which: int,
    place: int,
    *,
    frames: int,
    passes: Sequence[PassName],
    size: tuple[int, int],
    fps: float,
    metres_per_unit: float,
    grain: float = 0.0,
) -> tuple[ViewRecord, dict[PassName, bytes]]:
    """Return one frame and the bytes of its files."""
    scene = an_asset(f"{SCENES[which % len(SCENES)]}.blend", kind="scene")
    lap = which // len(SCENES)
    first = 1 + lap * frames
    sequence = f"{scene.title}/001-{first:05d}-{first + frames - 1:05d}"
    number = first + place
    view = View(
        index=0,
        name=f"{sequence.replace('/', '-')}-{number:06d}",
        camera=FileCamera(name="Camera"),
        frame=float(number),
        seed=number,
        moment=Moment(
            sequence=sequence, place=place, of=frames, number=number, fps=fps, time_s=place / fps
        ),
    )  # fmt: skip
    arrays = labels(which, place, size, frames=frames, grain=grain)
    files = {name: encoded(name, arrays[name]) for name in passes}
    camera = camera_at(which, place, size)
    record = a_record(
        view,
        files=files,
        assets=(scene,),
        title=f"{scene.title} · {sequence.partition('/')[2]}",
        group=scene.content,
        task_id=f"{sequence.replace('/', '-')}-0000",
        resolution_px=size,
        camera=camera,
        coverage=float((arrays["index"] > 0).mean()),
        metres_per_unit=metres_per_unit,
        objects=tuple(
            label_plate(plate, at, camera, arrays["index"])
            for at, plate in enumerate(plates_at(which, place), start=1)
        ),
        indices=tuple(
            IndexLabel(index=at, name=plate.name, category="object", colour=COLOURS[at - 1])
            for at, plate in enumerate(plates_at(which, place), start=1)
        ),
    )
    found = {
        name: FileRecord(
            path=view.path_of(name, picture_format="png"),
            sha256=file.sha256,
            size_bytes=file.size_bytes,
        )
        for name, file in record.files.items()
    }
    return record.model_copy(update={"files": found}), files


def camera_at(which: int, place: float, size: tuple[int, int]) -> CameraRecord:
    """Return the camera of a frame: it looks along +Y, moves to the right and turns a bit."""
    turn = np.radians(0.5 * (which + 1) * place)
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    focal = float(max(size))
    return CameraRecord(
        world_from_camera=(
            (cos, 0.0, sin, 0.06 * place),
            (sin, 0.0, -cos, 0.0),
            (0.0, 1.0, 0.0, 0.02 * place),
            (0.0, 0.0, 0.0, 1.0),
        ),
        fx_px=focal, fy_px=focal, cx_px=size[0] / 2, cy_px=size[1] / 2,
    )  # fmt: skip


def plates_at(which: int, place: float) -> tuple[Plate, Plate]:
    """Return what stands in the scene at a frame: the wall, which ends inside the picture, and
    the square, which slides, comes nearer and turns in its plane."""
    wall = pose(0.0, (0.0, 5.0, 0.0))
    speed = 0.12 + 0.06 * which
    square = pose(8.0 * place, (-0.3 + speed * place, 3.0 - 0.05 * place, 0.1))
    return Plate("Wall", (4.4, 4.4), wall), Plate("Square", (1.2, 1.2), square)


def pose(turn_deg: float, place: tuple[float, float, float]) -> Numbers:
    """Return a turn about y, and a shift."""
    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    x, y, z = place
    return np.array([[cos, 0, sin, x], [0, 1, 0, y], [-sin, 0, cos, z], [0, 0, 0, 1]])


def cast(which: int, place: float, camera: CameraRecord, directions: Numbers) -> Shot:
    """Return what rays of a frame's camera meet.

    Args:
        which: Number of the sequence.
        place: The frame, from 0.
        camera: Its camera.
        directions: (..., 3) in the frame of the camera, of any length; NaN meets nothing.
    """
    matrix = np.array(camera.world_from_camera)
    world = directions @ matrix[:3, :3].T
    nearest = np.full(directions.shape[:-1], np.inf)
    index = np.zeros(directions.shape[:-1], dtype=np.intp)
    local = np.zeros_like(directions)
    for at, plate in enumerate(plates_at(which, place), start=1):
        inverse = np.linalg.inv(plate.world_from_object)
        origin = inverse[:3, :3] @ matrix[:3, 3] + inverse[:3, 3]
        along = world @ inverse[:3, :3].T
        with np.errstate(divide="ignore", invalid="ignore"):
            far = -origin[1] / along[..., 1]
            point = origin + along * far[..., None]
        half = np.array(plate.sides) / 2
        with np.errstate(invalid="ignore"):
            hit = (far > 0) & (np.abs(point[..., ::2]) <= half).all(axis=-1) & (far < nearest)
        nearest = np.where(hit, far, nearest)
        index = np.where(hit, at, index)
        local = np.where(hit[..., None], point, local)
    with np.errstate(invalid="ignore"):
        depth = np.where(index > 0, -directions[..., 2] * nearest, np.inf)
    return Shot(index, local, depth)


def labels(
    which: int, place: int, size: tuple[int, int], *, frames: int, grain: float = 0.0
) -> dict[PassName, NDArray[Any]]:
    """Return all passes of a frame as a dataset's reader gives them."""
    camera = camera_at(which, place, size)
    directions = rays(camera, size).directions
    shot = cast(which, place, camera, directions)
    matrices = np.array([np.eye(4), *(p.world_from_object for p in plates_at(which, place))])
    facing = -matrices[shot.index][..., :3, 1] @ np.array(camera.world_from_camera)[:3, :3]
    there = shot.index > 0
    forward, forward_valid = flow(which, place, place + 1, shot, size)
    backward, backward_valid = flow(which, place, place - 1, shot, size)
    following = place + 1 if place < frames - 1 else None
    before = place - 1 if place > 0 else None
    noise = np.random.default_rng(place).normal(0, 255 * grain, (*shot.index.shape, 3))
    return {
        "rgb": np.clip(picture(shot, directions) + noise, 0, 255).astype(np.uint8),
        "mask": there.astype(np.uint8) * 255,
        "depth": shot.depth.astype(np.float32),
        "normal": np.where(there[..., None], facing, 0.0).astype(np.float32),
        "index": shot.index.astype(np.uint16),
        "flow_forward": forward,
        "flow_backward": backward,
        "flow_forward_valid": forward_valid * (place < frames - 1),
        "flow_backward_valid": backward_valid * (place > 0),
        "tracks": tracks(which, place, camera, size),
        **in_space(which, place, following, shot, size, side="forward"),
        **in_space(which, place, before, shot, size, side="backward"),
    }


def picture(shot: Shot, directions: Numbers) -> NDArray[np.uint8]:
    """Return pixels (..., 3): a pattern that sticks to each plate, and a sky of one colour."""
    base = np.array([(90, 140, 220), *COLOURS])[shot.index]
    x, z = shot.local[..., 0], shot.local[..., 2]
    shade = 0.8 + 0.2 * np.sin(6.0 * x) * np.cos(5.0 * z)
    return np.round(base * shade[..., None]).astype(np.uint8)


def flow(
    which: int, place: int, other: int, shot: Shot, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return where points go until another frame (H, W, 2), and 255 where they are seen there.

    Cycles knows of the frames before the first and after the last one; the dataset has none.
    """
    target, ahead = carried(which, other, shot, size)
    pixels = np.stack(np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5), -1)
    camera = camera_at(which, other, size)
    assert camera.fx_px is not None
    across = (target - (camera.cx_px, camera.cy_px)) / camera.fx_px
    back = np.stack([across[..., 0], -across[..., 1], -np.ones(across.shape[:-1])], -1)
    found = cast(which, other, camera, back)
    inside = ((target >= 0) & (target < size)).all(axis=-1)
    seen = (shot.index > 0) & inside & (found.index == shot.index)
    with np.errstate(invalid="ignore"):
        seen &= np.abs(found.depth - ahead) <= AGREE * ahead
    moved = np.where((shot.index > 0)[..., None], target - pixels, 0.0)
    return moved.astype(np.float32), seen.astype(np.uint8) * 255


def in_space(
    which: int, place: int, other: int | None, shot: Shot, size: tuple[int, int], *, side: str
) -> dict[PassName, NDArray[Any]]:
    """Return the passes of points that are carried to a neighbouring frame, if there is one."""
    names: list[PassName] = [name for name in CARRIED_PASSES if side in name]
    gone = np.full((*shot.index.shape, 3), np.nan, np.float32)
    nowhere = np.zeros(shot.index.shape, np.uint8)
    if other is None:
        return dict(zip(names, (gone, gone, nowhere, nowhere), strict=True))
    one, two = world_of(which, place, shot), world_of(which, other, shot)
    local = [
        (world - np.array(camera.world_from_camera)[:3, 3])
        @ np.array(camera.world_from_camera)[:3, :3]
        for world, camera in (
            (one, camera_at(which, place, size)), (two, camera_at(which, other, size))
        )
    ]  # fmt: skip
    target, _ = carried(which, other, shot, size)
    there = shot.index > 0
    inside = ((target >= 0) & (target < size)).all(axis=-1) & there
    seen = flow(which, place, other, shot, size)[1] > 0
    found = (
        np.where(there[..., None], local[1] - local[0], np.nan).astype(np.float32),
        np.where(there[..., None], two - one, np.nan).astype(np.float32),
        (inside & ~seen).astype(np.uint8) * 255,
        (there & ~inside).astype(np.uint8) * 255,
    )
    return dict(zip(names, found, strict=True))


def world_of(which: int, place: int, shot: Shot) -> Numbers:
    """Return where points of plates are in the world in a frame (..., 3)."""
    matrices = np.array([np.eye(4), *(p.world_from_object for p in plates_at(which, place))])
    of = matrices[shot.index]
    return np.einsum("...ij,...j->...i", of[..., :3, :3], shot.local) + of[..., :3, 3]


def carried(which: int, other: int, shot: Shot, size: tuple[int, int]) -> tuple[Numbers, Numbers]:
    """Return where points of plates are in another frame: (..., 2) pixels, and their depth."""
    world = world_of(which, other, shot)
    camera = camera_at(which, other, size)
    inverse = np.linalg.inv(np.array(camera.world_from_camera))
    points = world @ inverse[:3, :3].T + inverse[:3, 3]
    return projected(points, camera), -points[..., 2]


def tracks(which: int, place: int, camera: CameraRecord, size: tuple[int, int]) -> NDArray[Any]:
    """Return the tracks of a frame: of points of plates that the first frame shows."""
    begin = camera_at(which, 0, size)
    some = slice(TRACKED_PX // 2, None, TRACKED_PX)
    start = cast(which, 0, begin, rays(begin, size).directions[some, some].reshape(-1, 3))
    start = Shot(*(each[start.index > 0] for each in start))
    px, ahead = carried(which, place, start, size)
    assert camera.fx_px is not None
    across = (px - (camera.cx_px, camera.cy_px)) / camera.fx_px
    along = np.stack([across[..., 0], -across[..., 1], -np.ones(across.shape[:-1])], -1)
    found = cast(which, place, camera, along)
    seen = (found.index == start.index) & (np.abs(found.depth - ahead) <= AGREE * ahead)
    rows = np.zeros(len(px), row_type(PASSES["tracks"].columns))
    matrix = np.array(camera.world_from_camera)
    rows["id"] = np.arange(len(px))
    rows["px"], rows["depth"] = px, ahead
    rows["world"] = (along * ahead[:, None]) @ matrix[:3, :3].T + matrix[:3, 3]
    rows["visible"] = seen & ((px >= 0) & (px < size)).all(axis=-1)
    return rows


def label_plate(plate: Plate, index: int, camera: CameraRecord, seen: NDArray[Any]) -> ObjectLabel:
    """Return the box and pose of a plate."""
    mask = seen == index
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    matrix = np.linalg.inv(np.array(camera.world_from_camera)) @ plate.world_from_object
    half = np.array([plate.sides[0], 0.0, plate.sides[1]]) / 2
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = projected(signs * half @ matrix[:3, :3].T + matrix[:3, 3], camera)
    return ObjectLabel(
        name=plate.name,
        asset=0,
        category="object",
        indices=(index,),
        box_px=(
            float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
        ) if len(rows) else None,
        area_px=float(mask.sum()),
        visible_fraction=None,
        truncation=0.0,
        camera_from_object=as_matrix(matrix),
        size=(plate.sides[0], 0.0, plate.sides[1]),
        corners_px=tuple((u, v) for u, v in corners.tolist()),
    )  # fmt: skip


def encoded(name: PassName, array: NDArray[Any]) -> bytes:
    """Return the file of a pass."""
    import imagecodecs

    info = PASSES[name]
    if info.kind == "arrays":
        return encode_rows(array)
    if info.kind != "floats":
        return bytes(imagecodecs.png_encode(np.ascontiguousarray(array)))
    planes = np.atleast_3d(array)
    return encode_exr({of: planes[..., at] for at, of in enumerate(info.channels)})
