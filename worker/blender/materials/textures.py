"""Textures that materials, worlds and lights want and that are not there: Cycles shows magenta."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import bpy

from worker.blender.guards.file_access import is_readable
from worker.blender.materials.emission import active_nodes

Shaded = bpy.types.Material | bpy.types.World | bpy.types.Light


def missing_textures(shaded: Iterable[Shaded]) -> tuple[str, ...]:
    """Return the file names of the pictures that materials and light show and that are not found.

    Of a picture whose name an importer has dropped, it tells the material.
    """
    found = set()
    for each in shaded:
        for node in active_nodes(each.node_tree) if each.node_tree is not None else ():
            if not isinstance(
                node, bpy.types.ShaderNodeTexImage | bpy.types.ShaderNodeTexEnvironment
            ):
                continue
            if node.image is None:
                found.add(f"a picture of {each.name}")
            elif is_missing(node.image):
                found.add(name_of(node.image))
    return tuple(sorted(found))


def is_missing(image: bpy.types.Image) -> bool:
    """Tell whether a picture of one file is neither packed nor there to be read."""
    if image.source != "FILE" or image.packed_file is not None:
        return False
    return not is_readable(file_of(image))


def file_of(image: bpy.types.Image) -> Path:
    """Return where a picture's file is, also where its maker's system wrote paths another way."""
    path = bpy.path.abspath(image.filepath, library=image.library)
    there = (Path(each) for each in (path, path.replace("\\", "/")))
    return next((each for each in there if is_readable(each)), Path(path))


def name_of(image: bpy.types.Image) -> str:
    """Return the name of a picture's file, as its maker's system wrote it."""
    return image.filepath.replace("\\", "/").rpartition("/")[2] or image.name
