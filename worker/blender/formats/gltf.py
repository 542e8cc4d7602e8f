"""What Blender's glTF importer is told while it reads: what is hidden, and what it trips over."""

from __future__ import annotations

import contextlib
import importlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import bpy

from worker.blender.formats import gltf_curves

VISIBILITY = "KHR_node_visibility"
POINTER = "KHR_animation_pointer"
LIGHTS = "KHR_lights_punctual"
DRACO = "KHR_draco_mesh_compression"
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
PICTURES = ("KHR_texture_basisu", "EXT_texture_avif", "MSFT_texture_dds")
"""Formats of textures that this Blender does not read; most files have another one beside."""
UNSEEN = frozenset({
    VISIBILITY, *PICTURES,
    "CESIUM_primitive_outline", "EXT_instance_features", "EXT_lights_image_based",
    "EXT_mesh_features", "EXT_structural_metadata", "FB_ngon_encoding", "KHR_audio_emitter",
    "KHR_implicit_shapes", "KHR_interactivity", "KHR_node_hoverability",
    "KHR_node_selectability", "KHR_physics_rigid_bodies", "KHR_xmp", "KHR_xmp_json_ld",
    "MSFT_audio_emitter", "MSFT_lod",
})  # fmt: skip
"""Extensions that change nothing of what is seen here, and those that are looked after."""
ADDON = "viewfarm_gltf"


class Extension(NamedTuple):
    """An extension that a file may require, as the importer asks for it."""

    name: str
    required: bool = True


class Reading:
    """One run of the importer, which calls the methods that it knows by their names.

    What is hidden loses its mesh before one is made, and its object is kept out of the render; it
    still acts on others as a parent, joint or target.
    """

    is_critical = True  # a mistake in here is not to be passed over in silence
    extensions = (Extension(VISIBILITY),)

    def __init__(self, *, pointers: bool = True, moves: bool = False) -> None:
        self._pointers = pointers
        self._moves = moves
        self._shown: set[int] = set()
        self.has_pointers = False
        """It animates what only a pointer names."""
        self.unread: tuple[str, ...] = ()
        """What of the file nobody here can show."""

    def gather_import_gltf_before_hook(self, gltf: Any) -> None:
        """Change what is to be read."""
        data = gltf.data
        self._shown = shown_nodes(data)
        for index, node in enumerate(data.nodes or ()):
            if index not in self._shown:
                node.mesh = node.skin = None
        drop_optional_compression(data)
        self.has_pointers = POINTER in (data.extensions_used or ())
        self.unread = unread(data, gltf.extensions_managed)
        if self.has_pointers:
            prepare_pointers(data)
        if not self._pointers:
            keep_channels(data, lambda pointer: pointer is None)
            self.unread += (f"glTF extension {POINTER}",)
        if self._moves:
            gltf_curves.prepare(gltf, reader_of(gltf))

    def gather_import_scene_after_nodes_hook(self, _: Any, __: bpy.types.Scene, gltf: Any) -> None:
        """Keep the objects of hidden nodes out of the render, be they lamps or points."""
        for key, vnode in gltf.vnodes.items():
            item = getattr(vnode, "blender_object", None)
            if item is not None and not self._shows(gltf.vnodes, key):
                item.hide_render = True

    def gather_import_scene_after_animation_hook(
        self, _: Any, __: bpy.types.Scene, gltf: Any
    ) -> None:
        """Stop all of several animations before any acts, so that all is as the file has it."""
        if self._moves and len(gltf.data.animations or ()) > 1:
            gltf_curves.stop_tracks()

    def _shows(self, vnodes: dict[Any, Any], key: Any) -> bool:
        """Tell whether the node is shown that an object was made for, which may stand elsewhere."""
        while key in vnodes:
            vnode = vnodes[key]
            for index in (vnode.mesh_node_idx, vnode.camera_node_idx, vnode.light_node_idx, key):
                if isinstance(index, int):
                    return index in self._shown
            key = vnode.parent
        return True


def reader_of(gltf: Any) -> Callable[[int], Any]:
    """Return the importer's own way to the numbers of an accessor."""
    package = type(gltf).__module__.rpartition(".")[0]
    binary: Any = importlib.import_module(f"{package}.gltf2_io_binary")
    return lambda accessor: binary.BinaryData.get_data_from_accessor(gltf, accessor)


@contextlib.contextmanager
def told_by(reading: Reading, addons: Any) -> Iterator[None]:
    """Let the importer find `reading`: it asks the modules of all add-ons for such."""
    module: Any = types.ModuleType(ADDON)
    module.glTF2ImportUserExtension = lambda: reading
    sys.modules[ADDON] = module
    addon = addons.new()
    addon.module = ADDON
    try:
        yield
    finally:
        addons.remove(addon)
        del sys.modules[ADDON]


def shown_nodes(data: Any) -> set[int]:
    """Return the nodes that are to be seen: of the scene that shows, and not hidden.

    That scene is the one that the file names; else the first, as viewers have it. A file without
    scenes shows all it has. Of animated visibility what holds without the animation counts.
    """
    nodes = data.nodes or []
    waiting = [index for index in root_nodes(data) if 0 <= index < len(nodes)]
    shown: set[int] = set()
    while waiting:
        index = waiting.pop()
        if index not in shown and is_visible(nodes[index]):
            shown.add(index)
            waiting += [child for child in nodes[index].children or () if 0 <= child < len(nodes)]
    return shown


def root_nodes(data: Any) -> list[int]:
    """Return the roots of the scene that shows."""
    scenes, chosen = data.scenes or [], data.scene or 0
    if scenes:
        return list(scenes[chosen].nodes or ()) if 0 <= chosen < len(scenes) else []
    nodes = data.nodes or []
    children = {child for node in nodes for child in node.children or ()}
    return [index for index in range(len(nodes)) if index not in children]


def is_visible(node: Any) -> bool:
    """Tell whether a node itself is not hidden."""
    told = (node.extensions or {}).get(VISIBILITY)
    return not isinstance(told, dict) or told.get("visible", True) is not False


def unread(data: Any, managed: list[str]) -> tuple[str, ...]:
    """Say which extensions the file uses that change what is seen and that nobody here reads."""
    used = data.extensions_used or []
    names = [name for name in used if name not in managed and name not in UNSEEN]
    names += [name for name in used if name in PICTURES and is_alone(data, name)]
    return tuple(f"glTF extension {name}" for name in sorted(set(names)))


def is_alone(data: Any, name: str) -> bool:
    """Tell whether a texture has no picture but in the format of this extension."""
    return any(
        texture.source is None
        and name in (texture.extensions or {})
        and "EXT_texture_webp" not in texture.extensions
        for texture in data.textures or ()
    )


def drop_optional_compression(data: Any) -> None:
    """Read what lies beside compressed meshes where a file offers both: this Blender unpacks none.

    Where the extension is required there is nothing beside; the importer says that it lacks it.
    """
    required = data.extensions_required or ()
    for mesh in data.meshes or ():
        for primitive in mesh.primitives or ():
            drop_extensions(primitive, {DRACO}.difference(required))
    for view in data.buffer_views or ():
        drop_extensions(view, set(MESHOPT).difference(required))


def drop_extensions(owner: Any, names: set[str]) -> None:
    """Take extensions away from a part of the file."""
    if owner.extensions:
        owner.extensions = {
            name: value for name, value in owner.extensions.items() if name not in names
        }


def prepare_pointers(data: Any) -> None:
    """Give the importer what it looks for in whatever a pointer may animate.

    It wants a name of each material, and what it has made of each camera and lamp, also of those
    that no node uses. Cameras of a file are never looked through.
    """
    for index, material in enumerate(data.materials or ()):
        material.name = material.name or f"Material_{index}"  # as the importer calls it
    for camera in data.cameras or ():
        camera.blender_object_data = None
    lights = ((data.extensions or {}).get(LIGHTS) or {}).get("lights") or []
    for light in lights:
        light["blender_object_data"] = None
    used = used_lights(data)
    idle = {f"/extensions/{LIGHTS}/lights/{at}/" for at in range(len(lights)) if at not in used}
    dead = ("/cameras/", *idle)
    keep_channels(data, lambda pointer: pointer is None or not pointer.startswith(dead))


def used_lights(data: Any) -> set[int]:
    """Return the lights that nodes have."""
    told = ((node.extensions or {}).get(LIGHTS) for node in data.nodes or ())
    return {each["light"] for each in told if isinstance(each, dict) and "light" in each}


def keep_channels(data: Any, wanted: Any) -> None:
    """Keep the channels of animations whose pointer, or None, is `wanted`."""
    for animation in data.animations or ():
        animation.channels = [each for each in animation.channels if wanted(pointer_of(each))]


def pointer_of(channel: Any) -> str | None:
    """Return what a channel points at, or None where it animates a node by number."""
    if channel.target.path != "pointer":
        return None
    return str(((channel.target.extensions or {}).get(POINTER) or {}).get("pointer", ""))
