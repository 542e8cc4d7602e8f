"""What FBX files hide: Blender's importer keeps it from its editor alone, not from renders."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from worker.blender.guards.disarm import hide


def hide_hidden(objects: Iterable[bpy.types.Object]) -> None:
    """Keep what the file hides out of the render, with all below it, as FBX has it."""
    hide(item for item in objects if any(each.hide_viewport for each in (item, *above(item))))


def above(item: bpy.types.Object) -> list[bpy.types.Object]:
    """Return an object's parent, and that one's, and so on."""
    chain: list[bpy.types.Object] = []
    parent = item.parent
    while parent is not None:
        chain.append(parent)
        parent = parent.parent
    return chain
