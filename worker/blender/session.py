"""Blender's state and its only owner: reset, configure, stand, render."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Hashable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import bpy

from farm.errors import AssetError, StorageError, TaskError
from farm.projection import orbit_recorded
from farm.spec.asset import Asset
from farm.spec.camera import FileCamera, Matrix4, OrbitCamera, PoseCamera
from farm.spec.passes import PassName
from farm.spec.record import CameraRecord
from farm.spec.render import Prefilter, ResolvedRender
from farm.spec.rigs import Frame
from farm.spec.task import Need
from worker.blender import (
    baked_file,
    baking,
    cutting,
    eevee,
    file_scene,
    test_card,
    tracks,
)
from worker.blender import camera as cameras
from worker.blender.bodies import Bodies, note_bodies
from worker.blender.cycles import Cycles
from worker.blender.environment import Environment
from worker.blender.file_scene import FileScene
from worker.blender.formats import importers
from worker.blender.ground import ground
from worker.blender.guards import file_access
from worker.blender.leftovers import Leftovers
from worker.blender.loader import BroughtScene, Loader
from worker.blender.materials.own_numbers import keep_numbers
from worker.blender.materials.tellers import Tellers
from worker.blender.models import measure
from worker.blender.models.group import Models
from worker.blender.models.model import Model
from worker.blender.models.pass_indices import in_order, number
from worker.blender.models.standing import Standing, key_of
from worker.blender.physics.fall import Fallen, Rigid, let_fall
from worker.blender.physics.solid import Solid
from worker.blender.physics.solids import Solids, solid_of
from worker.blender.physics.surfaces import alone, surface_of
from worker.blender.picture_request import PictureRequest
from worker.blender.randomised.dressing import Dressing
from worker.blender.scratch import Scratch
from worker.blender.settings import (
    MAX_BOUNCES,
    choose_device,
    set_fixed,
    set_light_limits,
    set_quality,
)  # fmt: skip
from worker.blender.startup_scene import make_startup_scene
from worker.blender.surroundings import Surroundings, surroundings
from worker.blender.survey import Survey, survey
from worker.blender.time_dependent import TimeDependent
from worker.blender.user_scene import UserScene, nodes_of_materials
from worker.blender.view_passes import (
    AOVS,
    STICKY,
    Sampling,
    environment_alone,
    index_alone,
    picture_alone,
    set_view_layer,
)
from worker.blender.watch import Watcher, unwatch, watch
from worker.device.device import claim_device, parse_device
from worker.images.cut import Cut, Window, is_bare_beside, is_cut_off
from worker.images.multilayer import Delivery, Held, read_passes
from worker.panorama.backdrop import View
from worker.points.silhouettes import Clip

log = logging.getLogger(__name__)

PICTURE: tuple[PassName, ...] = ("rgb", "mask")


class BlenderSession:
    """One warm Blender: a clean scene, models, one environment, one camera, one device."""

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
        self._home: Any = scene  # Cycles adds its settings at run time
        self.cycles = Cycles(
            scene,
            self._scratch,
            on_gpu=self.device.kind != "cpu",
            on_forget=lambda: self._leftovers.let_go(),
        )
        self._threads = threads
        cycles_preferences = self._addons["cycles"].preferences
        self.device_name = choose_device(self.scene, cycles_preferences, self.device)
        set_fixed(self.scene, threads=threads)
        self.environment = Environment(scene)
        self._camera = cameras.add_camera(scene)
        self._sight: CameraRecord | None = None
        self._shown: tuple[Hashable, Model | Models | FileScene] | None = None
        self._asked = PictureRequest(test_card.CARD, PICTURE)
        self._samplings: tuple[Sampling, ...] = ()
        self._sticky: frozenset[str] = frozenset()
        self._seen_within: Window | None = None
        """Beside this no sample of the last view has met anything."""
        self.points = tracks.TrackedPoints(self.cycles)
        self._user_scene: UserScene | None = None
        self._own_models: dict[str, Asset] = {}
        self._tellers = Tellers()
        self.dressing = Dressing(before_change=self._tellers.clear)
        self.decisions: dict[Hashable, ResolvedRender] = {}
        """What was measured to be best, by what that depends on."""
        self._exposure_gain = 1.0
        self._solids = Solids()
        self._leftovers = Leftovers(self.cycles.forget)
        self._loader = Loader(scene, self.environment, self._scratch, self._addons, self._leftovers)
        self._standing = Standing(scene, self._loader, self.cycles.render_nothing)

    def render_test_card(self, *, rare: bool = False) -> Delivery:
        """Render the picture that `worker.render.self_test` knows; the model of before is freed.

        Args:
            rare: Add what few scenes use, so that a driver compiles all.

        Raises:
            TaskError: Cycles did not deliver.
        """
        self.free_model()
        self.configure(test_card.CARD)
        self.environment.set_strength(0.0)
        (test_card.add_rare if rare else test_card.add_test_card)(self.scene)
        self.set_camera(test_card.POSE, test_card.CAMERA, distance=test_card.CAMERA.distance)
        try:
            return self.render(seed=0)
        finally:
            self.free_model()
            self.set_light(1.0)

    @property
    def scene(self) -> Any:
        """What is rendered: the session's own scene, or a file's."""
        return self.cycles.scene

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
    def opengl(self) -> str:
        """What draws EEVEE's pictures, such as `NVIDIA L40S/PCIe/SSE2, 4.6.0 NVIDIA 580.65`."""
        return eevee.opengl()

    @property
    def denoiser(self) -> str | None:
        """The denoiser that acts on the pictures now."""
        cycles = self.scene.cycles
        return str(cycles.denoiser).lower() if cycles.use_denoising else None

    @property
    def prefilter(self) -> Prefilter:
        """How that denoiser cleans what guides it; the usual way where there is none."""
        cycles = self.scene.cycles
        is_fast = cycles.use_denoising and cycles.denoising_prefilter == "FAST"
        return "fast" if is_fast else "accurate"

    def configure(self, settings: ResolvedRender, passes: tuple[PassName, ...] = PICTURE) -> None:
        """Set size, quality and passes of the pictures to come."""
        self.dressing.put_back()
        is_file_scene = self.scene != self._home
        set_quality(self.scene, settings, device=self.device, is_file_scene=is_file_scene)
        self._asked = PictureRequest(settings, passes)
        if self.has_own_picture:
            eevee.prepare(self.device)
        self._plan()
        sticky = self._samplings[0].cycles_passes & STICKY
        self.cycles.tell_anew()
        self._sample(self._samplings[0])
        if sticky != self._sticky:
            self._sticky = sticky
            self.cycles.forget()
        self._exposure_gain = 1.0
        self.set_light(1.0)

    def _plan(self) -> None:
        """Choose the samplings, which depend on what is asked for, the model and the camera."""
        self._samplings = self._asked.samplings(
            see_through=self._see_through, blurred=cameras.is_blurred(self.scene)
        )

    @property
    def _see_through(self) -> bool:
        return self._shown is not None and bool(self._shown[1].clear_cut)

    @property
    def passes(self) -> tuple[PassName, ...]:
        """What is rendered, whether or not it is written."""
        return self._asked.passes

    @property
    def settings(self) -> ResolvedRender:
        """How it is rendered."""
        return self._asked.settings

    @property
    def has_own_picture(self) -> bool:
        """The picture is EEVEE's, beside what `render` gives: `render_picture`."""
        return self._asked.has_own_picture

    @property
    def wants_centres(self) -> bool:
        """Labels take a sample of their own, known after `render`: `render_centres`."""
        return len(self._samplings) > 1

    @property
    def wants_behind(self) -> bool:
        """What is behind all else is asked for, also where something stands before it."""
        return self._asked.wants_behind

    # Assets

    def load_model(self, asset: Asset, *, file_lights: bool, frame: Frame = "unit-cube") -> Model:
        """Stand a model in the scene, in a frame, unless it stands there already.

        Raises:
            AssetError: It cannot be read, or shows nothing.
        """
        key = (asset.sha256, asset.path, file_lights, frame)
        if self._shown and self._shown[0] == key and isinstance(self._shown[1], Model):
            return self._shown[1]
        self.free_model()
        self.cycles.empty()
        try:
            model = self._standing.one(asset, file_lights=file_lights, frame=frame)
        except TaskError:
            self.free_model()
            raise
        self._shown = (key, model)
        self._plan()
        return model

    def load_models(self, assets: Iterable[Asset]) -> Models:
        """Stand models beside each other in the scene, in this order, where their files have them.

        The same asset may come several times: it is read once. What stood already among others
        stays, all else goes. Lamps of the files are off. `Model.place` moves each.

        Raises:
            AssetError: One cannot be read, shows nothing, or cannot stand beside the others.
        """
        wanted = tuple(assets)
        key = tuple(map(key_of, wanted))
        if self._shown and self._shown[0] == key and isinstance(self._shown[1], Models):
            self._shown[1].put_back()
            return self._shown[1]
        if not (self._shown and isinstance(self._shown[1], Models)):
            self.free_model()
        try:
            models = self._standing.several(wanted)
        except TaskError:
            self.free_model()
            raise
        note_bodies(models, self.scene, self.cycles.render_nothing)
        self.cycles.forget()  # Cycles misses numbers that change alone
        self._shown = (key, models)
        self._plan()
        return models

    def own_model(self, name: str, text: str) -> Asset:
        """Return a model that the farm itself brings, as an asset like any other.

        Args:
            name: Of a file that is written, once, beside the session's other temporary ones.
            text: What is in it.
        """
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        known = self._own_models.get(sha256)
        if known is None:
            path = self._scratch.new_folder(len(text)) / name
            path.write_text(text, encoding="utf-8")
            known = self._own_models[sha256] = Asset(
                kind="model", id=path.stem, name=name, path=str(path), sha256=sha256,
                size_bytes=len(text),
            )  # fmt: skip
        return known

    def solids(self, assets: Sequence[Asset], *, falls: int) -> tuple[Solid, ...]:
        """Return models as solids; what this process does not know of them is loaded.

        Args:
            assets: The models.
            falls: How many of them, from the first, things fall upon or fall themselves.

        Raises:
            AssetError: One cannot be read, or has no inside.
        """
        keys = [(*key_of(asset), place < falls) for place, asset in enumerate(assets)]
        known = {key: solid for key in keys if (solid := self._solids.find(key)) is not None}
        missing = {key: asset for key, asset in zip(keys, assets, strict=True) if key not in known}
        models = self.load_models(missing.values()) if missing else ()
        for (key, asset), model in zip(missing.items(), models, strict=True):
            with alone(model, models):
                shape = surface_of(self.scene, self.cycles.render_nothing)
            metres = model.metres_per_file_unit
            known[key] = solid_of(asset.path, shape, metres_per_file_unit=metres, falls=key[2])
            self._solids.keep(key, known[key])
        return tuple(known[key] for key in keys)

    def let_fall(
        self, rigids: Sequence[Rigid], area_m: tuple[float, float], walls_m: float
    ) -> Fallen:
        """Let things fall onto a table until they rest, beside the session's own scene.

        Args:
            rigids: The things, around their centres of mass.
            area_m: Length and width of the table, the middle of whose top is the origin.
            walls_m: Height of the walls around it.
        """
        return let_fall(rigids, table_m=area_m, walls_m=walls_m)

    def open_scene(
        self, asset: Asset, baked: Need | None = None, *, fps: float | None = None
    ) -> FileScene:
        """Render a file's own scene from now on, whole, unless it is rendered already.

        Args:
            asset: The file.
            baked: What `save_baked` wrote of it, which is opened in its place.
            fps: Frames per second of a file that states none, such as a glTF; left out: 24.

        Raises:
            AssetError: It cannot be read, or shows nothing.
        """
        key = (asset.sha256, asset.path, baked.product if baked else "", fps)
        if self._shown and self._shown[0] == key and isinstance(self._shown[1], FileScene):
            return self._shown[1]
        self.free_model()
        try:
            file = Path(baked.path) / baked_file.NAME if baked else None
            opened = self._open(asset, file, fps)
        except TaskError:
            self.free_model()
            raise
        self._shown = (key, opened)
        self.configure(*self._asked)
        return opened

    def open_user_scene(self, asset: Asset | None) -> UserScene:
        """Open a scene for a user's script, always anew: of a file, or as Blender starts with.

        Raises:
            AssetError: The file cannot be read.
        """
        self.free_model()
        self._loader.give_way()
        unread: tuple[str, ...] = ()
        try:
            if asset is None:
                scene, path = make_startup_scene(), "scene"
            else:
                brought = self._loader.bring_scene(asset, everything=True)
                brought.clips.play(asset.path, None)
                scene, path, unread = brought.scene, asset.path, unread_of(brought)
            user_scene = UserScene(
                scene, self._home, path=path, unread=unread, before_script=self._tellers.clear
            )
        except TaskError:
            self.free_model()
            raise
        self._user_scene = user_scene
        self._adopt(user_scene.scene)
        return user_scene

    def describe(self, user_scene: UserScene) -> FileScene:
        """Return what a scene of a script has now; its objects and materials are numbered anew."""
        self._tellers.clear()
        if (known := user_scene.known) is not None:
            self._lend_camera()
            number(known.items)
            number(user_scene.materials)
            return known
        user_scene.forget()
        self._lend_camera()
        before = nodes_of_materials()
        found = measure.measure(self.scene, self.cycles.render_nothing)
        file_scene.add_all(found, self.scene)
        opened = file_scene.describe(
            user_scene.path, self.scene, found, user_scene.unread, user_scene.clips
        )
        user_scene.note(opened, in_order(found.materials.values()), before)
        self._shown = (None, opened)
        self.cycles.forget()  # Cycles misses numbers that change alone
        self._plan()
        return opened

    def survey(self, asset: Asset, *, fps: float | None = None) -> Survey:
        """Look into a file's own scene, which is not evaluated; nothing of it stays.

        Args:
            asset: The file.
            fps: Frames per second of a file that states none; left out: 24.

        Raises:
            AssetError: It cannot be read.
        """
        self.free_model()
        try:
            return survey(asset.path, self._loader.bring_scene(asset, fps=fps))
        finally:
            self.free_model()

    def bake(self, opened: FileScene, first: int, last: int) -> None:
        """Bake what moves by physics in the scene that was opened, for frames of its file.

        Raises:
            AssetError: Something cannot be baked.
        """
        self._shown = (None, opened)  # from now on it is not what its file says
        try:
            baking.bake(opened, first, last)
        except TaskError:
            self.free_model()
            raise

    def stretch_time(self, opened: FileScene, spacing: Fraction) -> None:
        """Let one frame of the renderer's time be `spacing` frames of a file's, in its caches too.

        Raises:
            AssetError: Blender cannot.
        """
        baking.check_stretch(opened, spacing)
        opened.stretch_time(spacing)
        baking.follow_stretch(opened, spacing)
        baking.show_hair(opened.scene)

    def time_dependent(self, opened: FileScene) -> TimeDependent:
        """Find what of the scene that was opened hangs on time, as it is lit and played now."""
        return TimeDependent(opened)

    def save_baked(self, asset: Asset, folder: Path) -> None:
        """Write the scene that was opened of an asset into a folder, as it is now.

        Raises:
            StorageError: It cannot be written.
        """
        self._tellers.clear()
        scene, borrowed = self.scene, self.scene.camera == self._camera
        if borrowed:
            scene.camera = None
            scene.collection.objects.unlink(self._camera)
        try:
            baked_file.write(scene, folder / baked_file.NAME, home=file_access.home_of(asset))
        except RuntimeError as error:
            raise StorageError(
                f"{folder}: cannot be written: {' '.join(str(error).split())}"
            ) from error
        finally:
            if borrowed:
                scene.collection.objects.link(self._camera)
                scene.camera = self._camera

    def surroundings(self, opened: FileScene) -> AbstractContextManager[Surroundings]:
        """Give the surfaces of a scene that was opened, for a camera that moves through it."""
        return surroundings(opened)

    def _open(self, asset: Asset, baked: Path | None, fps: float | None) -> FileScene:
        brought = self._loader.bring_scene(asset, baked, fps=fps)
        scene = brought.scene
        brought.clips.play(asset.path, None)
        self._adopt(scene)
        found = measure.measure(self.scene, self.cycles.render_nothing)
        if not found.objects:
            raise AssetError(asset.path, importers.nothing_to_render(self._loader.strange_ids()))
        file_scene.show_what_is_rendered(scene)
        file_scene.add_hidden(found, scene)
        keep_numbers(found.materials.values(), found.objects.values())
        return file_scene.describe(asset.path, scene, found, unread_of(brought), brought.clips)

    def _adopt(self, scene: Any) -> None:
        """Render another scene than our own, by our own rules."""
        file_scene.make_plain(scene)
        self.cycles.scene = scene
        self._lend_camera()
        self.scene.render.engine = self._home.render.engine
        self.scene.cycles.device = self._home.cycles.device
        set_fixed(self.scene, threads=self._threads)
        self.configure(*self._asked)
        self.cycles.forget()  # another scene may have had its name

    def _lend_camera(self) -> None:
        """Give a scene that has none a camera of ours: Blender renders nothing without one."""
        if self.scene.camera is None:
            if self._camera.name not in self.scene.objects:
                self.scene.collection.objects.link(self._camera)
            self.scene.camera = self._camera

    def free_model(self) -> None:
        """Remove the models, or the scene that was opened, and all that came with them."""
        self._tellers.clear()
        self.dressing.put_back()
        self._shown = None
        self.points.forget()
        if self._user_scene is not None:
            self._user_scene.close()
            self._user_scene = None
        if self.scene != self._home:
            self.cycles.scene = self._home
            self.configure(*self._asked)
        self._plan()
        self._standing.free()

    def load_hdr(self, asset: Asset) -> None:
        """Light the scene with an environment, unless it does already.

        Raises:
            AssetError: It is not an HDR environment, or damaged.
        """
        self.environment.load(asset)
        if self.environment.image is not None:
            self._leftovers.welcome([self.environment.image])

    def light_scene(
        self, opened: FileScene, lights: Literal["file", "hdri", "both"], hdr: Asset | None = None
    ) -> None:
        """Light a scene that was opened.

        Args:
            opened: The scene.
            lights: By its own world and lamps, by an environment alone, or by that and its lamps.
            hdr: The environment. Without any, a scene that has no light at all is lit evenly.

        Raises:
            AssetError: The environment is none, or damaged.
        """
        world = self._home.world
        if hdr is not None and lights != "file":
            self.load_hdr(hdr)
            opened.light.use(world, lamps=lights == "both")
        elif opened.light.is_none:
            self.light_evenly()
            opened.light.use(world, lamps=True)
        else:
            opened.light.use_own()

    def light_evenly(self) -> None:
        """Light the scene white from everywhere, as it is for tasks without an environment."""
        self.environment.shine_evenly()

    # Pictures

    def set_light(self, strength: float) -> None:
        """Set the environment's true strength, and what Cycles measures light against."""
        self.environment.set_strength(strength)
        level = (strength or 1.0) / self._exposure_gain  # without it, lamps alone
        set_light_limits(self.scene, level)

    def expose(self, stops: float) -> None:
        """Measure light against what pictures show that are brighter by so many stops."""
        self._exposure_gain = float(2.0**stops)
        self.set_light(self.environment.strength)

    def set_camera(
        self,
        world_from_camera: Matrix4,
        camera: OrbitCamera,
        *,
        distance: float,
        size: float = 1.0,
    ) -> None:
        """Stand the camera with the lens of `camera`, which sees 10,000 times `size` far."""
        cameras.set_pixels(self.scene)
        cameras.set_camera(self._camera, world_from_camera, camera, distance=distance, size=size)
        self._sight = orbit_recorded(camera, world_from_camera, self._asked.settings.resolution_px)

    def look_through(
        self,
        camera: PoseCamera | FileCamera,
        *,
        motion: tuple[PoseCamera, PoseCamera] | None = None,
    ) -> CameraRecord:
        """Take the next pictures with a camera, as it stands now; return what records tell of it.

        Args:
            camera: A pose, or a camera of the scene's file.
            motion: Where the camera of a pose is one frame before and after, for flow.

        Raises:
            AssetError: The file has no such camera, or labels cannot follow it.
        """
        if isinstance(camera, PoseCamera):
            record = self._sight = cameras.set_pose(self.scene, self._camera, camera)
            if motion is not None:
                before, after = motion
                cameras.set_motion(self.scene, self._camera, (before, camera, after))
            return record
        assert self._shown is not None, "only a scene of a file has cameras"
        opened = self._shown[1]
        assert isinstance(opened, FileScene), "only a scene of a file has cameras"
        return opened.use_camera(camera.name, camera.offset)

    def render_centres(self, *, seed: int) -> Delivery:
        """Render what labels cannot have from the picture, as it is at the pixels' centres.

        Only where it `wants_centres`: after `render`, of the same scene.
        """
        window, self._seen_within = self._seen_within, None
        if window is None:
            return self._render(self._samplings[1], seed=seed)
        cut = Cut(window, self._asked.settings.resolution_px, None)
        with cutting.bordered(self.scene, window):
            path = self._render(self._samplings[1], seed=seed)
        if isinstance(path, Held) and not is_cut_off(path.alpha, window, cut.size_px):
            return path.put_into(cut.restore)
        path.unlink()
        return self._render(self._samplings[1], seed=seed)

    def render_behind(self, *, seed: int) -> Delivery:
        """Render what is behind all that stands in the picture, which has the same rays."""
        unwatch()  # this is not what the view shows
        self._plan()
        with cameras.past_everything(self.scene):
            return self._render(environment_alone(self._samplings[0]), seed=seed)

    def render_shadow(self, height: float, *, size: float, seed: int) -> Delivery:
        """Render what the shadow of models of a size leaves of the light on a plane at a height."""
        unwatch()  # this is not what the view shows
        self._plan()
        sampling = replace(picture_alone(self._samplings[0]), lit=True, noise_threshold=None)
        with ground(self.scene, height, size=size):
            return self._render(sampling, seed=seed)

    def render_labels(self) -> Delivery:
        """Render what labels are made of alone, exactly as beside a picture.

        They are of the pixels' centres, so that no seed changes them.
        """
        self._plan()
        return self._render(self._samplings[-1], seed=0)

    def render_index(self) -> Delivery:
        """Render which object is at the centre of each pixel, and nothing else."""
        self._plan()
        blurred = cameras.is_blurred(self.scene)
        wanted = index_alone(self._samplings[0], see_through=self._see_through, blurred=blurred)
        return self._render(wanted, seed=0)

    def render_alone(self, indices: Collection[int]) -> Delivery:
        """Render the same of some objects, by their numbers; the camera sees no others."""
        assert self._shown is not None, "nothing stands there"
        unwatch()  # this is not what the view shows
        others = [item for item in self._shown[1].rendered if item.pass_index not in indices]
        hidden = [item for item in others if item.visible_camera]
        for item in hidden:
            item.visible_camera = False
        try:
            return self.render_index()
        finally:
            for item in hidden:
                item.visible_camera = True

    @property
    def clip(self) -> Clip:
        """The nearest and farthest that the camera sees now."""
        lens: Any = cameras.evaluated(self.scene, self.scene.camera).data
        return Clip(float(lens.clip_start), float(lens.clip_end))

    def render_picture(self, *, seed: int) -> Delivery:
        """Render the picture alone, exactly as beside labels; it is the caller's to let go.

        Points are not followed in it.

        Raises:
            GpuMemoryError: It does not fit into the GPU's memory, in small tiles either.
            RenderError: Cycles did not deliver.
        """
        unwatch()
        self._plan()
        if self.has_own_picture:
            return self._draw()
        return self._render(picture_alone(self._samplings[0]), seed=seed)

    def _draw(self) -> Path:
        """Let EEVEE make the picture, of materials as they are, before what is behind them."""
        eevee.check_lens(self.scene)
        if self._shown is not None:
            self._shown[1].clear_cut.turn(on=False)
        self.cycles.tell_anew()
        kept = self._samplings[0].cycles_passes & STICKY
        set_view_layer(self.scene.view_layers[0], kept, clear_cut=False)
        with eevee.at_work(self.scene, samples=self._asked.settings.samples):
            channels = max(sampling.channels for sampling in self._samplings)
            return self.cycles.render_file(channels=channels, seed=0)

    def render(self, *, seed: int) -> Delivery:
        """Render the passes, which are the caller's to let go.

        Raises:
            GpuMemoryError: It does not fit into the GPU's memory, in small tiles either.
            RenderError: Cycles did not deliver.
        """
        self._seen_within = None
        self._plan()  # by the camera, which may have a depth of field
        return self._render(self._samplings[0], seed=seed)

    def render_view(self, *, seed: int) -> tuple[Delivery, Cut | None]:
        """Render the passes as `render` does, but only of the rectangle in which the models are
        where that is surely known, and what is behind is asked to be looked up, or nobody asks for
        it; then also return what gives the rest.

        Raises:
            GpuMemoryError: It does not fit into the GPU's memory, in small tiles either.
            RenderError: Cycles did not deliver.
        """
        self._plan()
        cut = self._cut()
        if cut is None:
            path = self.render(seed=seed)
            if self.wants_centres and isinstance(path, Held):
                window = self._window()
                if window is not None and is_bare_beside(path.alpha, window):
                    self._seen_within = window
            return path, None
        with cutting.bordered(self.scene, cut.window):
            path = self.render(seed=seed)
        if not is_cut_off(read_passes(path).alpha, cut.window, cut.size_px):
            self._seen_within = cut.window
            return path, cut
        log.info("a model reaches out of the rectangle %s: all of it is rendered", cut.window)
        path.unlink()
        return self.render(seed=seed), cut.of_all

    def _cut(self) -> Cut | None:
        """Return what of the next picture need be rendered; None where that is not known."""
        size_px = self._asked.settings.resolution_px
        has_behind = "environment" in self._samplings[0].cycles_passes
        if has_behind and self._asked.settings.background == "traced":
            return None
        window = self._window()
        if window is None:
            return None
        if not has_behind:
            return Cut(window, size_px, None)
        assert self._sight is not None
        backdrop = self.environment.backdrop(View(self._sight, size_px))
        return Cut(window, size_px, backdrop) if backdrop is not None else None

    def _window(self) -> Window | None:
        """Return the pixels of the next picture in which models are; None where nobody knows."""
        if self._sight is None or not self._sees_models:
            return None
        return cutting.window_of(self._models, self._sight, self._asked.settings.resolution_px)

    @property
    def _sees_models(self) -> bool:
        """The next picture is of the session's own scene, by its own camera, all in focus."""
        return (
            self.scene == self._home
            and self.scene.camera == self._camera
            and not cameras.is_blurred(self.scene)
        )

    @property
    def _models(self) -> tuple[Model, ...]:
        """The models that stand in the scene; none where it is a file's own."""
        shown = self._shown[1] if self._shown is not None else None
        if isinstance(shown, Models):
            return shown.each
        return (shown,) if isinstance(shown, Model) else ()

    def _render(self, sampling: Sampling, *, seed: int) -> Delivery:
        self._sample(sampling)
        return self.cycles.render(seed=seed)

    def _sample(self, sampling: Sampling) -> None:
        """Set what the next picture holds; where no light is asked for, paths end at a surface."""
        if self._shown is not None:
            if not sampling.cycles_passes.isdisjoint(AOVS):
                self._add_tellers(self._shown[1])
            self._shown[1].clear_cut.turn(on=sampling.clear_cut)
        misty = self._shown is None or self._shown[1].is_thin_air
        self.cycles.tell(sampling, bounces=MAX_BOUNCES if sampling.lit or misty else 0)

    @property
    def untold(self) -> tuple[str, ...]:
        """Names of materials of which surface passes that are asked for say nothing."""
        if self._shown is None or all(
            each.cycles_passes.isdisjoint(AOVS) for each in self._samplings
        ):
            return ()
        self._add_tellers(self._shown[1])
        return self._tellers.untold

    def _add_tellers(self, shown: Model | Models | FileScene) -> None:
        shown.clear_cut.turn(on=False)
        self._tellers.add(self._materials())

    def _materials(self) -> set[bpy.types.Material]:
        """Return the materials of what is shown, as it is dressed now."""
        assert self._shown is not None, "nothing stands there"
        shown = self._shown[1]
        worn = {slot.material for item in shown.rendered for slot in item.material_slots}
        return {*shown.paints, *filter(None, worn)}

    def close(self) -> None:
        """Remove the scratch files."""
        self._scratch.close()
        self.environment.close()

    # Watchers

    def bodies(self) -> Bodies:
        """Return what learns the bodies of what is rendered next, if it is shown to it."""
        return Bodies()

    def show_to(self, *watchers: Watcher | None) -> None:
        """Show the meshes of the pictures that are rendered next, as long as somebody wants what
        these find in them.
        """
        watch(*(each for each in watchers if each is not None))


def unread_of(brought: BroughtScene) -> tuple[str, ...]:
    """Return what of a file is not shown as it says."""
    return brought.unread + tuple(f"Python driver {name}" for name in brought.python_drivers)
