"""A scene that was opened and baked, written for other workers and brought in again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bpy

from farm.errors import AssetError
from worker.blender.formats import importers
from worker.blender.guards.file_access import full_path

NAME = "scene.blend"
"""Name of the file among those that a task makes."""
PREFIX = "viewfarm: "
"""Stands before the name of the scene, which tells it from the session's own."""
BESIDE = "/viewfarm/beside"
"""Stands for the folder of the asset, which is elsewhere on another machine."""


def write(scene: Any, path: Path, *, home: Path | None) -> None:
    """Write a scene with all that it uses; files beside its asset's are named by where they lie.

    Args:
        scene: What was opened.
        path: Where it goes.
        home: The folder that holds all that is the asset's own; None where nobody drew a line.

    Raises:
        RuntimeError: It cannot be written.
    """
    scene.name = PREFIX + scene.name
    moved: dict[str, str] = {}
    try:
        change_paths(bpy.data.user_map(), lambda block, name: hidden(block, name, home, moved))
        # `bpy.data.libraries.write` would leave out what caches of objects hold.
        bpy.ops.wm.save_as_mainfile(
            filepath=str(path), copy=True, compress=True, relative_remap=False
        )
    finally:
        change_paths(bpy.data.user_map(), lambda _, name: moved.get(name))
        scene.name = scene.name.removeprefix(PREFIX)


def append(path: Path, *, home: Path | None, known: set[int]) -> bpy.types.Scene:
    """Bring such a scene in, in the place of the asset's own file.

    Args:
        path: Where it is.
        home: The folder that holds all that is the asset's own.
        known: Session ids of what was there before.

    Raises:
        AssetError: It cannot be read.
    """
    libraries: Any = bpy.data.libraries  # its stubs know no context manager
    try:
        with libraries.load(str(path), link=False) as (source, target):
            target.scenes = [name for name in source.scenes if name.startswith(PREFIX)]
    except (OSError, RuntimeError) as error:
        raise AssetError(str(path), importers.sentence(error, path)) from error
    scene: bpy.types.Scene = target.scenes[0]
    scene.name = scene.name.removeprefix(PREFIX)
    fresh = (block for block in bpy.data.user_map() if block.session_uid not in known)
    change_paths(fresh, lambda _, name: shown(name, home))
    return scene


def hidden(block: bpy.types.ID, name: str, home: Path | None, moved: dict[str, str]) -> str | None:
    """Return a path without what is of this machine alone, and note what it was."""
    full = full_path(name, block)
    if home is None or home not in Path(full).parents:
        return None
    told = f"{BESIDE}/{os.path.relpath(full, home)}"
    moved[told] = name
    return told


def shown(name: str, home: Path | None) -> str | None:
    """Return where a path without its machine leads on this one."""
    if home is None or not name.startswith(f"{BESIDE}/"):
        return None
    return str(home / name.removeprefix(f"{BESIDE}/"))


def change_paths(
    blocks: Iterable[bpy.types.ID], change: Callable[[bpy.types.ID, str], str | None]
) -> None:
    """Change the paths that data-blocks read from, where a function returns another one."""
    data: Any = bpy.data  # its stubs do not know this yet
    data.file_path_foreach(
        lambda block, name, _: change(block, name), subset=set(blocks), flags={"SKIP_PACKED"}
    )
