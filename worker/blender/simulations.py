"""What of a scene moves by physics: it must be played from its start, or baked."""

from __future__ import annotations

import ctypes
import math
import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import bpy

from worker.blender.guards.disarm import reachable

BAKE_LAYOUT = struct.Struct("@i4xBb6xPiiiiPP")
"""Of Blender's own NodesModifierBake: its id, mode and target, the directory, frames, what it
refers to, and last what is packed; Python is not told of that."""


SIMPLE = {"CLOTH": "cloth", "SOFT_BODY": "soft body"}
"""Kinds of modifiers that simulate one thing each, with a point cache of their own."""


BY_WHOLE_FRAMES = ("CLOTH", "SOFT_BODY", "DYNAMIC_PAINT")
"""Modifiers whose caches do not follow time that is stretched: they take the fraction of the
renderer's frame for that of the file's, or none."""


class Simulation(NamedTuple):
    """One thing that simulates."""

    name: str
    """As people know it: `cloth of Flag`."""
    is_baked: bool
    """In its file, or beside it where it can be read."""
    cache: Any = None
    """Blender's point cache of it, where it has one."""
    item: Any = None
    """The object that it moves; None: several."""
    modifier: Any = None
    zone: Any = None
    """The bake of a zone of nodes."""
    surface: Any = None
    """What is painted on."""

    @property
    def is_inside(self) -> bool:
        """Whether it is baked in its file, and so wherever that is read."""
        if self.zone is not None:
            return is_packed(self.zone)
        return self.is_baked and not self.cache.use_disk_cache


def found(scene: Any) -> tuple[str, ...]:
    """Return what of a scene must be baked, as people know it; what its file holds is not.

    What lies beside the file is, since it does not come along to workers.
    """
    return tuple(dict.fromkeys(each.name for each in all_of(scene) if not each.is_inside))


def baked(scene: Any) -> dict[str, int]:
    """Return what was baked in a file itself, and the last frame of the file that it knows."""
    stretch = Fraction(scene.render.frame_map_old, scene.render.frame_map_new)
    ends: dict[str, int] = {}
    for each in all_of(scene):
        if each.is_baked and not is_rain(each):
            end = each.cache.frame_end if each.cache else zone_frames(scene, each.zone)[1]
            ends[each.name] = min(ends.get(each.name, sys.maxsize), math.floor(end / stretch))
    return ends


def is_rain(each: Simulation) -> bool:
    """Tell whether something is particles, whose cache ends when the last of them does."""
    return each.modifier is not None and each.modifier.type == "PARTICLE_SYSTEM"


def by_whole_frames(scene: Any) -> tuple[str, ...]:
    """Return what Blender shows rightly at whole frames alone, and we cannot play in its place."""
    return tuple(dict.fromkeys(each.name for each in all_of(scene) if is_stiff(each)))


def is_stiff(each: Simulation) -> bool:
    """Tell whether Blender shows a simulation between frames as it is at another moment."""
    if each.modifier is None:
        return False
    if each.modifier.type == "PARTICLE_SYSTEM":
        return is_hair(each)
    return each.modifier.type in BY_WHOLE_FRAMES and each.item.type != "MESH"


def is_hair(each: Simulation) -> bool:
    """Tell whether something is hair that moves by its own dynamics."""
    if each.modifier is None or each.modifier.type != "PARTICLE_SYSTEM":
        return False
    return bool(each.modifier.particle_system.settings.type == "HAIR")


def zone_frames(scene: Any, zone: Any) -> tuple[int, int]:
    """Return the first and the last frame of a simulation zone."""
    if zone.use_custom_simulation_frame_range:
        return zone.frame_start, zone.frame_end
    if scene.use_custom_simulation_range:
        return scene.simulation_frame_start, scene.simulation_frame_end
    return scene.frame_start, scene.frame_end


def all_of(scene: Any) -> Iterator[Simulation]:
    """Yield all that simulates in a scene, and in what the scene shows many times."""
    world = scene.rigidbody_world
    if is_moved(world):
        yield Simulation("rigid body world", is_kept(world.point_cache), world.point_cache)
    for item, modifier in modifiers_of(scene):
        yield from simulations_of(item, modifier)


def modifiers_of(scene: Any) -> Iterator[tuple[bpy.types.Object, Any]]:
    """Yield the modifiers that are rendered of all objects that a scene uses."""
    for item in objects_of(scene):
        for modifier in item.modifiers:
            if modifier.show_render:
                yield item, modifier


def unusable(scene: Any) -> Iterator[str]:
    """Say what cannot be shown of a scene, and what to do, one sentence each."""
    for item, modifier in modifiers_of(scene):
        if modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
            remedy = (
                "export it as Alembic, and use that in its place"
                if modifier.domain_settings.domain_type == "LIQUID"
                else "import the .vdb files of its cache as a volume, in its place"
            )
            yield (
                f"the fluid of {item.name} can be neither simulated nor read from its cache by "
                f"the Blender of workers: {remedy}"
            )


def objects_of(scene: Any) -> list[bpy.types.Object]:
    """Return the objects that a scene uses, by whichever way, by name."""
    used = reachable({scene.session_uid})
    items = (item for item in bpy.data.objects if item.session_uid in used)
    return sorted(items, key=lambda item: item.name)


def is_moved(world: Any) -> bool:
    """Tell whether a world of rigid bodies, where there is one, moves any."""
    if world is None or not world.enabled or world.collection is None:
        return False
    bodies = (item.rigid_body for item in world.collection.all_objects)
    return any(body is not None and body.type == "ACTIVE" for body in bodies)


def simulations_of(item: Any, modifier: Any) -> Iterator[Simulation]:
    """Yield what one modifier simulates."""
    if modifier.type in SIMPLE:
        cache, kind = modifier.point_cache, SIMPLE[modifier.type]
        yield Simulation(f"{kind} of {item.name}", is_kept(cache), cache, item, modifier)
    elif modifier.type == "PARTICLE_SYSTEM" and moves(modifier.particle_system):
        name, cache = modifier.particle_system.name, modifier.particle_system.point_cache
        text = f"particles {name} of {item.name}"
        yield Simulation(text, is_kept(cache), cache, item, modifier)
    elif modifier.type == "DYNAMIC_PAINT":
        for surface in painted(modifier):
            name, cache = f"dynamic paint of {item.name}", surface.point_cache
            yield Simulation(name, is_kept(cache), cache, item, modifier, surface=surface)
    elif modifier.type == "NODES":
        for zone in zones_of(modifier):
            name, kept = f"simulation zone of {item.name}", is_zone_kept(modifier, zone)
            yield Simulation(name, kept, None, item, modifier, zone=zone)


def moves(particles: Any) -> bool:
    """Tell whether particles move by physics; others are where their time alone says."""
    if particles.settings.type == "HAIR":
        return bool(particles.use_hair_dynamics)
    return particles.settings.physics_type not in ("NO", "KEYED")


def painted(modifier: Any) -> list[Any]:
    """Return the surfaces of a canvas that change its geometry; others are pictures on a disk."""
    canvas = modifier.canvas_settings
    surfaces = canvas.canvas_surfaces if canvas is not None else ()
    return [each for each in surfaces if each.is_active and each.surface_format == "VERTEX"]


def zones_of(modifier: Any) -> list[Any]:
    """Return the simulation zones of a modifier, in groups of its nodes too."""
    if modifier.node_group is None:
        return []
    return [
        bake
        for bake in modifier.bakes
        if bake.node is not None and bake.node.bl_idname == "GeometryNodeSimulationOutput"
    ]


def is_kept(cache: Any) -> bool:
    """Tell whether a point cache was baked, and is there."""
    if not cache.is_baked:
        return False
    return not cache.use_disk_cache or (cache.use_external and has_files(cache.filepath))


def is_zone_kept(modifier: Any, bake: Any) -> bool:
    """Tell whether a simulation zone was baked into its file, or beside it."""
    if is_packed(bake):
        return True
    folder = modifier.bake_directory and f"{modifier.bake_directory}/{bake.bake_id}"
    if bake.use_custom_path:
        folder = bake.directory
    return bool(folder) and has_files(f"{folder}/meta")


def is_packed(bake: Any) -> bool:
    """Tell whether the bake of a zone is in its file.

    Blender keeps that to itself. What it does tell is compared with what is read, so nothing is
    believed of a Blender that keeps its bakes otherwise.
    """
    raw = ctypes.string_at(bake.as_pointer(), BAKE_LAYOUT.size)
    known, _, _, _, first, last, _, _, _, packed = BAKE_LAYOUT.unpack(raw)
    told = (bake.bake_id, bake.frame_start, bake.frame_end)
    return (known, first, last) == told and bool(packed)


def has_files(folder: str) -> bool:
    """Tell whether a folder is there with something in it."""
    try:
        return bool(folder) and any(Path(bpy.path.abspath(folder)).iterdir())
    except OSError:
        return False
