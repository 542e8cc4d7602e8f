"""From a maker's task to the poses of its sequences' cameras, and the file that keeps them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from farm.errors import AssetError
from farm.spec.camera import PoseCamera
from farm.spec.recipes.sequence import (
    AnyPath,
    DollyPath,
    OrbitPath,
    PanPath,
    RandomWalkPath,
    Setup,
    Take,
    TrajectoryPath,
)
from farm.spec.task import RenderTask
from worker.recipes.paths.guard import Fault, Guard
from worker.recipes.paths.kinds import dollies, orbits, pans, trajectories
from worker.recipes.paths.lens import lens_of
from worker.recipes.paths.scene import Points, Scene
from worker.recipes.paths.walk import walks

FILE = "paths.json"
MOST_COURSES = 250
"""Courses that are looked at before a path is given up."""
DIGITS = 12
REMEDIES = {
    "orbit": "give it another radius, height or target",
    "pan": "give it another position or target",
    "dolly": "give it another position or target, or fewer frames, or a lower speed",
    "random_walk": "give it another target, a lower speed, or fewer frames",
    "trajectory": "change the poses of its file",
}


def lay_paths(task: RenderTask, scene: Scene) -> dict[int, Points]:
    """Return the poses (frames, 4, 4) of each sequence of a maker, by its place.

    Raises:
        AssetError: There is no free path.
    """
    setup = task.setup
    assert isinstance(setup, Setup)
    assert setup.path is not None
    return {take.place: lay_path(task, setup.path, take, scene) for take in setup.takes}


def lay_path(task: RenderTask, path: AnyPath, take: Take, scene: Scene) -> Points:
    """Return the poses (frames, 4, 4) of one sequence.

    Raises:
        AssetError: There is no free path.
    """
    guard = Guard(scene, take, path, lens_of(path.lens, task.render.resolution_px, path.clip_start))
    if isinstance(path, RandomWalkPath):
        for course in walks(path, guard, stream(task, take, "walk")):
            return course
        raise no_path(path, guard, None)
    fault: Fault | None = None
    for number, course in enumerate(courses(task, path, take, guard)):
        if number == MOST_COURSES:
            break
        fault = guard.fault(course, seen_at=seen_at(path, take))
        if fault is None:
            return course
    raise no_path(path, guard, fault)


def courses(task: RenderTask, path: AnyPath, take: Take, guard: Guard) -> Iterator[Points]:
    """Yield what a path may be, the best first."""
    rng = stream(task, take, path.kind)
    if isinstance(path, OrbitPath):
        yield from orbits(path, guard, rng)
    elif isinstance(path, PanPath):
        yield from pans(path, guard, rng)
    elif isinstance(path, DollyPath):
        yield from dollies(path, guard, rng)
    elif isinstance(path, TrajectoryPath):
        assert isinstance(task.setup, Setup)
        start = min(each.first for each in task.setup.takes)
        yield trajectories(path, guard, start, task.setup.fps)


def seen_at(path: AnyPath, take: Take) -> range | None:
    """Return in which frames the target is to be seen; None: in all."""
    if isinstance(path, PanPath):
        return range(take.frames // 2, take.frames // 2 + 1)
    if isinstance(path, TrajectoryPath) and path.target is None:
        return range(0)
    return None


def stream(task: RenderTask, take: Take, aspect: str) -> np.random.Generator:
    """Return the random stream of one aspect of a sequence's path."""
    assert isinstance(task.setup, Setup)
    content = int(task.assets[0].content[:15], 16)
    return np.random.default_rng(
        [task.setup.seed, content, take.place, zlib.crc32(aspect.encode())]
    )


def no_path(path: AnyPath, guard: Guard, fault: Fault | None) -> AssetError:
    """Say that nothing is free, and what to do."""
    words = path.kind.replace("_", " ")
    told = "nowhere is there a free place for a camera that sees its target"
    if fault is not None:
        when = guard.take.moment(fault.place)
        told = f"at frame {when:g} the camera {fault.reason}"
    elif isinstance(path, RandomWalkPath):
        told = "it is blocked, or loses its target, wherever it begins"
    elif isinstance(path, DollyPath):
        told = "its way is longer than that from a free place to its target"
    return AssetError(
        guard.scene.path,
        f"there is no free path for its camera ({words}): {told}; {REMEDIES[path.kind]}, or lower "
        f"its clip_start ({path.clip_start:g})",
    )


def write_paths(folder: Path, paths: dict[int, Points]) -> None:
    """Write the poses of sequences into a folder."""
    kept = {str(place): np.round(poses[:, :3], DIGITS).tolist() for place, poses in paths.items()}
    (folder / FILE).write_text(json.dumps({"world_from_camera": kept}), encoding="utf-8")


def read_path(folder: Path, setup: Setup) -> tuple[PoseCamera, ...]:
    """Return the camera at each frame of the sequence that a task's frames are of."""
    assert setup.path is not None
    data = json.loads((folder / FILE).read_text(encoding="utf-8"))
    lens = setup.path.lens
    return tuple(
        PoseCamera(world_from_camera=(*rows, (0.0, 0.0, 0.0, 1.0)), lens=lens)
        for rows in data["world_from_camera"][str(setup.take)]
    )
