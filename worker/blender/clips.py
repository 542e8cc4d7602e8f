"""Animations of a file that has several: one plays, the others rest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import bpy

from farm.errors import AssetError
from farm.spec.scene_facts import ALL_CLIPS, Clip
from worker.blender.curves import curves_of

SLACK = 1e-3
"""Frames by which a key may miss a whole frame."""


class Part(NamedTuple):
    """What one animation does to one data-block."""

    owner: Any
    action: Any
    slot: Any


class Rest(NamedTuple):
    """A number that animations change, as the file has it without any."""

    owner: Any
    path: str
    value: Any


class Clips:
    """The animations of a file, by name, in its order."""

    def __init__(self, parts: dict[str, list[Part]]) -> None:
        self._parts = parts
        self._rest = list(resting(parts))

    def __bool__(self) -> bool:
        return bool(self._parts)

    @property
    def facts(self) -> tuple[Clip, ...]:
        """Names and frames."""
        return tuple(
            Clip(name=name, frame_start=start, frame_end=end)
            for name, parts in self._parts.items()
            for start, end in (span({part.action for part in parts}),)
        )

    def play(self, path: str, name: str | None) -> None:
        """Let one animation act and no other: of this name; None: the first, if there are any.

        Raises:
            AssetError: There is none of this name.
        """
        if name is None and not self._parts:
            return
        chosen = self._chosen(path, name or next(iter(self._parts)))
        for parts in self._parts.values():
            for part in parts:
                part.owner.animation_data.action = None
        for rest in self._rest:
            put_back(rest)
        for part in chosen:
            part.owner.animation_data.action = part.action
            part.owner.animation_data.action_slot = part.slot

    def _chosen(self, path: str, name: str) -> list[Part]:
        """Return what the animation of a name does.

        Raises:
            AssetError: There is none.
        """
        if name in self._parts:
            return self._parts[name]
        if name == ALL_CLIPS and self._parts:
            return self._all()
        told = ", ".join(map(repr, self._parts)) or "a single one without a name"
        raise AssetError(path, f"it has no animation {name!r}; it has {told}")

    def _all(self) -> list[Part]:
        """Return what each data-block does in the first animation that moves it."""
        first: dict[int, Part] = {}
        for parts in self._parts.values():
            for part in parts:
                first.setdefault(part.owner.session_uid, part)
        return list(first.values())


def clips_of(suffix: str, ids: Iterable[bpy.types.ID]) -> Clips:
    """Return the animations of a file that was just imported, if there are several."""
    if suffix not in (".glb", ".gltf", ".fbx"):
        return Clips({})  # other formats know one, whose actions belong together
    blocks = list(ids)
    owners = [
        owner
        for block in blocks
        for owner in (block, getattr(block, "node_tree", None))
        if getattr(owner, "animation_data", None) is not None
    ]
    is_gltf = suffix in (".glb", ".gltf")
    found = tracks(owners) if is_gltf else takes(blocks)
    if len(found) < 2:
        return Clips({})
    # Actions are made in the order of the file, those of a glTF from its end.
    names = sorted(found, key=lambda name: found[name][0].action.session_uid, reverse=is_gltf)
    return Clips({name: found[name] for name in names})


def tracks(owners: Iterable[Any]) -> dict[str, list[Part]]:
    """Return the animations that a glTF left in tracks, which are removed: they shift time."""
    found: dict[str, list[Part]] = {}
    for owner in owners:
        for track in list(owner.animation_data.nla_tracks):
            for strip in track.strips:
                part = Part(owner, strip.action, strip.action_slot)
                found.setdefault(track.name, []).append(part)
            owner.animation_data.nla_tracks.remove(track)
    return found


def takes(blocks: Iterable[bpy.types.ID]) -> dict[str, list[Part]]:
    """Return the takes of an FBX: an action each, with a slot for each thing that it moves."""
    blocks = list(blocks)
    named = {f"{block.id_type} {block.name}": block for block in blocks}
    found: dict[str, list[Part]] = {}
    for action in blocks:
        if not isinstance(action, bpy.types.Action):
            continue
        for slot in action.slots:
            owner: Any = named.get(f"{slot.target_id_type} {slot.name_display}")
            if owner is not None and owner.animation_data is not None:
                found.setdefault(action.name, []).append(Part(owner, action, slot))
    return found


def resting(parts: dict[str, list[Part]]) -> Iterator[Rest]:
    """Yield what any animation changes, as it is now."""
    seen = set()
    for part in (part for each in parts.values() for part in each):
        for curve in curves_of(part.action, part.slot):
            key = (part.owner.session_uid, curve.data_path)
            if key not in seen:
                seen.add(key)
                yield from rest_of(part.owner, curve.data_path)


def rest_of(owner: Any, path: str) -> Iterator[Rest]:
    """Yield a number as it is now, or several; nothing where the path leads nowhere."""
    try:
        value = owner.path_resolve(path)
    except ValueError:
        return
    yield Rest(owner, path, tuple(value) if hasattr(value, "__len__") else value)


def put_back(rest: Rest) -> None:
    """Set a number as it was."""
    head, dot, name = rest.path.rpartition(".")
    holder = rest.owner.path_resolve(head) if dot else rest.owner
    setattr(holder, name, rest.value)


def span(actions: Iterable[Any]) -> tuple[int, int]:
    """Return the whole frames from the first key to the last."""
    ends: list[Any] = [
        curve.range() for action in actions for curve in curves_of(action) if curve.keyframe_points
    ]
    start = math.ceil(min((each[0] for each in ends), default=0.0) - SLACK)
    return start, max(start, math.floor(max((each[1] for each in ends), default=0.0) + SLACK))
