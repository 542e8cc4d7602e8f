"""How often the faces of meshes are cut in four that a file wants to be smooth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy

FINE_FACES, MOST_FACES, MOST_LEVELS = 2_000_000, 20_000_000, 4
"""Faces of all subdivided meshes: levels are added up to the first; one may go up to the second."""


def finest_level(faces: int) -> int:
    """Return how often so many faces are cut where the file does not say: as it does no harm."""
    fine = [level for level in range(1, MOST_LEVELS + 1) if faces * 4**level <= FINE_FACES]
    return max(fine, default=1 if faces * 4 <= MOST_FACES else 0)


def subdivide(item: Any, levels: int) -> None:
    """Cut an object's faces so often, if its importer has begun it."""
    for modifier in list(item.modifiers):
        if isinstance(modifier, bpy.types.SubsurfModifier):
            modifier.levels = modifier.render_levels = levels
            if not levels:
                item.modifiers.remove(modifier)


def bound(objects: Iterable[bpy.types.Object]) -> tuple[str, ...]:
    """Keep to what the file says while it does no harm; return what had to be left out."""
    items = [item for item in objects if wanted_level(item)]
    faces = faces_of(items)
    most = max((level for level in range(10) if faces * 4**level <= MOST_FACES), default=0)
    for item in items:
        subdivide(item, min(wanted_level(item), most))
    return left_out(faces) if items and not most else ()


def wanted_level(item: Any) -> int:
    """Return how often an object's faces are to be cut, by its importer's word."""
    kind = bpy.types.SubsurfModifier
    return max((each.render_levels for each in item.modifiers if isinstance(each, kind)), default=0)


def faces_of(items: Iterable[Any]) -> int:
    """Count the faces of objects' meshes, each mesh once."""
    return sum(len(mesh.polygons) for mesh in {item.data for item in items})


def left_out(faces: int) -> tuple[str, ...]:
    """Say that meshes are shown as they are modelled."""
    return (f"subdivision of {faces:,} faces",)
