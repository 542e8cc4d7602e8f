"""What Blender's importer of FBX leaves to be done: what is hidden, and angles that leap."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy
from mathutils import Euler

from worker.blender.curves import bags_of
from worker.blender.guards.disarm import hide

ANGLES, AXES = "rotation_euler", 3


def hide_hidden(objects: Iterable[bpy.types.Object]) -> None:
    """Keep what the file hides out of the render, with all below it, as FBX has it."""
    hide(item for item in objects if any(each.hide_viewport for each in (item, *above(item))))


def unwind(actions: Iterable[bpy.types.Action]) -> None:
    """Let angles of objects run on where the importer has them leap by a turn from key to key.

    At the keys nothing changes; between two of them things would spin.
    """
    for action in actions:
        found: dict[str, list[Any]] = {}
        for bag in bags_of(action):
            for curve in bag.fcurves:
                if curve.data_path.endswith(ANGLES):
                    found.setdefault(f"{bag.slot_handle} {curve.data_path}", []).append(curve)
        for curves in found.values():
            if len({len(curve.keyframe_points) for curve in curves}) == 1 and len(curves) == AXES:
                run_on(sorted(curves, key=lambda curve: curve.array_index))


def run_on(curves: list[Any]) -> None:
    """Choose the angles of each key that are nearest to those of the key before."""
    last: Euler | None = None
    for keys in zip(*(curve.keyframe_points for curve in curves), strict=True):
        angles = Euler([key.co[1] for key in keys])
        if last is not None:
            angles.make_compatible(last)
        last = angles
        for axis, key in enumerate(keys):
            key.co[1] = angles[axis]
    for curve in curves:
        curve.update()


def above(item: bpy.types.Object) -> list[bpy.types.Object]:
    """Return an object's parent, and that one's, and so on."""
    chain: list[bpy.types.Object] = []
    parent = item.parent
    while parent is not None:
        chain.append(parent)
        parent = parent.parent
    return chain
