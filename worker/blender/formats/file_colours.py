"""Colours of points as an importer brings them, made shares of light as their file means them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.library.meshes.ply import HEAD_BYTES, properties_of
from farm.library.meshes.ply_faces import face_numbers
from worker.blender.materials.vertex_colours import values_of

PLY_COLOUR = "Col"
"""Name that Blender gives to the colours of a .ply, if they are called red, green and blue."""
OTHER_NAMES = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"),
               ("r", "g", "b"))  # fmt: skip
"""Names of colours, in any case, in which Blender may see but three numbers."""
COLOURED_POINT = re.compile(rb"^v(?:[ \t]+[-+.0-9eE]+){6}\s", re.M)
"""A line of an .obj with three numbers more than a place has."""
NEARLY = 1e-3
"""Distance to a whole number within which a number is that one."""

Values = NDArray[np.float32]


def settle(path: Path, objects: Iterable[bpy.types.Object]) -> tuple[str, ...]:
    """Make the colours of what was imported from a file right: linear, from 0 to 1.

    Returns:
        What of them could not be read.
    """
    suffix = path.suffix.lower()
    meshes = {item.data for item in objects if isinstance(item.data, bpy.types.Mesh)}
    for mesh in meshes:
        if suffix == ".ply":
            settle_ply(mesh, properties_of(path, "vertex"))
            if not len(mesh.color_attributes):
                add_face_colours(mesh, path)
        for colours in mesh.color_attributes:
            if suffix == ".obj":
                settle_obj(colours)
            clip(colours)
    if any(len(mesh.color_attributes) for mesh in meshes):
        return ()
    return unread_colours(path)


def unread_colours(path: Path) -> tuple[str, ...]:
    """Say which colours a file has, of whose meshes none has any."""
    suffix = path.suffix.lower()
    if suffix == ".ply" and colour_names(properties_of(path, "face")):
        return ("colours of faces",)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if suffix == ".obj" and COLOURED_POINT.search(head):
        return ("colours of points, of which some have none",)
    return ("colours of triangles",) if suffix == ".stl" and b"COLOR=" in head[:80] else ()


def settle_ply(mesh: bpy.types.Mesh, kinds: Mapping[str, str]) -> None:
    """Decode the colours of a .ply, which Blender was told to take as they are.

    Args:
        mesh: What was imported.
        kinds: The properties of the file's vertices: name -> type of number.
    """
    found = mesh.color_attributes.get(PLY_COLOUR)
    if found is None:
        decode_others(mesh, kinds)
        return
    values = values_of(found, "color", 4)
    kind = kinds.get("red", "uint8")
    values[:, :3] = decoded(values[:, :3] * largest(kind), kind)
    if "alpha" in kinds:
        alpha = values[:, 3] * largest(kinds["alpha"])
        values[:, 3] = alpha / full_scale(alpha, kinds["alpha"])
    put(found, values)


def decode_others(mesh: bpy.types.Mesh, kinds: Mapping[str, str]) -> None:
    """Make colours of a .ply's numbers that are called otherwise than Blender expects."""
    names = colour_names(name for name in kinds if name in mesh.attributes)
    if names:
        parts = [values_of(mesh.attributes[name], "value", 1) for name in names]
        rgb = decoded(np.hstack(parts), kinds[names[0]])
        found = mesh.color_attributes.new(PLY_COLOUR, "FLOAT_COLOR", "POINT")
        put(found, with_opacity(rgb))


def colour_names(names: Iterable[str]) -> list[str]:
    """Return which of `names` are those of a colour, red first; none where none are."""
    written = {name.lower(): name for name in names}
    for known in OTHER_NAMES:
        if all(name in written for name in known):
            return [written[name] for name in known]
    return []


def add_face_colours(mesh: bpy.types.Mesh, path: Path) -> None:
    """Read the colours that a .ply has for each face, which Blender does not know."""
    kinds = properties_of(path, "face")
    names = colour_names(kinds)
    numbers = face_numbers(path, names) if names else None
    if numbers is None or len(numbers) != len(mesh.polygons):  # Blender leaves out what is no face
        return
    corners = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("loop_total", corners)
    found = mesh.color_attributes.new(PLY_COLOUR, "FLOAT_COLOR", "CORNER")
    put(found, np.repeat(with_opacity(decoded(numbers, kinds[names[0]])), corners, axis=0))


def settle_obj(colours: bpy.types.Attribute) -> None:
    """Take the colours of an .obj, which Blender has decoded as sRGB, from 0..255 where they are.

    The format has no word on it: most programs write 0..1, some 0..255.
    """
    values = values_of(colours, "color", 4)
    if values[:, :3].max(initial=0.0) > 1.0:
        written = encoded(values[:, :3])
        if full_scale(written, "float32") > 1.0:
            values[:, :3] = decoded(written, "float32")
            put(colours, values)


def decoded(numbers: Values, kind: str) -> Values:
    """Return the linear shares that a file's numbers mean: whole ones are sRGB."""
    full = full_scale(numbers, kind)
    return numbers if full == 1.0 else linear(numbers / np.float32(full))


def full_scale(numbers: Values, kind: str) -> float:
    """Return what number means 1; for fractions, and whole ones up to 1 that could be some, 1."""
    highest = float(numbers.max(initial=0.0))
    if kind.startswith("float") and (highest <= 1.0 or not are_whole(numbers)):
        return 1.0
    return 255.0 if highest <= 255.0 + NEARLY else 65535.0


def are_whole(numbers: Values) -> bool:
    """Tell whether numbers are whole, but for how they were rounded."""
    return bool(np.all(np.abs(numbers - np.round(numbers)) < NEARLY))


def largest(kind: str) -> float:
    """Return the number of a type that Blender takes for 1."""
    return 1.0 if kind.startswith("float") else float(np.iinfo(kind).max)


def with_opacity(rgb: Values) -> Values:
    """Return colours (N, 3) as opaque ones (N, 4)."""
    return np.hstack([rgb, np.ones((len(rgb), 1), dtype=np.float32)])


def linear(shares: Values) -> Values:
    """Return sRGB's shares as shares of light (IEC 61966-2-1)."""
    curve = ((np.maximum(shares, 0.0) + 0.055) / 1.055) ** 2.4
    return np.where(shares <= 0.04045, shares / 12.92, curve).astype(np.float32)


def encoded(light: Values) -> Values:
    """Return shares of light as sRGB writes them."""
    curve = 1.055 * np.maximum(light, 0.0) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, light * 12.92, curve).astype(np.float32)


def clip(colours: bpy.types.Attribute) -> None:
    """Bring shares of light into what a surface can scatter, and into numbers."""
    if colours.data_type != "FLOAT_COLOR":
        return
    values = values_of(colours, "color", 4)
    sound = np.clip(np.nan_to_num(values, nan=0.0), 0.0, 1.0)
    if not np.array_equal(values, sound):
        put(colours, sound)


def put(colours: Any, values: Values) -> None:
    """Set the values (N, 4) of an attribute of colours."""
    colours.data.foreach_set("color", np.ascontiguousarray(values, dtype=np.float32).ravel())
