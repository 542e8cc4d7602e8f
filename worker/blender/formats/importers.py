"""What of a model's file would be rendered, as the file itself says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from farm.errors import AssetError
from farm.library.meshes import surfaceless

WITHOUT_SHAPE = frozenset({"EMPTY", "CAMERA", "LIGHT", "SPEAKER"})
"""Kinds of objects that say nothing of what a model is."""
EXTENSION = re.compile(r"Extension (\S+) is not available")
"""What Blender's glTF importer says of what a file requires and it does not know."""
UNPACKERS = {"Draco": "draco_bridge", "Meshopt": "Meshopt decoder library"}
"""What it says where a library is missing that unpacks meshes."""
TRACEBACK = "Traceback (most recent call last)"
"""What an importer in Python says of a file that it did not expect."""
REMEDIES = {
    "KHR_texture_basisu": "save its textures as PNG or JPEG",
    "KHR_gaussian_splatting": "it is a cloud of splats, which has no surfaces",
}


@dataclass(frozen=True)
class ImportedObjects:
    """What came out of a file."""

    objects: list[bpy.types.Object]
    """Those that it renders."""
    unread: tuple[str, ...] = ()
    """What of it could not be read, each such as `glTF extension KHR_gaussian_splatting`."""
    metres_per_unit: float = 1.0
    """Importers bring all to metres, where the format knows them."""
    frame: float = 1.0
    """The moment of its animation that it shows."""
    fps: float = 24.0
    """What its importer has set."""


USED_BY_SCRIPTS = (
    "objects", "collections", "meshes", "curves", "materials", "node_groups", "images", "textures",
    "worlds", "lights", "cameras", "actions", "armatures",
)  # fmt: skip
"""What of a .blend scripts take by its name, whether or not a scene uses it."""


def append_blend(path: Path, *, everything: bool = False) -> list[bpy.types.Scene]:
    """Append the scenes of a .blend, with all that they use, without opening the file.

    A file without scenes gets one that shows all of its objects.

    Args:
        path: The file.
        everything: Append also what no scene uses.

    Raises:
        AssetError: Blender cannot read it.
    """
    libraries: Any = bpy.data.libraries  # its stubs know no context manager
    try:
        with libraries.load(str(path), link=False) as (source, target):
            target.scenes = source.scenes
            for name in USED_BY_SCRIPTS if everything else ():
                setattr(target, name, getattr(source, name))
            if not source.scenes:
                target.objects = source.objects
    except (OSError, RuntimeError) as error:
        raise AssetError(str(path), f"Blender cannot read it: {sentence(error, path)}") from error
    if target.scenes:
        return list(target.scenes)
    scene = bpy.data.scenes.new("objects")
    for item in target.objects:
        scene.collection.objects.link(item)
    return [scene]


def scene_of(objects: Iterable[bpy.types.Object]) -> bpy.types.Scene:
    """Return a scene of its own for what was imported."""
    scene = bpy.data.scenes.new("imported")
    for item in objects:
        scene.collection.objects.link(item)
    return scene


def sentence(error: Exception, path: Path) -> str:
    """Return the gist of one of Blender's error texts, which may hold a traceback."""
    for name, sign in UNPACKERS.items():
        if sign in str(error):
            return (
                f"its meshes are compressed with {name}, which this Blender lacks; save it without"
            )
    if foreign := EXTENSION.search(str(error)):
        remedy = REMEDIES.get(foreign[1], "save it without")
        return f"it requires the glTF extension {foreign[1]}, which this Blender lacks; {remedy}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("Location:")]
    text = lines[-1] if lines else type(error).__name__
    if TRACEBACK in str(error):
        return f"it contradicts itself or its format ({text})"
    for noise in ("Error: ", "load: ", ", see console for detail", f"'{path}'", str(path)):
        text = text.replace(noise, "")
    return " ".join(text.split()).strip(" :.") or type(error).__name__


def main_scene(scenes: list[bpy.types.Scene]) -> bpy.types.Scene:
    """Return the scene that shows most; the first of equals."""
    return max(scenes, key=lambda scene: len(visible_objects(scene)))


def visible_objects(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Return the objects that the scene's own view layer renders, in the file's order."""
    layers = [layer for layer in scene.view_layers if layer.use] or list(scene.view_layers)
    found = dict.fromkeys(shown(layers[0].layer_collection))
    return [item for item in found if not item.hide_render]


def shown(layer: bpy.types.LayerCollection) -> Iterator[bpy.types.Object]:
    """Yield the objects of a layer's collections that take part in a render."""
    if layer.collection.hide_render:  # hides the collections inside, too
        return
    if not (layer.exclude or layer.holdout or layer.indirect_only):
        yield from layer.collection.objects
    for child in layer.children:
        yield from shown(child)


def missing_libraries(ids: Iterable[bpy.types.ID]) -> list[str]:
    """Return the paths of linked files that were not found."""
    return sorted(
        {block.library.filepath for block in ids if block.library is not None and block.is_missing}
    )


def missing_links(ids: Iterable[bpy.types.ID]) -> tuple[str, ...]:
    """Name the linked files that were not found, of these data-blocks."""
    linked = (block for block in ids if block.library is not None)
    return tuple(f"linked file {file_name(path)}" for path in missing_libraries(linked))


def undrawn(objects: Iterable[bpy.types.Object]) -> tuple[str, ...]:
    """Say how many objects would be rendered that Cycles never sees: those of Grease Pencil."""
    count = sum(item.type == "GREASEPENCIL" for item in objects)
    return (f"Grease Pencil ({count} object{'s' if count > 1 else ''})",) if count else ()


def file_name(path: str) -> str:
    """Return the name of a file, as its maker's system wrote its path."""
    return path.replace("\\", "/").rpartition("/")[2] or path


def nothing_to_render(ids: Iterable[bpy.types.ID]) -> str:
    """Say why a model shows nothing, whose data-blocks these are."""
    blocks = list(ids)
    objects = [block for block in blocks if isinstance(block, bpy.types.Object)]
    missing = missing_libraries(block for block in blocks if block.library is not None)
    if missing:
        return f"nothing to render: the linked files {', '.join(missing)} are missing"
    return bare(objects) or f"nothing to render: {contents(objects)}"


def bare(objects: list[bpy.types.Object]) -> str | None:
    """Say what a model is that has points, lines or curves and no surface; None if it has one."""
    shapes = [item for item in objects if item.type not in WITHOUT_SHAPE]
    if not all(item.type in {"MESH", "CURVE"} for item in shapes):
        return None  # a rig has curves and lines, too, and is not made of them
    data = {item.data for item in shapes}
    meshes = [each for each in data if isinstance(each, bpy.types.Mesh)]
    threads = [each for each in data if isinstance(each, bpy.types.Curve)]
    if any(len(mesh.polygons) for mesh in meshes) or not (meshes or threads):
        return None
    if edges := sum(len(mesh.edges) for mesh in meshes):
        return surfaceless.lines(edges)
    if points := sum(len(mesh.vertices) for mesh in meshes):
        return surfaceless.point_cloud(points)
    if threads:
        return surfaceless.curves(sum(len(each.splines) for each in threads))
    return surfaceless.no_faces()


def contents(objects: Iterable[bpy.types.Object]) -> str:
    """Say what kinds of objects a file has: `1 camera, 2 lights`."""
    counts = Counter(item.type.lower().replace("_", " ") for item in objects)
    kinds = [
        f"{count} {plural(kind) if count > 1 else kind}" for kind, count in sorted(counts.items())
    ]
    return f"the file has {', '.join(kinds) or 'no objects'}"


def plural(kind: str) -> str:
    """Return the plural of a kind of object: `meshes`, `empties`, `cameras`."""
    if kind.endswith("sh"):
        return f"{kind}es"
    return f"{kind[:-1]}ies" if kind.endswith("ty") else kind.removesuffix("s") + "s"
