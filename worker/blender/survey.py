"""What a file's scene says of its time and its cameras, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bpy
from pydantic import ValidationError

from farm.spec.base import first_reason
from farm.spec.scene_facts import Baked, Cache, CameraCut, SceneFacts
from worker.blender import file_cameras, simulations
from worker.blender.camera import set_pixels
from worker.blender.formats import importers
from worker.blender.formats.alembic_time import seconds_of
from worker.blender.guards import disarm, file_access
from worker.blender.loader import USD, BroughtScene
from worker.blender.materials.emission import any_shines


class Survey(NamedTuple):
    """What was found in a scene."""

    facts: SceneFacts
    alone: bool
    """Nothing but the file's own bytes was looked at, nor may caches lie beside it."""


def survey(path: str, brought: BroughtScene) -> Survey:
    """Look into a scene, of which only the cameras are evaluated."""
    used = reachable_ids(brought.scene)
    alone = is_alone(path, used) and not any(simulations.all_of(brought.scene))
    return Survey(facts_of(brought, used), alone=alone)


def facts_of(brought: BroughtScene, used: list[bpy.types.ID]) -> SceneFacts:
    """Return what is known of a scene, which uses these data-blocks."""
    scene: Any = brought.scene
    unfit = unfit_cameras(scene, brought.time.start)
    fit = [name for name in file_cameras.names(scene) if name not in unfit]
    return SceneFacts(
        fps=brought.time.fps,
        frame_start=brought.time.start,
        frame_end=brought.time.end,
        is_still=brought.time.is_still,
        is_dark=is_dark(scene, used),
        cameras=tuple(fit),
        camera=main_camera(scene, fit),
        unfit_cameras=unfit,
        cuts=cuts_of(scene),
        clips=brought.clips.facts,
        simulations=simulations.found(scene),
        baked=tuple(
            Baked(name=name, frame_end=end) for name, end in simulations.baked(scene).items()
        ),
        caches=tuple(caches_of(scene, used)),
        whole_frames=simulations.by_whole_frames(scene),
        refused=(*refusals(used), *simulations.unusable(scene)),
        python_drivers=brought.python_drivers,
    )


def is_dark(scene: Any, used: list[bpy.types.ID]) -> bool:
    """Tell whether nothing gives light in a scene, which uses these data-blocks."""
    if scene.world is not None or any(isinstance(block, bpy.types.Light) for block in used):
        return False
    return not any_shines(block for block in used if isinstance(block, bpy.types.Material))


def main_camera(scene: Any, fit: list[str]) -> str | None:
    """Return the camera that a scene renders with: the one it names, or its only one."""
    name = scene.camera.name if scene.camera is not None else None
    if name is None and len(file_cameras.names(scene)) == 1:
        (name,) = file_cameras.names(scene)
    return name if name in fit else None


def reachable_ids(scene: bpy.types.Scene) -> list[bpy.types.ID]:
    """Return a scene with all that it uses."""
    used = disarm.reachable({scene.session_uid})
    return [block for block in disarm.all_ids() if block.session_uid in used]


def is_alone(path: str, used: list[bpy.types.ID]) -> bool:
    """Tell whether no other file has a say in what is known of a scene."""
    suffix = Path(path).suffix.lower()
    if suffix == ".gltf":  # whose times lie in buffers
        return False
    others = any(block.library or isinstance(block, bpy.types.CacheFile) for block in used)
    return suffix not in USD and not others


def unfit_cameras(scene: Any, start: int) -> dict[str, str]:
    """Return the cameras that labels cannot follow as they are in the first frame, and why.

    They are looked at in a scene of their own, which evaluates what moves them and nothing else.
    """
    bare: Any = bpy.data.scenes.new("cameras")
    bare.render.resolution_x, bare.render.resolution_y = 64, 48
    set_pixels(bare)
    cameras = [scene.objects[name] for name in file_cameras.names(scene)]
    for camera in cameras:
        bare.collection.objects.link(camera)
    bare.frame_set(start)
    unfit = {camera.name: why_unfit(bare, camera) for camera in cameras}
    bpy.data.scenes.remove(bare)
    return {name: reason for name, reason in unfit.items() if reason}


def why_unfit(scene: Any, camera: bpy.types.Object) -> str | None:
    """Return why labels cannot follow a camera; None where they can."""
    try:
        file_cameras.record_of(scene, camera)
    except ValidationError as error:
        return first_reason(error)
    except ValueError as error:
        return str(error)
    return None


def cuts_of(scene: Any) -> tuple[CameraCut, ...]:
    """Return the markers that switch cameras, by frame; the later of two on one frame counts."""
    cuts = {mark.frame: mark.camera.name for mark in scene.timeline_markers if mark.camera}
    return tuple(CameraCut(frame=frame, camera=cuts[frame]) for frame in sorted(cuts))


def refusals(used: list[bpy.types.ID]) -> Iterator[str]:
    """Say why no frame of a scene would be right, one sentence each."""
    for library in importers.missing_libraries(block for block in used if block.library):
        yield (
            f"the linked file {importers.file_name(library)} is missing: put it where the scene "
            "looks for it, or make what is linked local"
        )
    for cache in used:
        if isinstance(cache, bpy.types.CacheFile) and not is_there(cache):
            yield (
                f"the cache file {importers.file_name(cache.filepath)}, which moves things in it, "
                "is missing: put it where the scene looks for it"
            )


def caches_of(scene: Any, used: list[bpy.types.ID]) -> Iterator[Cache]:
    """Yield the files that move things in a scene, and for which of its frames they do.

    Those whose time is animated or lies in many files are left out.
    """
    fps = scene.render.fps / scene.render.fps_base
    stretch = scene.render.frame_map_old / scene.render.frame_map_new
    for cache in used:
        if not isinstance(cache, bpy.types.CacheFile) or not is_there(cache):
            continue
        if cache.is_sequence or cache.override_frame:
            continue
        path = Path(file_access.full_path(cache.filepath, cache))
        if frames := frames_of(path, fps):
            start, end = ((frame + cache.frame_offset) / stretch for frame in frames)
            yield Cache(name=path.name, frame_start=start, frame_end=end)


def frames_of(path: Path, fps: float) -> tuple[float, float] | None:
    """Return the first and last frame for which a file moves things; None where nobody knows."""
    if path.suffix.lower() in USD:
        from worker.blender.formats.usd_stage import time_of

        time = time_of(path)
        return None if time.is_still else (time.start, time.end)
    seconds = seconds_of(path)
    return None if seconds is None else (seconds[0] * fps, seconds[1] * fps)


def is_there(cache: bpy.types.CacheFile) -> bool:
    """Tell whether an Alembic or USD file that moves things can be read."""
    return file_access.is_readable(Path(file_access.full_path(cache.filepath, cache)))
