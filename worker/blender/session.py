"""Blender's state and its only owner: reset, configure, import, render."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bpy

from farm.errors import AssetError, GpuMemoryError, RenderError, StorageError, TaskError
from farm.spec.asset import Asset
from farm.spec.camera import Matrix4, OrbitCamera
from farm.spec.passes import PassName
from farm.spec.render import ResolvedRender
from worker.blender import camera as cameras
from worker.blender import (
    environment,
    fbx,
    file_colours,
    file_scene,
    gltf,
    gpu_memory,
    hygiene,
    importers,
    metaballs,
    obj,
    outside,
    subdivision,
    test_card,
    usd_marks,
    vertex_colours,
)  # fmt: skip
from worker.blender.file_scene import FileScene
from worker.blender.measure import measure
from worker.blender.model import (
    Model,
    add_parent,
    add_twin,
    describe,
    is_flat,
    scale_lamps,
    wants_twin,
)  # fmt: skip
from worker.blender.readable import readable
from worker.blender.scratch import LastMade, Scratch
from worker.blender.settings import (
    MAX_BOUNCES,
    choose_device,
    set_fixed,
    set_light_limits,
    set_quality,
    set_sampling,
    set_tiles,
)  # fmt: skip
from worker.blender.view_passes import STICKY, Sampling, plan_samplings
from worker.device import claim_device, parse_device
from worker.intake import check_asset
from worker.limits import give_back_memory
from worker.panorama.correct import Picture, Shelf, corrected

log = logging.getLogger(__name__)

LARGEST = 1e12
"""Units that a model may measure; a part that is further off is there by mistake."""
NUMBER_BYTES = 4 * 1.5
"""Room per number of a pixel in the scratch, with some to spare."""
PICTURE: tuple[PassName, ...] = ("rgb", "mask")

Operator = Callable[..., Any]
USD = (".usd", ".usda", ".usdc", ".usdz")


class BlenderSession:
    """One warm Blender: a clean scene, one model, one environment, one camera, one device."""

    def __init__(self, device: str, scratch: Path, threads: int | None = None) -> None:
        self.device = parse_device(device)
        claim_device(self.device)
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._scratch = Scratch(scratch)
        preferences: Any = bpy.context.preferences
        preferences.filepaths.use_scripts_auto_execute = False
        preferences.filepaths.temporary_directory = str(self._scratch.folder)
        self._addons: Any = preferences.addons
        scene = bpy.context.scene
        assert scene is not None
        self.scene: Any = scene  # Cycles adds its settings at run time
        self._home: Any = scene
        self._threads = threads
        cycles_preferences = self._addons["cycles"].preferences
        self.device_name = choose_device(self.scene, cycles_preferences, self.device)
        set_fixed(self.scene, threads=threads)
        self._world = environment.add_world(scene)
        self._camera = cameras.add_camera(scene)
        self._model: tuple[tuple[str, str, bool], Model | FileScene] | None = None
        self._copies: list[Path] = []
        """Files that the model reads from while it stands, each in a folder of its own."""
        self._hdr: tuple[tuple[str, str], bpy.types.Image] | None = None
        self._asked: tuple[ResolvedRender, tuple[PassName, ...]] = (test_card.CARD, PICTURE)
        self._last_made = LastMade()
        self.shelf: Shelf = self._last_made
        self.hdr_notes: tuple[str, ...] = ()
        self._samplings: tuple[Sampling, ...] = ()
        self._sticky: frozenset[str] = frozenset()
        self._sampled: tuple[Sampling, int] | None = None
        self._own = {block.session_uid for block in hygiene.all_ids()}

    def render_test_card(self) -> Path:
        """Render the picture that `worker.proof` knows; the model of before is freed.

        Raises:
            TaskError: Cycles did not deliver.
        """
        self.free_model()
        self.configure(test_card.CARD)
        environment.set_strength(self._world, 0.0)
        test_card.add_test_card(self.scene)
        self.set_camera(test_card.POSE, test_card.CAMERA, distance=test_card.CAMERA.distance)
        try:
            return self.render(seed=0)
        finally:
            self.free_model()
            self.set_light(1.0)

    @property
    def device_label(self) -> str:
        """What records say of the device: `cpu`, or such as `optix:0 (NVIDIA L40S)`."""
        kind = str(self.device)
        return kind if self.device.kind == "cpu" else f"{kind} ({self.device_name})"

    @property
    def blender_version(self) -> str:
        """Such as `5.2.3 LTS`."""
        return bpy.app.version_string

    @property
    def denoiser(self) -> str | None:
        """The denoiser that acts on the pictures now."""
        cycles = self.scene.cycles
        return str(cycles.denoiser).lower() if cycles.use_denoising else None

    def configure(self, settings: ResolvedRender, passes: tuple[PassName, ...] = PICTURE) -> None:
        """Set size, quality and passes of the pictures to come."""
        set_quality(self.scene, settings, device=self.device)
        self._asked = (settings, passes)
        self._plan()
        sticky = self._samplings[0].cycles_passes & STICKY
        self._sampled = None
        self._sample(self._samplings[0])
        if sticky != self._sticky:
            self._sticky = sticky
            self._forget_kept()
        self.set_light(1.0)

    def _plan(self) -> None:
        """Choose the samplings, which hang on what is asked for and on the model."""
        settings, passes = self._asked
        self._samplings = plan_samplings(
            passes,
            samples=settings.samples,
            denoise=settings.denoise,
            see_through=self._model is not None and bool(self._model[1].clear_cut),
        )

    @property
    def wants_centres(self) -> bool:
        """Labels take a sample of their own: `render_centres` after `render`."""
        return len(self._samplings) > 1

    # Assets

    def load_model(self, asset: Asset, *, file_lights: bool) -> Model:
        """Stand a model in the scene, unless it stands there already.

        Raises:
            AssetError: It cannot be read, or shows nothing.
        """
        key = (asset.sha256, asset.path, file_lights)
        if self._model and self._model[0] == key and isinstance(self._model[1], Model):
            return self._model[1]
        self.free_model()
        check_asset(asset)
        try:
            model = self._stand(asset, file_lights=file_lights)
        except TaskError:
            self.free_model()
            raise
        self._model = (key, model)
        self._plan()
        return model

    def open_scene(self, asset: Asset) -> FileScene:
        """Render a file's own scene from now on, whole, unless it is rendered already.

        Raises:
            AssetError: It cannot be read, or shows nothing.
        """
        key = (asset.sha256, asset.path, True)
        if self._model and self._model[0] == key and isinstance(self._model[1], FileScene):
            return self._model[1]
        self.free_model()
        check_asset(asset)
        try:
            opened = self._open(asset)
        except TaskError:
            self.free_model()
            raise
        self._model = (key, opened)
        self.configure(*self._asked)
        return opened

    def _open(self, asset: Asset) -> FileScene:
        path, home = Path(asset.path), outside.home_of(asset)
        if path.suffix.lower() == ".blend":
            with outside.impatience():
                scene: Any = importers.main_scene(importers.append_blend(path))
            unread = outside.shut_out(home, ours=self._ours()) + importers.missing_links()
        else:
            brought = self._import(path, home)
            scene, unread = importers.scene_of(brought.objects), brought.unread
        strangers = (block for block in hygiene.all_ids() if block.session_uid not in self._own)
        hygiene.disarm(strangers, opened=scene)
        check_faces(path, self._strangers())
        self._adopt(scene)
        found = measure(self.scene, self._render_nothing)
        if not found.objects:
            raise AssetError(str(path), importers.nothing_to_render(self._strangers()))
        return file_scene.describe(str(path), scene, found, unread)

    def _adopt(self, scene: Any) -> None:
        """Render another scene than our own, by our own rules."""
        file_scene.make_plain(scene)
        if scene.camera is None:  # Blender renders nothing without one
            scene.collection.objects.link(self._camera)
            scene.camera = self._camera
        self.scene = scene
        self.scene.render.engine = self._home.render.engine
        self.scene.cycles.device = self._home.cycles.device
        set_fixed(self.scene, threads=self._threads)
        self.configure(*self._asked)

    def free_model(self) -> None:
        """Remove the model, or the scene that was opened, and all that came with it."""
        self._model = None
        if self.scene != self._home:
            self.scene = self._home
            self.configure(*self._asked)
        self._plan()
        hygiene.keep_only(self._ours())
        while self._copies:
            shutil.rmtree(self._copies.pop().parent, ignore_errors=True)
        self.scene.frame_set(1)
        give_back_memory()

    def _ours(self) -> set[int]:
        """Return the session ids of what is not the model's."""
        return self._own | ({self._hdr[1].session_uid} if self._hdr else set())

    def load_hdr(self, asset: Asset) -> None:
        """Light the scene with an environment, unless it does already.

        Raises:
            AssetError: It is not an HDR environment, or damaged.
        """
        key = (asset.sha256, asset.path)
        if self._hdr is not None and self._hdr[0] == key:
            return
        check_asset(asset)
        self._hdr = None  # its picture may go as soon as there is another
        picture = self._corrected(asset)
        image = environment.load_picture(picture.path, asset.path)
        environment.set_picture(self._world, image)
        self._hdr, self.hdr_notes = (key, image), picture.notes

    def _corrected(self, asset: Asset) -> Picture:
        """Return the picture of an environment as its header means it."""
        try:
            return corrected(asset, self.shelf)
        except StorageError as error:
            if asset.in_library or self.shelf is self._last_made:
                raise
            log.warning("no cache for a corrected environment: %s", error)
        return corrected(asset, self._last_made)

    def _stand(self, asset: Asset, *, file_lights: bool) -> Model:
        path = Path(asset.path)
        brought = self._import(path, outside.home_of(asset))
        everything = self._strangers()
        hygiene.disarm(block for block in hygiene.all_ids() if block.session_uid not in self._own)
        hygiene.hide_compositing_aids(everything)
        vertex_colours.show(everything, with_alpha=path.suffix.lower() == ".ply")
        if not file_lights:
            hygiene.switch_off_lights(everything)
        check_faces(path, everything)
        objects = metaballs.as_meshes(self.scene, brought.objects)
        collection, parent = add_parent(self.scene, objects)
        found = measure(self.scene, self._render_nothing)
        if found.panels and not file_lights and not found.is_all_panels:
            hygiene.hide(found.panels.values())
            found = measure(self.scene, self._render_nothing)
        bounds = found.bounds()
        if bounds is None or is_flat(bounds):
            raise AssetError(str(path), importers.nothing_to_render(everything))
        if bounds.size > LARGEST:
            raise AssetError(str(path), f"it is {bounds.size:.1e} units large: it is damaged")
        if file_lights:
            scale_lamps(everything, 1.0 / bounds.size)
        model = describe(collection, parent, bounds, found)
        model.metres_per_file_unit, model.unread = brought.metres_per_unit, brought.unread
        if wants_twin(found, true_strength=model.true_strength):
            add_twin(self.scene, collection)
            model.has_twin = True
        model.turn(0.0)
        return model

    def _strangers(self) -> list[bpy.types.Object]:
        """Return the objects that came with the model."""
        return [item for item in bpy.data.objects if item.session_uid not in self._own]

    def _import(self, path: Path, home: Path | None) -> importers.Brought:
        """Bring a file's objects in; return those that it renders."""
        if path.suffix.lower() == ".blend":
            return self._append(path, home)
        outside.check_uris(path, home)
        with readable(path, self._scratch) as file:
            try:
                with outside.impatience():
                    unread = self._run_importer(file, home)
            except (RuntimeError, ValueError, OSError) as error:
                raise AssetError(
                    str(path), f"Blender cannot import it: {importers.sentence(error, file)}"
                ) from error
        unread += outside.shut_out(home, ours=self._ours(), copies=self._copies)
        unread += file_colours.settle(path, self._strangers())
        objects = [
            item
            for item in importers.visible_objects(self.scene)
            if item.session_uid not in self._own
        ]
        self._take_out_of_scene()
        return importers.Brought(objects, unread)

    def _append(self, path: Path, home: Path | None) -> importers.Brought:
        """Bring the objects of a .blend in."""
        with outside.impatience():
            scenes = importers.append_blend(path)
        dropped = outside.shut_out(home, ours=self._ours())
        scene = importers.main_scene(scenes)
        self.scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        return importers.Brought(
            importers.visible_objects(scene),
            dropped + importers.missing_links(),
            scene.unit_settings.scale_length,
        )

    def _run_importer(self, path: Path, home: Path | None) -> tuple[str, ...]:
        """Let Blender import a file; return what of it could not be read."""
        operator, options = IMPORTERS[path.suffix.lower()]
        if path.suffix.lower() in (".gltf", ".glb"):
            return self._run_gltf_importer(operator, {"filepath": str(path)} | options)
        if path.suffix.lower() == ".obj":
            with obj.as_blender_reads_it(path, home, self._scratch.folder) as (file, read):
                operator(filepath=str(file), **options)
            vertex_colours.undress(self._strangers(), read.lost)
            return read.unread
        if path.suffix.lower() in USD:
            return self._run_usd_importer(path, operator, options)
        operator(filepath=str(path), **options)
        if path.suffix.lower() == ".fbx":
            fbx.hide_hidden(self._strangers())
            return subdivision.bound(self._strangers())
        return ()

    def _run_usd_importer(
        self, path: Path, operator: Operator, options: dict[str, Any]
    ) -> tuple[str, ...]:
        """Import a USD file, or a copy that says more; it stays, since caches read from it."""
        from worker.blender import usd_stage  # takes its time: others do without

        told = usd_stage.look_into(path, self._scratch)
        if told.copy is None:
            operator(filepath=str(path), **options)
            return told.unread
        self._copies.append(told.copy)
        operator(filepath=str(told.copy), import_subdivision=True, **options)
        return told.unread + usd_marks.finish(self._strangers())

    def _run_gltf_importer(self, operator: Operator, options: dict[str, Any]) -> tuple[str, ...]:
        """Import a glTF; where what pointers animate is too much, without their animation."""
        reading = gltf.Reading()
        try:
            with gltf.told_by(reading, self._addons):
                operator(**options)
        except RuntimeError:
            if not reading.has_pointers:
                raise
            hygiene.keep_only(self._ours())
            reading = gltf.Reading(pointers=False)
            with gltf.told_by(reading, self._addons):
                operator(**options)
        return reading.unread

    def _take_out_of_scene(self) -> None:
        """Undo what an importer did to the scene itself."""
        root = self.scene.collection
        for item in list(root.objects):
            if item.session_uid not in self._own:
                root.objects.unlink(item)
        for child in list(root.children):
            root.children.unlink(child)
        self.scene.world = self._world
        self.scene.camera = self._camera
        self.scene.frame_set(1)

    # Pictures

    def set_light(self, strength: float) -> None:
        """Set the environment's true strength, and what Cycles measures light against."""
        environment.set_strength(self._world, strength)
        set_light_limits(self.scene, strength)

    def set_camera(
        self, world_from_camera: Matrix4, camera: OrbitCamera, *, distance: float
    ) -> None:
        """Stand the camera with the lens of `camera`."""
        cameras.set_camera(
            self._camera,
            world_from_camera,
            distance=distance,
            focal_length_mm=camera.focal_length_mm,
            sensor_width_mm=camera.sensor_width_mm,
        )

    def render_centres(self, *, seed: int) -> Path:
        """Render what labels cannot have from the picture, as it is at the pixels' centres.

        Only where it `wants_centres`: after `render`, of the same scene.
        """
        return self._render(self._samplings[1], seed=seed)

    def render(self, *, seed: int) -> Path:
        """Render the passes into a file, which is the caller's to remove.

        Raises:
            GpuMemoryError: It does not fit into the GPU's memory, in small tiles either.
            RenderError: Cycles did not deliver.
        """
        return self._render(self._samplings[0], seed=seed)

    def _render(self, sampling: Sampling, *, seed: int) -> Path:
        self._sample(sampling)
        try:
            return self._render_file(seed=seed)
        except GpuMemoryError as error:
            if self.scene.cycles.tile_size == gpu_memory.SMALL_TILE_PX:
                raise
            log.warning("the GPU's memory ran out, trying smaller tiles: %s", error)
        self._forget_kept()
        set_tiles(self.scene, gpu_memory.SMALL_TILE_PX)  # until the next task
        return self._render_file(seed=seed)

    def _sample(self, sampling: Sampling) -> None:
        """Set what the next picture holds; where no light is asked for, paths end at a surface."""
        if self._model is not None:
            self._model[1].clear_cut.turn(on=sampling.clear_cut)
        misty = self._model is None or self._model[1].is_thin_air
        wanted = (sampling, MAX_BOUNCES if sampling.lit or misty else 0)
        if self._sampled != wanted:
            self._sampled = wanted
            set_sampling(self.scene, sampling, bounces=wanted[1])

    def _render_file(self, *, seed: int) -> Path:
        self.scene.cycles.seed = seed
        render = self.scene.render
        numbers = max(sampling.channels for sampling in self._samplings)
        path = self._scratch.new_file(
            render.resolution_x * render.resolution_y * numbers * NUMBER_BYTES
        )
        render.filepath = str(path)
        # With persistent data Cycles reads its own settings again only if the scene is tagged.
        render.film_transparent = render.film_transparent
        self._run_renderer(write_still=True)
        if not path.exists():
            raise RenderError(f"Cycles wrote no picture to {path}")
        return path

    def close(self) -> None:
        """Remove the scratch files."""
        self._scratch.close()
        self._last_made.close()

    def _run_renderer(self, *, write_still: bool) -> None:
        try:
            bpy.ops.render.render(write_still=write_still, scene=self.scene.name)
        except RuntimeError as error:
            text = " ".join(str(error).split())
            if self.device.kind != "cpu" and gpu_memory.ran_out(text):
                raise gpu_memory.gave_up(text) from error
            raise RenderError(f"Cycles refused: {text}") from error

    def _forget_kept(self) -> None:
        """Let Cycles forget what it keeps, on the device too, between pictures."""
        self.scene.render.use_persistent_data = False
        self.scene.render.use_persistent_data = True

    def _render_nothing(self) -> None:
        """Run the scene's renderer for its depsgraph alone."""
        self._run_renderer(write_still=False)


def check_faces(path: Path, objects: Iterable[bpy.types.Object]) -> None:
    """Hold that modifiers do not blow a file's objects up.

    Raises:
        AssetError: They would; nothing is evaluated.
    """
    for name, faces in hygiene.oversized(objects):
        reason = f"the modifiers of {name!r} would make about {faces:,} faces"
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
