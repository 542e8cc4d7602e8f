"""A scene that a user's script changes at will: theirs while it runs, the farm's for each picture.

What the farm needs of it (numbers of objects and materials, cameras, render settings) is set after
the script, and taken back before it runs again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import bpy
from pydantic import ValidationError

from farm.errors import ScriptError
from farm.spec.base import first_reason
from farm.spec.record import CameraRecord
from worker.blender import file_cameras
from worker.blender.camera import set_pixels
from worker.blender.clips import Clips
from worker.blender.file_scene import FileScene, is_ours
from worker.blender.guards.refused_calls import refuse_calls
from worker.scripts.failures import RefusedCall

log = logging.getLogger(__name__)

SETTINGS = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
"""Kinds of properties that are numbers and words."""
THEIRS = {"fps", "fps_base", "frame_map_old", "frame_map_new", "filepath"}
"""Render settings that are the scene's own: how quick it plays."""
CACHED = ("CLOTH", "SOFT_BODY")
GONE = "the script has removed the scene that it was given: change it, and let it stay"


class UserScene:
    """The scene of a script, from its file's state on."""

    def __init__(
        self,
        scene: Any,
        home: Any,
        *,
        path: str,
        unread: tuple[str, ...],
        before_script: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what is called before the script gets its materials back."""
        self._before_script = before_script
        self.scene = scene
        self.path = path
        self.unread = unread
        self.clips = Clips({})
        self._home = home
        self._camera = None if is_ours(scene.camera) else scene.camera
        self._world = scene.world
        self._handlers = handlers()
        self._looks = Looks()
        self._described: tuple[tuple[object, ...], FileScene] | None = None
        self._added: dict[int, frozenset[str]] = {}
        """Material -> names of nodes that labels have added to it."""
        self.materials: tuple[bpy.types.Material, ...] = ()
        """What was described last, in the order of their numbers."""
        self._told: set[str] = set()
        self._holds = False

    # What scripts ask for

    @property
    def resolution_px(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self.scene.render.resolution_x, self.scene.render.resolution_y

    @contextmanager
    def on_stage(self) -> Iterator[None]:
        """Let the user's code run inside: the scene is theirs, and some calls are refused."""
        self._hand_over()
        before = settings_of(self.scene)
        with refuse_calls():
            yield
        try:
            self._take_back(before)
        except ReferenceError as error:
            raise RefusedCall(GONE) from error

    def keep_time(self, first: int, last: int) -> None:
        """Let the scene, and all that moves by physics in it, play from one frame to another."""
        self._let_go()
        put(self.scene, "frame_start", first)
        put(self.scene, "frame_end", last)
        put(self.scene, "sync_mode", "NONE")
        for cache in caches_of(self.scene):
            if not cache.is_baked:
                put(cache, "frame_start", min(first, cache.frame_end))
                put(cache, "frame_end", max(last, first + 1))
                put(cache, "frame_start", first)

    def go_to(self, frame: int) -> None:
        """Show a frame of the scene.

        What rigid bodies did there is held on to as if it was baked: else Blender forgets it as
        soon as anything of them changes, a colour or a number, and renders them where they began.
        """
        self._let_go()
        self.scene.frame_set(frame)
        if frame > self.scene.frame_start:
            self._hold_on()

    def update(self) -> Any:
        """Bring everything up to date with what was changed; return Blender's depsgraph."""
        layer = self.scene.view_layers[0]
        layer.update()
        return layer.depsgraph

    def camera_record(self) -> CameraRecord:
        """Return what a record tells of the camera that the scene renders with now.

        Raises:
            RefusedCall: There is none, or labels cannot follow it.
        """
        camera = self.scene.camera
        if is_ours(camera):
            raise RefusedCall("the scene has no camera: add one, and set scene.camera")
        set_pixels(self.scene)
        try:
            return file_cameras.record_of(self.scene, camera)
        except ValueError as error:
            told = first_reason(error) if isinstance(error, ValidationError) else str(error)
            raise RefusedCall(f"camera {camera.name!r}: {told}") from error
        finally:
            self.scene.camera = camera

    # What the farm does with it

    @property
    def camera_name(self) -> str:
        """The camera that the scene renders with, as the script left it.

        Raises:
            ScriptError: There is none.
        """
        if self._camera is None:
            raise ScriptError(
                "the scene has no camera: let the script add one and set scene.camera, or name one "
                "of the file with --camera"
            )
        return str(self._camera.name)

    @property
    def has_rigid_bodies(self) -> bool:
        """Something in it falls or is hit."""
        return self.scene.rigidbody_world is not None

    @property
    def known(self) -> FileScene | None:
        """What was described of the scene, where that still holds."""
        if self._described is None or self._described[0] != self._fingerprint():
            return None
        return self._described[1]

    def forget(self) -> None:
        """Take out of materials what labels have added to them, before they are looked at anew."""
        if self._described is not None:
            self._described[1].clear_cut.turn(on=False)
        for material in bpy.data.materials:
            tree: Any = material.node_tree
            for name in self._added.pop(material.session_uid, ()):
                with suppress(KeyError):
                    tree.nodes.remove(tree.nodes[name])
        self._described = None
        self._looks.forget()

    def note(
        self,
        opened: FileScene,
        materials: tuple[bpy.types.Material, ...],
        before: dict[int, frozenset[str]],
    ) -> None:
        """Keep what was described.

        Args:
            opened: The description.
            materials: In the order of their numbers.
            before: `nodes_of_materials` as it was before labels added to them.
        """
        self._added = {
            uid: names - before.get(uid, frozenset()) for uid, names in nodes_of_materials().items()
        }
        self.materials = materials
        self._looks.forget()
        self._described = (self._fingerprint(), opened)

    def close(self) -> None:
        """Let nothing that the script has hung up be called any more."""
        for calls, kept in zip(handler_lists(), self._handlers, strict=True):
            calls[:] = kept
        show_in_window(self._home)

    def _hold_on(self) -> None:
        world = self.scene.rigidbody_world
        if world is not None and not world.point_cache.is_baked:
            with bpy.context.temp_override(scene=self.scene, point_cache=world.point_cache):
                bpy.ops.ptcache.bake_from_cache()
            self._holds = True

    def _let_go(self) -> None:
        world = self.scene.rigidbody_world
        if self._holds and world is not None:
            with bpy.context.temp_override(scene=self.scene, point_cache=world.point_cache):
                bpy.ops.ptcache.free_bake()
        self._holds = False

    def _hand_over(self) -> None:
        self._before_script()
        if self._described is not None:
            self._described[1].clear_cut.turn(on=False)
        if self.scene.camera != self._camera:
            self.scene.camera = self._camera
        if self.scene.world != self._world:
            self.scene.world = self._world
        show_in_window(self.scene)

    def _take_back(self, before: dict[str, dict[str, object]]) -> None:
        self._camera, self._world = self.scene.camera, self.scene.world
        for name in put_back(self.scene, before):
            if name not in self._told:
                self._told.add(name)
                log.warning(
                    "the script set %s, which is the farm's: say it in the spec (--resolution, "
                    "--samples, --passes)", name,
                )  # fmt: skip

    def _fingerprint(self) -> tuple[object, ...]:
        """Return what a description hangs on: which things there are, and of which materials."""
        items = tuple(
            (
                item.session_uid,
                item.name,
                item.data.session_uid if item.data is not None else 0,
                tuple(slot.material.session_uid for slot in item.material_slots if slot.material),
            )
            for item in self.scene.objects
        )
        self.update()
        used = {slot.material for item in self.scene.objects for slot in item.material_slots}
        looks = tuple(
            (material.session_uid, material.name, self._looks.of(material, self._look))
            for material in sorted(filter(None, used), key=lambda each: each.session_uid)
        )
        world = self._world
        return items, looks, world.session_uid if world is not None else 0

    def _look(self, material: Any) -> tuple[object, ...]:
        """Return how a material is made, without what labels have added."""
        tree, ours = material.node_tree, self._added.get(material.session_uid, frozenset())
        if tree is None:
            return ()
        nodes = [node for node in tree.nodes if node.name not in ours]
        links = tuple(
            (each.from_node.name, each.from_socket.identifier,
             each.to_node.name, each.to_socket.identifier)
            for each in tree.links
            if each.from_node.name not in ours and each.to_node.name not in ours
        )  # fmt: skip
        return (*((node.name, node.bl_idname, node.mute, values_of(node)) for node in nodes), links)


class Looks:
    """How materials are made, looked at again where Blender says that one has changed."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, ...]] = {}
        self._lists = (bpy.app.handlers.depsgraph_update_post, bpy.app.handlers.frame_change_post)
        for calls in self._lists:
            calls.append(self._hear)

    def of(self, material: Any, look: Callable[[Any], tuple[object, ...]]) -> tuple[object, ...]:
        """Return how a material is made."""
        if not all(self._hear in calls for calls in self._lists):  # the script has cleared them
            return look(material)
        uid = material.session_uid
        if uid not in self._known:
            self._known[uid] = look(material)
        return self._known[uid]

    def forget(self) -> None:
        """Look at all of them again."""
        self._known.clear()

    def _hear(self, _scene: Any, depsgraph: Any = None) -> None:
        if depsgraph is None:
            self.forget()
            return
        for update in depsgraph.updates:
            if isinstance(update.id, bpy.types.Material):
                original: Any = update.id.original
                self._known.pop(original.session_uid, None)
            elif isinstance(update.id, bpy.types.NodeTree):
                self._shared(update.id)

    def _shared(self, tree: Any) -> None:
        """Forget all where a group of nodes has changed, which many may use."""
        if not tree.is_embedded_data:
            self.forget()


def values_of(node: Any) -> tuple[object, ...]:
    """Return the numbers of a node's inputs."""
    found = []
    for socket in node.inputs:
        value = getattr(socket, "default_value", None)
        found.append(value if isinstance(value, float | int | str) else plain(value))
    return tuple(found)


def plain(value: Any) -> object:
    """Return a vector or colour as a tuple; of anything else, what tells it from others."""
    try:
        return tuple(value)
    except TypeError:
        return getattr(value, "session_uid", None)


def nodes_of_materials() -> dict[int, frozenset[str]]:
    """Return the names of the nodes of each material."""
    return {
        material.session_uid: frozenset(node.name for node in material.node_tree.nodes)
        for material in bpy.data.materials
        if material.node_tree is not None
    }


def caches_of(scene: Any) -> Iterator[Any]:
    """Yield the caches of all that moves by physics."""
    if scene.rigidbody_world is not None:
        yield scene.rigidbody_world.point_cache
    for item in scene.objects:
        for modifier in item.modifiers:
            if modifier.type in CACHED:
                yield modifier.point_cache
        for system in item.particle_systems:
            yield system.point_cache


def put(owner: Any, name: str, value: object) -> None:
    """Set a property that has another value: to set it resets caches."""
    if getattr(owner, name) != value:
        setattr(owner, name, value)


def settings_of(scene: Any) -> dict[str, dict[str, object]]:
    """Return the settings of a scene that are the farm's, by what has them."""
    return {
        name: {
            each.identifier: value_of(owner, each.identifier)
            for each in owner.bl_rna.properties
            if each.type in SETTINGS and not each.is_readonly and each.identifier not in THEIRS
        }
        for name, owner in owners_of(scene)
    }


def owners_of(scene: Any) -> Iterable[tuple[str, Any]]:
    """Return what of a scene says how it is rendered."""
    layer = scene.view_layers[0]
    return (
        ("scene.render", scene.render), ("scene.cycles", scene.cycles), ("view_layer", layer),
        ("view_layer.cycles", layer.cycles),
        ("scene.render.image_settings", scene.render.image_settings),
    )  # fmt: skip


def value_of(owner: Any, name: str) -> object:
    """Return a property; of an array, its numbers."""
    value = getattr(owner, name)
    return value if isinstance(value, bool | int | float | str | set) else tuple(value)


def put_back(scene: Any, before: dict[str, dict[str, object]]) -> list[str]:
    """Set settings as they were; return the names of those that were not."""
    found = []
    for owner_name, owner in owners_of(scene):
        for name, value in before[owner_name].items():
            if value_of(owner, name) != value:
                with suppress(AttributeError, TypeError, ValueError):
                    setattr(owner, name, value)
                    found.append(f"{owner_name}.{name}")
    return found


def handler_lists() -> list[Any]:
    """Return what Blender calls at its events, one list for each."""
    found = (getattr(bpy.app.handlers, name) for name in sorted(dir(bpy.app.handlers)))
    return [each for each in found if isinstance(each, list)]


def handlers() -> list[list[Any]]:
    """Return what Blender calls now."""
    return [list(each) for each in handler_lists()]


def show_in_window(scene: Any) -> None:
    """Let `bpy.context.scene` be a scene."""
    for window in bpy.data.window_managers[0].windows if bpy.data.window_managers else ():
        if window.scene != scene:
            window.scene = scene
