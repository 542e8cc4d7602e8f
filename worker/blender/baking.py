"""Baking: what moves by physics is played once, from its start; then any frame stands alone."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import bpy

from farm.errors import AssetError
from worker.blender import simulations
from worker.blender.file_scene import FileScene, show_what_is_rendered
from worker.blender.guards.disarm import all_ids, reachable
from worker.blender.kept_shapes import add_keeper
from worker.blender.simulations import Simulation

LEVELS = (("levels", "render_levels"), ("steps", "render_steps"))
"""What a modifier does in Blender's window, and in a render."""


GROWN = 100
"""Frame in which Blender takes hair for grown."""


class Span(NamedTuple):
    """Frames, inclusive."""

    first: int
    last: int


def bake(opened: FileScene, first: int, last: int) -> None:
    """Bake all that simulates in a scene, each from its own start, until a frame of the file.

    Raises:
        AssetError: Something cannot be baked.
    """
    scene = opened.scene
    make_local(scene)
    show_as_rendered(scene)
    bring_inside(scene)
    with plain_time(opened, first, last) as span:
        open_ones = [each for each in simulations.all_of(scene) if not each.is_baked]
        zones = [each for each in open_ones if each.zone is not None]
        cached = [each for each in open_ones if each.cache is not None]
        try:
            bake_all(scene, zones, cached, span)
        except RuntimeError as error:
            names = ", ".join(each.name for each in open_ones)
            raise cannot(opened, names, " ".join(str(error).split())) from error
        check(opened, cached)


def bake_all(scene: Any, zones: list[Simulation], cached: list[Simulation], span: Span) -> None:
    """Bake zones and point caches; what starts first comes first, since the rest may follow it."""
    with tempfile.TemporaryDirectory(dir=bpy.app.tempdir) as folder:
        starts = [each.cache.frame_start for each in cached]
        begin = [simulations.zone_frames(scene, each.zone)[0] for each in zones]
        zones_first = bool(begin) and min(begin) < min(starts, default=math.inf)
        if zones_first:
            bake_zones(scene, zones, span)
        bake_caches(scene, cached, span, Path(folder))
        if not zones_first:
            bake_zones(scene, zones, span)
        keep_shapes(scene, span)


def follow_stretch(opened: FileScene, spacing: Fraction) -> None:
    """Let what was baked in the file itself follow time that is stretched."""
    shapes = [modifier for _, modifier in half_followers(opened.scene)]
    if not shapes or spacing * opened.own_stretch == 1:
        return
    make_local(opened.scene)
    show_as_rendered(opened.scene)
    shapes = [modifier for _, modifier in half_followers(opened.scene)]
    caches = [each.cache for each in simulations.all_of(opened.scene) if each.modifier in shapes]
    first = min(cache.frame_start for cache in caches) / opened.own_stretch
    last = max(cache.frame_end for cache in caches) / opened.own_stretch
    with plain_time(opened, math.floor(first), math.ceil(last)) as span:
        keep_shapes(opened.scene, span)


def check_stretch(opened: FileScene, spacing: Fraction) -> None:
    """Make sure that all that moves by physics can be shown between whole frames of the file.

    Raises:
        AssetError: It cannot, and there are such frames.
    """
    names = simulations.by_whole_frames(opened.scene)
    if names and spacing * opened.own_stretch != 1:
        raise AssetError(
            opened.path,
            f"{', '.join(names)} cannot be shown between frames or by steps: use a keyframe "
            "multiplier and a frame step of 1, and no time remapping",
        )


def show_hair(scene: Any) -> None:
    """Let hair be seen whose bake ends early.

    Blender counts frames while hair grows, too, up to `GROWN`, and shows none of which a bake says
    that it ends before. Freed, the bake is still there in memory, and each frame is read from it.
    """
    for each in simulations.all_of(scene):
        if simulations.is_hair(each) and each.is_inside and each.cache.frame_end < GROWN:
            with bpy.context.temp_override(scene=scene, point_cache=each.cache):
                bpy.ops.ptcache.free_bake()


# The scene


def make_local(scene: Any) -> None:
    """Make what a scene links from other files its own, since that cannot be baked."""
    for linked in (False, True):  # what overrides a linked thing first: then nothing uses that
        used = reachable({scene.session_uid})
        for block in all_ids():
            stands_for = block.library if linked else block.override_library
            if block.session_uid in used and stands_for is not None:
                block.make_local(clear_liboverride=True)


def bring_inside(scene: Any) -> None:
    """Take the bakes of zones that lie beside the file into the scene."""
    layer = scene.view_layers[0]
    for each in simulations.all_of(scene):
        if each.zone is not None and each.is_baked and not each.is_inside:
            each.modifier.bake_target, each.zone.bake_target = "PACKED", "INHERIT"
            with bpy.context.temp_override(
                scene=scene, view_layer=layer, object=each.item, active_object=each.item
            ):
                bpy.ops.object.geometry_node_bake_pack_single(
                    session_uid=each.item.session_uid,
                    modifier_name=each.modifier.name,
                    bake_id=each.zone.bake_id,
                )


def show_as_rendered(scene: Any) -> None:
    """Let Blender's window, in which it bakes, show all that a render shows, as fine as that."""
    show_what_is_rendered(scene)
    for item in simulations.objects_of(scene):
        if not item.hide_render:
            for modifier in item.modifiers:
                show_modifier(modifier)


def show_modifier(modifier: Any) -> None:
    """Let a modifier be in Blender's window what it is in a render."""
    if modifier.type != "COLLISION":
        modifier.show_viewport = modifier.show_render
    for name, rendered in LEVELS:
        if hasattr(modifier, rendered):
            setattr(modifier, name, getattr(modifier, rendered))


@contextmanager
def plain_time(opened: FileScene, first: int, last: int) -> Iterator[Span]:
    """Let a frame be a frame, for caches count these; yield frames of the file as such."""
    scene, own = opened.scene, opened.own_stretch
    span = Span(math.floor(first * own), math.ceil(last * own))
    before = scene.render.frame_map_old, scene.render.frame_map_new
    now = scene.frame_current, scene.frame_subframe
    ends = scene.frame_start, scene.frame_end
    scene.render.frame_map_old = scene.render.frame_map_new = 100
    scene.frame_end = max(span.last, scene.frame_start)
    try:
        yield span
    finally:
        scene.frame_start, scene.frame_end = ends
        scene.render.frame_map_old, scene.render.frame_map_new = before
        scene.frame_set(now[0], subframe=now[1])


# Point caches


def bake_caches(scene: Any, cached: list[Simulation], span: Span, folder: Path) -> None:
    """Bake point caches into memory; what is painted goes to a folder, as Blender has it."""
    for number, each in enumerate(cached):
        with bpy.context.temp_override(scene=scene, point_cache=each.cache):
            bpy.ops.ptcache.free_bake()
        last = max(each.cache.frame_start, span.last)
        if each.surface is None:
            each.cache.use_external = each.cache.use_disk_cache = False
        else:
            each.cache.use_external = True
            each.cache.name, each.cache.filepath = f"cache{number}", str(folder)
            each.surface.frame_end = last
        each.cache.frame_step = 1
        each.cache.frame_end = last
    if cached:
        with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
            bpy.ops.ptcache.bake_all(bake=True)
    for each in cached:
        if not each.cache.is_baked:  # the dynamics of hair are left out of all
            with bpy.context.temp_override(
                scene=scene, view_layer=scene.view_layers[0],
                object=each.item, active_object=each.item, point_cache=each.cache,
            ):  # fmt: skip
                bpy.ops.ptcache.bake(bake=True)


def check(opened: FileScene, cached: Iterable[Simulation]) -> None:
    """Make sure that Blender has baked what it was asked for.

    Raises:
        AssetError: It has not.
    """
    for each in cached:
        if each.surface is None and not simulations.is_kept(each.cache):
            raise cannot(opened, each.name, each.cache.info or "Blender does not say why")


def cannot(opened: FileScene, name: str, reason: str) -> AssetError:
    """Return what to say where something cannot be baked."""
    return AssetError(
        opened.path,
        f"{name} cannot be baked ({reason.strip(' .')}): bake it in Blender into memory, and save "
        "the file",
    )


# Zones of nodes


def bake_zones(scene: Any, zones: list[Simulation], span: Span) -> None:
    """Bake simulation zones into the file."""
    for each in zones:
        start = simulations.zone_frames(scene, each.zone)[0]
        set_range(each.modifier, each.zone, Span(start, max(start, span.last)))
    bake_nodes(scene, [(each.item, each.modifier, each.zone) for each in zones])


def set_range(modifier: Any, zone: Any, span: Span) -> None:
    """Say which frames of a zone are baked."""
    modifier.bake_target = "PACKED"
    zone.bake_target = "INHERIT"
    zone.use_custom_simulation_frame_range = True
    zone.frame_start, zone.frame_end = span


def bake_nodes(scene: Any, zones: list[tuple[Any, Any, Any]]) -> None:
    """Bake zones: at one go where nothing else would be baked with them."""
    wanted = {(item, zone.bake_id) for item, _, zone in zones}
    whole = {
        item for item, _, _ in zones if ids_of(item) == {each for each in wanted if each[0] == item}
    }
    for item in {item for item, _, _ in zones}:
        item.use_simulation_cache = True
    layer = scene.view_layers[0]
    if whole:
        items = list(whole)
        with bpy.context.temp_override(
            scene=scene, view_layer=layer, active_object=items[0], object=items[0],
            selected_objects=items,
        ):  # fmt: skip
            bpy.ops.object.simulation_nodes_cache_bake(selected=True)
    for item, modifier, zone in zones:
        if item not in whole:
            with bpy.context.temp_override(
                scene=scene, view_layer=layer, active_object=item, object=item
            ):
                bpy.ops.object.geometry_node_bake_single(
                    session_uid=item.session_uid, modifier_name=modifier.name, bake_id=zone.bake_id
                )


def ids_of(item: Any) -> set[tuple[Any, int]]:
    """Return the zones of an object."""
    nodes = (each for each in item.modifiers if each.type == "NODES")
    return {(item, zone.bake_id) for each in nodes for zone in simulations.zones_of(each)}


# Shapes that do not follow stretched time


def half_followers(scene: Any) -> list[tuple[Any, Any]]:
    """Return the objects and modifiers whose shapes must be kept to be shown at any moment."""
    return [
        (item, modifier)
        for item, modifier in simulations.modifiers_of(scene)
        if modifier.type in simulations.BY_WHOLE_FRAMES
        and item.type == "MESH"
        and any(simulations.simulations_of(item, modifier))
    ]


def keep_shapes(scene: Any, span: Span) -> None:
    """Let nodes play what caches hold, between whole frames too, in place of these modifiers."""
    followers = half_followers(scene)
    keepers = [(item, add_keeper(item, modifier)) for item, modifier in followers]
    scene.view_layers[0].update()
    zones = []
    for item, keeper in keepers:
        [zone] = simulations.zones_of(keeper)
        set_range(keeper, zone, span)
        zones.append((item, keeper, zone))
    bake_nodes(scene, zones)
    for _, modifier in followers:
        modifier.show_viewport = modifier.show_render = False
