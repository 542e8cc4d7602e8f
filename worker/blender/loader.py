"""Files of models and scenes: brought into Blender with every guard, and freed again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bpy

from farm.errors import AssetError
from farm.spec.asset import Asset
from worker.assets.check import check_asset
from worker.blender import baked_file
from worker.blender.clips import Clips, clips_of, span
from worker.blender.curves import curves_of
from worker.blender.environment import Environment
from worker.blender.formats import (
    fbx,
    file_colours,
    file_time,
    gltf,
    gltf_curves,
    importers,
    obj,
    obj_textures,
    subdivision,
    usd_marks,
)
from worker.blender.formats.file_time import FileTime
from worker.blender.formats.readable import readable
from worker.blender.guards import disarm, file_access
from worker.blender.leftovers import Leftovers
from worker.blender.materials import vertex_colours  # fmt: skip
from worker.blender.models.belongings import Belongings
from worker.blender.scratch import Scratch
from worker.sandbox.rlimits import give_back_memory

Operator = Callable[..., Any]
GLTF_FIRST, FBX_FIRST = 0, 1
"""Frame that Blender's importers give to the first moment of a file."""
USD = (".usd", ".usda", ".usdc", ".usdz")
OURS = "viewfarm"
"""Begins the names of what is the session's own, where it gives way to those of files."""


class BroughtScene(NamedTuple):
    """A scene that came with a file."""

    scene: bpy.types.Scene
    unread: tuple[str, ...]
    """What of the file could not be read."""
    python_drivers: tuple[str, ...]
    """What Python drove of all that the scene shows, before that was taken out."""
    time: FileTime
    clips: Clips
    """Animations, where the file has several."""


class Loader:
    """Brings the files of assets into Blender, and owns what came with them.

    What is there when it is made is the session's own.
    """

    def __init__(
        self,
        scene: bpy.types.Scene,
        environment: Environment,
        scratch: Scratch,
        addons: Any,
        leftovers: Leftovers,
    ) -> None:
        self._scene = scene
        self._leftovers = leftovers
        self._world, self._camera = scene.world, scene.camera
        self._time = file_time.time_of(scene)
        self._environment = environment
        self._scratch = scratch
        self._addons = addons
        self._copies: list[Path] = []
        """Files that the model reads from while it stands, each in a folder of its own."""
        self._own = session_ids()
        self._known = self._own
        """What was there before the current file."""

    def bring_model(
        self, asset: Asset, *, file_lights: bool, others_faces: int | None = None
    ) -> importers.ImportedObjects:
        """Bring the objects of a file in, harmless and dressed, for a scene of ours.

        Args:
            asset: The file.
            file_lights: Its lamps shine.
            others_faces: Faces of the models that it is to stand beside; None: it stands alone.

        Raises:
            AssetError: It cannot be read, or would outgrow the memory.
        """
        self._begin(asset)
        path, home = Path(asset.path), file_access.home_of(asset)
        brought = self._import(path, home)
        file_access.check_borrowed(path, home, self._borrowed())
        everything = self.strangers()
        disarm.disarm(self.strange_ids())
        disarm.hide_compositing_aids(everything)
        vertex_colours.show(everything, with_alpha=path.suffix.lower() == ".ply")
        if not file_lights:
            disarm.switch_off_lights(everything)
        check_faces(path, everything)
        if others_faces is not None:
            check_total(path, others_faces + disarm.expected_total(everything))
        self._leftovers.welcome(self.strange_ids())
        return brought

    def give_way(self) -> None:
        """Give what is ours names that no file has: what comes keeps its own."""
        for block in disarm.all_ids():
            is_ours = block.session_uid in self._own and not block.name.startswith(OURS)
            if is_ours and not block.is_property_readonly("name"):
                block.name = f"{OURS} {block.name}"

    def bring_scene(
        self,
        asset: Asset,
        baked: Path | None = None,
        *,
        fps: float | None = None,
        everything: bool = False,
    ) -> BroughtScene:
        """Bring a file's own scene in, harmless, or what was baked of it.

        Args:
            asset: The file.
            baked: What was baked of it, which is brought in its place.
            fps: Frames per second of a file that states none; left out: 24.
            everything: Bring also what no scene of a .blend uses.

        Raises:
            AssetError: It cannot be read, or would outgrow the memory.
        """
        self._begin(asset)
        path, home = Path(asset.path), file_access.home_of(asset)
        if baked is not None or path.suffix.lower() == ".blend":
            with file_access.impatience():
                scene = (
                    importers.main_scene(importers.append_blend(path, everything=everything))
                    if baked is None
                    else baked_file.append(baked, home=home, known=self._known)
                )
            unread = file_access.shut_out(home, ours=self._known)
            unread += importers.missing_links(self.strange_ids())
            unread += importers.undrawn(importers.visible_objects(scene))
            time, clips = file_time.time_of(scene), Clips({})
        else:
            brought = self._import(path, home, moves=True)
            scene, unread = importers.scene_of(brought.objects), brought.unread
            time = self._time_of(path, brought, fps or file_time.DEFAULT_FPS)
            clips = clips_of(path.suffix.lower(), self.strange_ids())
            file_time.set_time(scene, time)
        python_drivers = tuple(sorted(disarm.scripted_drivers(self._used_by(scene))))
        disarm.disarm(self.strange_ids(), opened=scene)
        check_faces(path, self.strangers())
        return BroughtScene(scene, unread, python_drivers, time, clips)

    def _time_of(self, path: Path, brought: importers.ImportedObjects, fps: float) -> FileTime:
        """Return the time of a file that was just imported."""
        if path.suffix.lower() in USD:
            from worker.blender.formats import usd_stage  # takes its time: others do without

            return usd_stage.time_of(path)
        actions = [block for block in self.strange_ids() if isinstance(block, bpy.types.Action)]
        first = FBX_FIRST
        if path.suffix.lower() == ".fbx":
            fps = brought.fps
            fbx.unwind(actions)
        else:
            first = GLTF_FIRST
            gltf_curves.gather_handles(actions, fps=fps)
        if not any(True for action in actions for _ in curves_of(action)):
            return FileTime(fps, first, first, is_still=True)
        return FileTime(fps, *span(actions))

    def _used_by(self, scene: bpy.types.Scene) -> list[bpy.types.ID]:
        """Return the scene with all of the current file that it uses."""
        used = disarm.reachable({scene.session_uid})
        return [block for block in self.strange_ids() if block.session_uid in used]

    def _begin(self, asset: Asset) -> None:
        """Take what is there for known, and look at a file."""
        check_asset(asset)
        self._known = session_ids()

    def collect(self) -> Belongings:
        """Return what came with the current file, or was made for it; it is known from now on."""
        strange = list(self.strange_ids())
        copies, self._copies = self._copies, []
        self._known = session_ids()
        return Belongings({block.session_uid: block.name for block in strange}, copies)

    def free(self, but: Iterable[Belongings] = ()) -> None:
        """Remove all that was brought, but for what belongs to some models and what they use."""
        belonging = [uid for each in but for uid in each.names]
        kept = self._ours() | (disarm.reachable(set(belonging)) if belonging else set())
        self._leftovers.leave(each for each in disarm.all_ids() if each.session_uid not in kept)
        disarm.keep_only(kept | self._leftovers.held)
        Belongings(copies=self._copies).free_copies()
        self._scene.frame_set(1)
        give_back_memory()

    def strangers(self) -> list[bpy.types.Object]:
        """Return the objects that came with the current file."""
        return [item for item in bpy.data.objects if item.session_uid not in self._known]

    def strange_ids(self) -> Iterator[bpy.types.ID]:
        """Yield what came with the current file."""
        return (block for block in disarm.all_ids() if block.session_uid not in self._known)

    def meshes(self) -> list[bpy.types.Mesh]:
        """Return the meshes that the current file brought, or uses beside other models."""
        outsiders = self._known - {block.session_uid for block in self._borrowed()}
        return [mesh for mesh in bpy.data.meshes if mesh.session_uid not in outsiders]

    def _borrowed(self) -> list[bpy.types.ID]:
        """Return what the current file uses that came with other models, which stand beside it."""
        others = self._known - self._ours()
        if not others:
            return []
        strange = {block.session_uid for block in self.strange_ids()}
        used = disarm.reachable(strange) & others
        return [block for block in disarm.all_ids() if block.session_uid in used]

    def _ours(self) -> set[int]:
        """Return the session ids of what came with no file of a model or scene."""
        image = self._environment.image
        return self._own | self._leftovers.held | ({image.session_uid} if image else set())

    def _import(
        self, path: Path, home: Path | None, *, moves: bool = False
    ) -> importers.ImportedObjects:
        """Bring a file's objects in; return those that it renders."""
        if path.suffix.lower() == ".blend":
            return self._append(path, home)
        file_access.check_uris(path, home)
        with readable(path, self._scratch) as file:
            try:
                with file_access.impatience():
                    unread = self._run_importer(file, home, moves=moves)
            except (RuntimeError, ValueError, OSError) as error:
                raise AssetError(
                    str(path), f"Blender cannot import it: {importers.sentence(error, file)}"
                ) from error
        unread += file_access.shut_out(home, ours=self._known, copies=self._copies)
        unread += file_colours.settle(path, self.strangers())
        objects = [
            item
            for item in importers.visible_objects(self._scene)
            if item.session_uid not in self._known
        ]
        fps = file_time.time_of(self._scene).fps
        self._take_out_of_scene()
        return importers.ImportedObjects(objects, unread, fps=fps)

    def _append(self, path: Path, home: Path | None) -> importers.ImportedObjects:
        """Bring the objects of a .blend in."""
        with file_access.impatience():
            scenes = importers.append_blend(path)
        dropped = file_access.shut_out(home, ours=self._known)
        scene = importers.main_scene(scenes)
        self._scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        visible = importers.visible_objects(scene)
        lost = importers.missing_links(self.strange_ids()) + importers.undrawn(visible)
        return importers.ImportedObjects(
            visible,
            dropped + lost,
            scene.unit_settings.scale_length,
            scene.frame_current + scene.frame_subframe,
        )

    def _run_importer(self, path: Path, home: Path | None, *, moves: bool) -> tuple[str, ...]:
        """Let Blender import a file; return what of it could not be read."""
        operator, options = IMPORTERS[path.suffix.lower()]
        if path.suffix.lower() in (".gltf", ".glb"):
            return self._run_gltf_importer(operator, {"filepath": str(path)} | options, moves=moves)
        if path.suffix.lower() == ".obj":
            with obj.as_blender_reads_it(path, home, self._scratch.folder) as (file, read):
                operator(filepath=str(file), **options)
            vertex_colours.undress(self.strangers(), read.lost)
            obj_textures.settle(
                block for block in self.strange_ids() if isinstance(block, bpy.types.Material)
            )
            return read.unread
        if path.suffix.lower() in USD:
            return self._run_usd_importer(path, operator, options, moves=moves)
        operator(filepath=str(path), **options)
        if path.suffix.lower() == ".fbx":
            fbx.hide_hidden(self.strangers())
            return subdivision.bound(self.strangers())
        return ()

    def _run_usd_importer(
        self, path: Path, operator: Operator, options: dict[str, Any], *, moves: bool
    ) -> tuple[str, ...]:
        """Import a USD file, or a copy that says more; it stays, since caches read from it."""
        from worker.blender.formats import usd_stage  # takes its time: others do without

        told = usd_stage.look_into(path, self._scratch, moves=moves)
        if told.copy is None:
            operator(filepath=str(path), **options)
            return told.unread
        self._copies.append(told.copy)
        operator(filepath=str(told.copy), import_subdivision=True, **options)
        return told.unread + usd_marks.finish(self.strangers())

    def _run_gltf_importer(
        self, operator: Operator, options: dict[str, Any], *, moves: bool
    ) -> tuple[str, ...]:
        """Import a glTF; where what pointers animate is too much, without their animation."""
        reading = gltf.Reading(moves=moves)
        try:
            with gltf.told_by(reading, self._addons):
                operator(**options)
        except RuntimeError:
            if not reading.has_pointers:
                raise
            disarm.keep_only(self._known)
            reading = gltf.Reading(pointers=False, moves=moves)
            with gltf.told_by(reading, self._addons):
                operator(**options)
        return reading.unread

    def _take_out_of_scene(self) -> None:
        """Undo what an importer did to the scene itself."""
        root = self._scene.collection
        for item in list(root.objects):
            if item.session_uid not in self._known:
                root.objects.unlink(item)
        for child in list(root.children):
            root.children.unlink(child)
        file_time.set_time(self._scene, self._time)
        self._scene.world = self._world
        self._scene.camera = self._camera
        self._scene.frame_set(1)


def session_ids() -> set[int]:
    """Return the session ids of all that is there now."""
    return {block.session_uid for block in disarm.all_ids()}


def check_faces(path: Path, objects: Iterable[bpy.types.Object]) -> None:
    """Hold that modifiers do not blow a file's objects up.

    Raises:
        AssetError: They would; nothing is evaluated.
    """
    for name, faces in disarm.oversized(objects):
        reason = f"the modifiers of {name!r} would make about {faces:,} faces"
        raise AssetError(str(path), reason)


def check_total(path: Path, faces: int) -> None:
    """Hold that a model does not outgrow the memory together with those that it stands beside.

    Raises:
        AssetError: It would; nothing of it is evaluated.
    """
    if faces > disarm.MAX_FACES:
        reason = f"with the models beside it there would be about {faces:,} faces: use fewer models"
        raise AssetError(str(path), reason)


IMPORTERS: dict[str, tuple[Operator, dict[str, Any]]] = {
    # Pictures stay beside the file, where `outside` sees whose they are.
    **dict.fromkeys((".glb", ".gltf"), (bpy.ops.import_scene.gltf, {"import_pack_images": False})),
    ".obj": (bpy.ops.wm.obj_import, {}),
    ".ply": (bpy.ops.wm.ply_import, {"import_colors": "LINEAR"}),  # as they are: `file_colours`
    ".stl": (bpy.ops.wm.stl_import, {}),
    ".fbx": (bpy.ops.wm.fbx_import, {"import_subdivision": True}),
    **dict.fromkeys(
        USD,
        (bpy.ops.wm.usd_import, {"set_frame_range": False, "create_world_material": False}),
    ),
}
