"""What a file from a stranger may not do: run code, light the scene, or outgrow the memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import bpy
import numpy as np

MAX_FACES = 200_000_000
"""Modifiers that would make more faces than this are not evaluated."""
SHORTEST_STEP = 1e-6
"""Between the copies of an array that is as long as it says; below, Blender makes one."""
ENDLESS = 1e15
"""Copies, for lengths that are not numbers."""


def all_ids() -> list[bpy.types.ID]:
    """Return every data-block there is."""
    return list(bpy.data.user_map())


def disarm(ids: Iterable[bpy.types.ID], *, opened: bpy.types.Scene | None = None) -> None:
    """Take out of data-blocks what could run or write: scripted drivers, texts, worlds.

    The scene that is `opened` keeps its world and its camera, since it is rendered itself.
    """
    for block in ids:
        for owner in (block, getattr(block, "node_tree", None)):
            if isinstance(owner, bpy.types.ID):
                remove_scripted_drivers(owner)
        if isinstance(block, bpy.types.Scene):
            clear_strips(block)
            if block != opened:
                empty_scene(block)
        if isinstance(block, bpy.types.Text):
            block.clear()
            block.use_module = False


def remove_scripted_drivers(owner: bpy.types.ID) -> None:
    """Remove the drivers whose expression needs Python; sums and products stay."""
    animation = getattr(owner, "animation_data", None)
    if animation is None:
        return
    for curve in list(animation.drivers):
        if needs_python(curve):
            animation.drivers.remove(curve)


def needs_python(curve: bpy.types.FCurve) -> bool:
    """Tell whether a driver's expression needs Python."""
    driver: Any = curve.driver  # which all drivers have
    return driver.type == "SCRIPTED" and (driver.use_self or not driver.is_simple_expression)


def scripted_drivers(ids: Iterable[bpy.types.ID]) -> Iterator[str]:
    """Name what Python would drive of data-blocks: `Cube: location[0]`."""
    for block in ids:
        for owner in (block, getattr(block, "node_tree", None)):
            animation = getattr(owner, "animation_data", None)
            for curve in animation.drivers if animation is not None else ():
                if needs_python(curve) and not curve.mute:
                    yield f"{block.name}: {place_of(owner, curve)}"


def place_of(owner: Any, curve: bpy.types.FCurve) -> str:
    """Return what a curve drives: `location[0]`, or `energy` where it is a single number."""
    try:
        several = hasattr(owner.path_resolve(curve.data_path), "__len__")
    except ValueError:
        several = False
    return f"{curve.data_path}[{curve.array_index}]" if several else curve.data_path


def stop_motion(ids: Iterable[bpy.types.ID]) -> None:
    """Take the animation from data-blocks, which keep what it made of them last; drivers stay."""
    for block in ids:
        for owner in (block, getattr(block, "node_tree", None)):
            animation = getattr(owner, "animation_data", None)
            if animation is not None:
                animation.use_nla = False
                animation.action = None


def empty_scene(scene: bpy.types.Scene) -> None:
    """Leave of a file's own scene only what drivers may point at; it is never rendered."""
    scene.world = None
    scene.camera = None


def clear_strips(scene: bpy.types.Scene) -> None:
    """Remove what a scene edits of pictures, films and sounds."""
    if scene.sequence_editor is not None:
        scene.sequence_editor_clear()


def switch_off_lights(objects: Iterable[bpy.types.Object]) -> None:
    """Keep lamps out of the render, also those inside of instanced collections."""
    hide(item for item in objects if item.type == "LIGHT")


def hide_compositing_aids(objects: Iterable[bpy.types.Object]) -> None:
    """Keep holdouts and shadow catchers out: they put holes and shadows into the mask."""
    aids = (item for item in objects if item.is_holdout or item.is_shadow_catcher)
    hide(item for item in aids if item.type != "LIGHT")  # which all claim to catch shadows


def hide(objects: Iterable[bpy.types.Object]) -> None:
    """Keep objects out of the render."""
    for item in objects:
        item.hide_render = True


def oversized(objects: Iterable[bpy.types.Object]) -> Iterator[tuple[str, int]]:
    """Yield (name, faces) of the objects that modifiers would blow up beyond `MAX_FACES`."""
    for item in objects:
        faces = expected_faces(item)
        if faces > MAX_FACES:
            yield item.name, faces


def expected_total(objects: Iterable[bpy.types.Object]) -> int:
    """Estimate the faces of objects after their modifiers; a mesh that has none counts once."""
    bare: dict[bpy.types.ID, int] = {}
    total = 0
    for item in objects:
        if item.modifiers or item.data is None:
            total += expected_faces(item)
        else:
            bare[item.data] = expected_faces(item)
    return total + sum(bare.values())


def expected_faces(item: bpy.types.Object) -> int:
    """Estimate the faces of an object after its modifiers, without evaluating them."""
    faces = len(item.data.polygons) if isinstance(item.data, bpy.types.Mesh) else 0
    for modifier in item.modifiers:
        if not modifier.show_render:
            continue
        if isinstance(modifier, bpy.types.ArrayModifier):
            faces *= copies(modifier, item)
        elif isinstance(modifier, bpy.types.SubsurfModifier | bpy.types.MultiresModifier):
            faces *= 4**modifier.render_levels
    return faces


def copies(array: bpy.types.ArrayModifier, item: bpy.types.Object) -> int:
    """Estimate how often an array repeats an object; along a curve it tells nothing before."""
    if array.fit_type == "FIXED_COUNT":
        return max(1, array.count)
    if array.fit_type != "FIT_LENGTH":
        return 1
    corners = np.array(item.bound_box)
    step = np.zeros(3)
    if array.use_relative_offset:
        step += np.array(array.relative_offset_displace) * np.ptp(corners, axis=0)
    if array.use_constant_offset:
        step += np.array(array.constant_offset_displace)
    length = float(np.linalg.norm(step))
    if length <= SHORTEST_STEP:
        return 1
    return int(max(0.0, min(ENDLESS, array.fit_length / length))) + 1


def reachable(ids: set[int]) -> set[int]:
    """Return the session ids of data-blocks, and of all that they use."""
    uses: dict[int, list[bpy.types.ID]] = {}
    waiting = []
    for block, users in bpy.data.user_map().items():
        for user in users:
            uses.setdefault(user.session_uid, []).append(block)
        if block.session_uid in ids:
            waiting.append(block)
    found = set(ids)
    while waiting:
        block = waiting.pop()
        library = [block.library] if block.library is not None else []
        for other in (*uses.get(block.session_uid, ()), *library):
            if other.session_uid not in found:
                found.add(other.session_uid)
                waiting.append(other)
    return found


def keep_only(kept: set[int]) -> None:
    """Remove every data-block whose session id is not in `kept`."""
    doomed = [
        block
        for block in all_ids()
        if block.session_uid not in kept and not isinstance(block, bpy.types.Key)
    ]
    bpy.data.batch_remove(doomed)
    bpy.data.orphans_purge(do_recursive=True)
