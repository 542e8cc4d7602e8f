"""A file's own scene, rendered whole: its cameras, lights, animation and caches stay."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from farm.errors import AssetError
from farm.projection import as_matrix
from farm.spec.camera import Matrix4
from farm.spec.label import Point3
from farm.spec.record import CameraRecord
from worker.blender import file_cameras, simulations
from worker.blender.clips import Clips
from worker.blender.curves import drop_curves
from worker.blender.file_cameras import Evaluated
from worker.blender.formats import importers
from worker.blender.frames import show_frame
from worker.blender.materials.clear_cut import ClearCut
from worker.blender.materials.textures import missing_textures
from worker.blender.materials.vertex_colours import are_shown
from worker.blender.models.measure import Measurement
from worker.blender.models.model import has_volume_shader, is_thin_air
from worker.blender.models.pass_indices import in_order, names_of, number
from worker.blender.scene_light import SceneLight
from worker.bounds import Points, transformed
from worker.points.forms import Form

MOST_STRETCH = 900
"""Blender's time remapping takes whole numbers up to this."""
WITH_SURFACE = {"MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "VOLUME"}
"""Types of objects that are rendered."""

CRYPTOMATTE_LEVELS = 6
"""Things that a pixel of a cryptomatte tells of; Blender's default."""
SETTINGS = ("render.", "cycles.", "view_layers[")
"""Begin the paths of what says how a scene is rendered; keys would put it back in every frame."""
FILTER_PX = 1.5
"""How wide Cycles spreads a sample over pixels; Blender's default."""

CATEGORY = ("category", "class", "label", "category_id")
"""Custom properties of an object, or of its mesh, that say what kind of thing it is, by a word or a
number; the first that is there counts."""


CATEGORY_ID = "category_id"
"""The one that may be a number, as BlenderProc has it."""
PARTS = ("vertices", "edges", "polygons")
"""Of a mesh."""


@dataclass(frozen=True, eq=False)
class Placed:
    """Where a numbered object is at one moment."""

    name: str
    index: int
    category: str | None
    """What kind of thing its file says it is."""
    world_from_object: Matrix4
    """A turn and a shift; the origin is the middle of its box."""
    size: Point3
    """Sides of its box along its own axes, in units of the scene."""
    outline: Points
    """Corners of its box (8, 3), in the world."""


@dataclass(frozen=True, eq=False)
class FileScene:
    """A scene that a file brought, which is rendered in the place of the session's own."""

    path: str
    scene: Any
    items: tuple[bpy.types.Object, ...]
    """What is rendered; the first has the index 1."""
    materials: tuple[str, ...]
    paints: tuple[bpy.types.Material, ...]
    """The same as data-blocks."""
    clear_cut: ClearCut
    is_thin_air: bool
    missing_textures: tuple[str, ...]
    vertex_colours: bool
    clips: Clips
    """Animations of the file, where it has several."""
    light: SceneLight
    unread: tuple[str, ...] = ()
    metres_per_unit: float = 1.0
    own_camera: bpy.types.Object | None = None
    """The one that the file renders with."""
    own_stretch: Fraction = Fraction(1)
    """How the file itself stretches time: old over new of its time remapping."""

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of what is rendered, in the order of their numbers."""
        return tuple(item.name for item in self.items)

    @property
    def rendered(self) -> tuple[bpy.types.Object, ...]:
        """What is rendered, in the same order."""
        return self.items

    @property
    def categories(self) -> tuple[str | None, ...]:
        """What kinds of things the file says they are, in the same order."""
        return tuple(category_of(item) for item in self.items)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the file's cameras, sorted."""
        return file_cameras.names(self.scene)

    def play(self, clip: str | None) -> None:
        """Let one of the file's animations act and no other; None: the first, if it has several.

        Raises:
            AssetError: There is none of this name.
        """
        self.clips.play(self.path, clip)

    def show_frame(self, frame: float) -> None:
        """Go to a moment of the file's time; 1.5 is half-way from frame 1 to frame 2."""
        show_frame(self.scene, float(Fraction(frame) / self._stretch()))

    def stretch_time(self, spacing: Fraction) -> None:
        """Let one frame of the renderer's time be `spacing` frames of the file's.

        Motion that Cycles tells of is from one frame of its time to the next.

        Raises:
            AssetError: The file stretches time itself, and both together are more than Blender can.
        """
        both = self.own_stretch * spacing
        if max(both.numerator, both.denominator) > MOST_STRETCH:
            raise AssetError(
                self.path,
                f"its time remapping ({self.own_stretch}) and a spacing of {spacing} frames are "
                "together more than Blender can stretch time: set its remapping to 100:100",
            )
        self.scene.render.frame_map_old = both.numerator
        self.scene.render.frame_map_new = both.denominator

    def _stretch(self) -> Fraction:
        """Return how many frames of the file are one of the renderer's."""
        render = self.scene.render
        return Fraction(render.frame_map_old, render.frame_map_new) / self.own_stretch

    def use_camera(self, name: str, offset: Point3 | None = None) -> CameraRecord:
        """Look through a camera of the file, as it stands now, or through a copy beside it.

        Raises:
            AssetError: There is none of this name, or labels cannot follow it.
        """
        return file_cameras.use(self.path, self.scene, name, offset)

    def placed(self) -> tuple[Placed, ...]:
        """Return where everything is that is rendered, now."""
        depsgraph = self._depsgraph()
        return tuple(
            placed(now, index)
            for index, item in enumerate(self.items, 1)
            if not (now := item.evaluated_get(depsgraph)).hide_render
        )

    def shapes(self) -> Shapes:
        """Return what each mesh is made of that is rendered now, known once it is rendered."""
        return Shapes(dict(self._visible()))

    def forms(self) -> dict[int, Form]:
        """Return where the points of each mesh are that is rendered now, by the number of its
        object."""
        depsgraph = self._depsgraph()
        return {
            index: form_of(item.evaluated_get(depsgraph)) for index, item in self._visible()
            if item.type == "MESH"
        }  # fmt: skip

    def _visible(self) -> Iterator[tuple[int, bpy.types.Object]]:
        """Yield all objects that are rendered now, with their numbers."""
        shown = {each.session_uid for each in importers.visible_objects(self.scene)}
        for index, item in enumerate(self.items, 1):
            if item.session_uid in shown:
                yield index, item

    def _depsgraph(self) -> bpy.types.Depsgraph:
        found: bpy.types.Depsgraph = self.scene.view_layers[0].depsgraph
        return found


class Shapes(dict[int, tuple[int, ...]]):
    """What each mesh of a render is made of, by the number of its object.

    A point of a mesh can be followed from frame to frame as long as that stays the same. Modifiers
    may do more in a render than in Blender's window, so it is filled by the render itself.
    """

    def __init__(self, items: dict[int, bpy.types.Object]) -> None:
        super().__init__(dict.fromkeys(items, ()))
        self._meshes = {
            item.session_uid: index for index, item in items.items() if item.type == "MESH"
        }
        self._makers = {
            item.session_uid: index for index, item in items.items() if item.type != "MESH"
        }

    def __call__(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Look at what is about to be rendered.

        The mesh that a curve, a text or a metaball makes is shown as an instance of it.
        """
        for instance in depsgraph.object_instances:
            numbers = self._makers if instance.is_instance else self._meshes
            if numbers and (found := shape_of(instance)):
                uid, shape = found
                if (index := numbers.get(uid)) is not None:
                    self[index] = shape


def add_hidden(found: Measurement, scene: Any) -> None:
    """Add what is hidden at this moment and is to be seen at others."""
    for item in scene.objects:
        if item.type in WITH_SURFACE and item.session_uid not in found.objects and comes(item):
            add(found, item)


def add_all(found: Measurement, scene: Any) -> None:
    """Add all that has a surface, hidden or not: a script may show it."""
    for item in scene.objects:
        if item.type in WITH_SURFACE and item.session_uid not in found.objects:
            add(found, item)


def add(found: Measurement, item: bpy.types.Object) -> None:
    """Add an object with its materials."""
    found.objects[item.session_uid] = item
    for slot in item.material_slots:
        if slot.material is not None:
            found.materials.setdefault(slot.material.session_uid, slot.material)


def comes(item: bpy.types.Object) -> bool:
    """Say whether an animation shows an object at times."""
    animation = item.animation_data
    if animation is None:
        return False
    return animation.action is not None or bool(animation.nla_tracks) or bool(animation.drivers)


def describe(
    path: str,
    scene: bpy.types.Scene,
    found: Measurement,
    unread: tuple[str, ...],
    clips: Clips,
) -> FileScene:
    """Return the scene that was opened; its objects and materials are numbered."""
    items = in_order(found.objects.values())
    materials = in_order(found.materials.values())
    number(items)
    number(materials)
    worlds = [] if scene.world is None else [scene.world]
    return FileScene(
        path=path,
        scene=scene,
        items=items,
        materials=names_of(materials),
        paints=materials,
        clear_cut=ClearCut((*found.materials.values(), *worlds), catchers_of(scene)),
        is_thin_air=is_thin_air(found) or has_volume_shader(worlds),
        missing_textures=missing_textures((*found.materials.values(), *lights_of(scene))),
        vertex_colours=are_shown(found.materials.values(), bpy.data.meshes),
        unread=unread,
        clips=clips,
        light=SceneLight(scene, found),
        metres_per_unit=scene.unit_settings.scale_length,
        own_camera=None if is_ours(scene.camera) else scene.camera,
        own_stretch=Fraction(scene.render.frame_map_old, scene.render.frame_map_new),
    )


def catchers_of(scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    """Yield what is there to catch shadows alone."""
    return (item for item in scene.objects if item.is_shadow_catcher and item.type != "LIGHT")


def is_ours(camera: bpy.types.Object | None) -> bool:
    """Tell whether a camera is not of a file."""
    return camera is None or camera.name in file_cameras.OURS


def lights_of(scene: bpy.types.Scene) -> Iterator[bpy.types.World | bpy.types.Light]:
    """Yield what lights a scene by nodes: its world and its lamps."""
    if scene.world is not None:
        yield scene.world
    for item in scene.objects:
        if isinstance(item.data, bpy.types.Light):
            yield item.data


def make_plain(scene: Any) -> None:
    """Undo what a file's scene may say of how it is rendered, and ours never says.

    Of several view layers the first that is used stays: the others would be rendered, too.
    """
    used = [layer for layer in scene.view_layers if layer.use] or list(scene.view_layers)
    for layer in list(scene.view_layers):
        if layer != used[0]:
            scene.view_layers.remove(layer)
    drop_curves(scene, *SETTINGS)
    make_layer_plain(scene.view_layers[0])
    render = scene.render
    render.use_border = render.use_multiview = render.use_freestyle = False
    render.use_motion_blur = render.use_simplify = False
    render.use_texture_cache = render.use_auto_generate_texture_cache = False  # which writes files
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    render.image_settings.color_management = "FOLLOW_SCENE"
    make_cycles_plain(scene.cycles)


def make_layer_plain(layer: Any) -> None:
    """Let a view layer show all that is in it, as it is."""
    layer.material_override = layer.world_override = None
    layer.use_sky = layer.use_solid = layer.use_strand = layer.use_volumes = True
    layer.use_grease_pencil = False  # which a graphics card would draw over the picture
    layer.samples = 0
    layer.cycles.use_denoising = True  # where a task asks for it
    layer.use_pass_cryptomatte_asset = layer.cycles.use_pass_shadow_catcher = False
    layer.pass_cryptomatte_depth = CRYPTOMATTE_LEVELS


def make_cycles_plain(cycles: Any) -> None:
    """Let Cycles take all samples of a picture, from the pixel's centre on, and weigh them as ours.

    What it does with light (bounces of a kind, caustics, fast ways) stays the file's.
    """
    cycles.shading_system = False  # Open Shading Language is code
    cycles.use_sample_subset = cycles.use_pixel_jitter = cycles.auto_scrambling_distance = False
    cycles.sample_offset = 0
    cycles.scrambling_distance = cycles.texture_resolution_render = 1.0
    cycles.texture_limit_render = "OFF"
    cycles.time_limit = 0.0
    cycles.use_deterministic_guiding = True
    cycles.pixel_filter_type = "BLACKMAN_HARRIS"
    cycles.filter_width = FILTER_PX
    cycles.film_exposure = 1.0
    cycles.film_transparent_glass = False
    cycles.sample_clamp_direct = 0.0
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"


def show_what_is_rendered(scene: Any) -> None:
    """Let Blender's window show all that a render shows: what is hidden there does not move."""
    for layer in layers(scene.view_layers[0].layer_collection):
        layer.hide_viewport = False
        if not layer.collection.hide_render:
            layer.collection.hide_viewport = False
    for item in simulations.objects_of(scene):
        if item.hide_render and not comes(item):
            continue
        item.hide_viewport = False
        if item.name in scene.view_layers[0].objects:
            item.hide_set(state=False, view_layer=scene.view_layers[0])


def layers(top: Any) -> Iterator[Any]:
    """Yield a collection of a view layer with all that it holds."""
    yield top
    for child in top.children:
        yield from layers(child)


def category_of(item: Evaluated) -> str | None:
    """Return what kind of thing an object's custom properties say it is."""
    for owner in (item, item.data):
        for name in CATEGORY:
            word = owner.get(name) if owner is not None else None
            if isinstance(word, str) and word.strip():
                return word.strip()
            if name == CATEGORY_ID and isinstance(word, int):
                return str(word)
    return None


def shape_of(instance: Any) -> tuple[int, tuple[int, ...]] | None:
    """Return the session id of an object in a render, and how many points, edges and faces it has.

    None where it has no mesh. All is read by paths: see `ShownObject`.
    """
    if instance.path_resolve("object.type") != "MESH":
        return None
    counts = (len(instance.path_resolve(f"object.data.{name}")) for name in PARTS)
    return instance.path_resolve("object.original.session_uid"), tuple(counts)


def form_of(item: Evaluated) -> Form:
    """Return where the points of an evaluated object with a mesh are."""
    points = np.empty(len(item.data.vertices) * 3, np.float32)
    item.data.vertices.foreach_get("co", points)
    return Form(zlib.crc32(points.tobytes()), np.array(item.matrix_world, dtype=np.float64))


def placed(item: Evaluated, index: int) -> Placed:
    """Return where an evaluated object is, by the box of its geometry along its own axes."""
    corners = np.array(item.bound_box)
    low, high = corners.min(axis=0), corners.max(axis=0)
    matrix = np.array(item.matrix_world)
    _place, turn, scale = item.matrix_world.decompose()
    middle = transformed(((low + high) / 2)[None], matrix)[0]
    x, y, z = np.abs((high - low) * np.array(scale)).tolist()
    return Placed(
        name=item.name,
        index=index,
        category=category_of(item),
        world_from_object=as_matrix(np.array(Matrix.LocRotScale(middle.tolist(), turn, None))),
        size=(x, y, z),
        outline=transformed(corners, matrix),
    )
