"""Animation of glTF as the format means it: cubic tangents, the shortest arc, times in seconds.

Blender's importer takes the values of cubic keys and makes up their tangents, and blends the
numbers of two rotations. It is given more keys instead, which it brings through its changes of
coordinates: the control points of cubic segments, and rotations along the arc.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from worker.blender.curves import curves_of

IMPORT_FPS = 24.0
"""Frames per second of the scene that the importer fills. It reads others wrong, unless they are
whole numbers."""
STEEPEST_RAD = np.radians(8.0)
"""Widest turn between two keys; half-way Blender is then off by less than 1e-4 of a degree."""
POINTS = 3
"""Control points of a cubic key: its left handle, itself, its right handle."""

Numbers = NDArray[np.float64]


def prepare(gltf: Any, read: Any) -> None:
    """Give the importer keys that leave nothing to be made up.

    Args:
        gltf: The importer's file.
        read: Returns the numbers of an accessor.
    """
    for animation in gltf.data.animations or ():
        turning = [each for each in animation.channels if each.target.path == "rotation"]
        for channel in turning:
            bend_to_the_arc(gltf, read, animation, channel)
        for sampler in animation.samplers:
            if sampler.interpolation == "CUBICSPLINE":
                spread_handles(gltf, read, sampler)


def bend_to_the_arc(gltf: Any, read: Any, animation: Any, channel: Any) -> None:
    """Add keys to a rotation so that Blender goes along the arc from one to the next."""
    sampler = animation.samplers[channel.sampler]
    if sampler.interpolation not in (None, "LINEAR"):
        return
    times, turns = numbers(read, sampler.input)[:, 0], numbers(read, sampler.output)
    if len(times) != len(turns):
        return
    own = copy.copy(sampler)
    more_times, more_turns = along_the_arc(times, turns)
    own.input = put(gltf, more_times[:, None])
    own.output = put(gltf, more_turns)
    animation.samplers.append(own)
    channel.sampler = len(animation.samplers) - 1


def along_the_arc(times: Numbers, turns: Numbers) -> tuple[Numbers, Numbers]:
    """Return keys of a rotation (N), (N, 4), with more of them where it turns far."""
    all_times, all_turns = [times[:1]], [turns[:1]]
    for at in range(1, len(times)):
        start, end = turns[at - 1], turns[at]
        if start @ end < 0:
            start = -start
        half = np.arccos(np.clip(start @ end / lengths(start, end), -1.0, 1.0))
        count = max(1, int(np.ceil(2 * half / STEEPEST_RAD)))
        parts = np.arange(1, count + 1) / count
        all_times.append(times[at - 1] + parts * (times[at] - times[at - 1]))
        all_turns.append(arc(start, end, half, parts))
    return np.concatenate(all_times), np.concatenate(all_turns)


def lengths(start: Numbers, end: Numbers) -> float:
    """Return the product of the lengths of two rotations, which a file may have other than 1."""
    return max(float(np.linalg.norm(start) * np.linalg.norm(end)), 1e-12)


def arc(start: Numbers, end: Numbers, half: float, parts: Numbers) -> Numbers:
    """Return rotations between two that are `2 * half` apart."""
    if np.sin(half) < 1e-6:
        return start + parts[:, None] * (end - start)
    first, last = np.sin((1 - parts) * half), np.sin(parts * half)
    found: Numbers = (first[:, None] * start + last[:, None] * end) / np.sin(half)
    return found


def spread_handles(gltf: Any, read: Any, sampler: Any) -> None:
    """Turn the tangents of cubic keys into points, until `gather_handles`."""
    times, found = numbers(read, sampler.input)[:, 0], numbers(read, sampler.output)
    if not len(times) or found.size % (POINTS * len(times)):
        return
    before, values, after = np.moveaxis(found.reshape(len(times), POINTS, -1), 1, 0)
    gaps = np.diff(times)
    left, right = np.array([*gaps[:1], *gaps]) / 3, np.array([*gaps, *gaps[-1:]]) / 3
    if not len(gaps):
        left = right = np.full(1, 1 / 3)
    points = (values - before * left[:, None], values, values + after * right[:, None])
    spread = np.zeros((POINTS * len(times), POINTS, values.shape[1]))
    spread[:, 1] = np.stack(points, axis=1).reshape(POINTS * len(times), -1)
    sampler.input = put(gltf, np.stack((times - left, times, times + right), axis=1).reshape(-1, 1))
    sampler.output = put(gltf, spread.reshape(-1, found.shape[1]))


def numbers(read: Any, accessor: int) -> Numbers:
    """Return what an accessor holds."""
    return np.array(read(accessor), dtype=np.float64)


def put(gltf: Any, values: Numbers) -> int:
    """Let the importer find numbers under an accessor that is in no file; return which."""
    index = len(gltf.data.accessors) + len(gltf.accessor_cache)
    while index in gltf.accessor_cache:
        index += 1
    gltf.accessor_cache[index] = values.tolist()
    return index


def stop_tracks() -> None:
    """Let nothing act that the importer has also put into a track."""
    for block in bpy.data.user_map():
        for owner in (block, getattr(block, "node_tree", None)):
            animation: Any = getattr(owner, "animation_data", None)
            if animation is not None and animation.nla_tracks:
                animation.action = None


def gather_handles(actions: Iterable[bpy.types.Action], *, fps: float) -> None:
    """Make keys with handles of the points that `spread_handles` made, in frames of `fps`."""
    for action in actions:
        for curve in curves_of(action):
            stretch(curve, fps / IMPORT_FPS)


def stretch(curve: bpy.types.FCurve, factor: float) -> None:
    """Scale the times of a curve; where it is cubic, each three keys become one."""
    keys: Any = curve.keyframe_points
    flat = np.empty(2 * len(keys), dtype=np.float32)
    keys.foreach_get("co", flat)
    points = flat.reshape(-1, 2)
    points[:, 0] *= factor
    if len(keys) and keys[0].interpolation == "BEZIER" and len(keys) % POINTS == 0:
        set_cubic(keys, points.reshape(-1, POINTS, 2))
    else:
        keys.foreach_set("co", flat)
    curve.update()


def set_cubic(keys: Any, points: NDArray[np.float32]) -> None:
    """Set the keys of a curve: (N, 3, 2), left handle, key, right handle."""
    enums = bpy.types.Keyframe.bl_rna.properties
    kinds: Any = enums["interpolation"]
    handles: Any = enums["handle_left_type"]
    keys.clear()
    keys.add(len(points))
    keys.foreach_set("interpolation", [kinds.enum_items["BEZIER"].value] * len(points))
    for side in ("handle_left_type", "handle_right_type"):
        keys.foreach_set(side, [handles.enum_items["FREE"].value] * len(points))
    for place, name in enumerate(("handle_left", "co", "handle_right")):
        keys.foreach_set(name, np.ascontiguousarray(points[:, place]).ravel())
