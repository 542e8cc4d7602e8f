"""Textures that a model's materials want and that are not there: Cycles shows magenta."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import bpy

from worker.blender.emission import active_nodes


def missing_textures(materials: Iterable[bpy.types.Material]) -> tuple[str, ...]:
    """Return the file names of the pictures that these materials show and that are not found."""
    images = {
        node.image
        for material in materials
        if material.node_tree is not None
        for node in active_nodes(material.node_tree)
        if isinstance(node, bpy.types.ShaderNodeTexImage | bpy.types.ShaderNodeTexEnvironment)
        and node.image is not None
    }
    return tuple(sorted({name_of(image) for image in images if is_missing(image)}))


def is_missing(image: bpy.types.Image) -> bool:
    """Tell whether a picture of one file is neither there nor packed."""
    if image.source != "FILE" or image.packed_file is not None:
        return False
    path = bpy.path.abspath(image.filepath, library=image.library)
    return not any(Path(each).is_file() for each in (path, path.replace("\\", "/")))


def name_of(image: bpy.types.Image) -> str:
    """Return the name of a picture's file, as its maker's system wrote it."""
    return image.filepath.replace("\\", "/").rpartition("/")[2] or image.name
