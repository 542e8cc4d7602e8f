"""What of a scene hangs on time, by Blender's own graph of what follows from what.

Blender knows what it must evaluate anew when time goes on: what is animated, driven, simulated, or
moved along by such things. Each frame looks at these alone. What is the same in all frames stands
still, whatever curves it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import bpy
import numpy as np

from farm.spec.recipes.sequence import LAMP, WORLD
from worker.blender import simulations
from worker.blender.file_scene import WITH_SURFACE, FileScene
from worker.blender.formats import importers
from worker.blender.scene_light import RAYS
from worker.blender.state_hashes import (
    Evaluated,
    Hash,
    add_geometry,
    add_particles,
    has_films,
    hashed,
    nodes_of,
    paths_of,
    rows_of,
    shows,
    values_by_path,
    values_of,
)
from worker.bounds import transformed

MOST_TOLD = 32
"""Things that are told one by one; the others of a frame are told together."""
UNSEEN = "unseen"
"""Stands for the hash of what is not rendered."""
SEEN_AS = (*RAYS, "visible_shadow", "is_holdout", "is_shadow_catcher")
"""What an object says of how it is rendered."""
FINER = {"SUBSURF", "MULTIRES", "BEVEL", "TRIANGULATE", "WEIGHTED_NORMAL", "EDGE_SPLIT"}
"""Modifiers that follow from the mesh before them: where that stays, so do they."""


class Due(NamedTuple):
    """What Blender evaluates anew as time goes on."""

    block: Any
    moves: bool
    deforms: bool


class TimeDependent:
    """What hangs on time of a scene that was opened, its cameras aside."""

    def __init__(self, opened: FileScene) -> None:
        self._scene = opened.scene
        layer = self._scene.view_layers[0]
        self._objects = {
            item.session_uid for item in (*importers.shown(layer.layer_collection), *opened.items)
        }
        self._paints = {paint.session_uid for paint in opened.paints}
        self._reads_objects = any(map(reads_objects, opened.paints))
        self._due = [each for each in self._evaluated_anew() if self._counts(each)]

    def states(self) -> dict[str, str]:
        """Return what hangs on time, and a hash of how each is at this moment, by name."""
        told = dict(sorted(state for each in self._due for state in self._states_of(each)))
        names = list(told)[MOST_TOLD:]
        if names:
            rest = hashed(*[(name, told.pop(name)) for name in names])
            told[f"one of {len(names)} more things"] = rest
        return told

    @property
    def _depsgraph(self) -> Any:
        return self._scene.view_layers[0].depsgraph

    def _evaluated_anew(self) -> list[Due]:
        """Return all that is due when time goes on, and films, of which Blender says nothing.

        To go to the frame that is shown counts as that, and then nothing else is due.
        """
        found: dict[int, Due] = {}

        def listen(scene: Any, depsgraph: Any) -> None:
            if scene == self._scene:
                for each in depsgraph.updates:
                    block = each.id.original
                    due = Due(block, each.is_updated_transform, each.is_updated_geometry)
                    found[block.session_uid] = due

        self._scene.view_layers[0].update()
        heard: Any = bpy.app.handlers.frame_change_post  # its stubs know no depsgraph
        heard.append(listen)
        try:
            self._scene.frame_set(self._scene.frame_current, subframe=self._scene.frame_subframe)
        finally:
            heard.remove(listen)
        lamps = {item: item.data for item in bpy.data.objects if is_lamp(item)}
        others = {block: block for block in (*bpy.data.materials, *bpy.data.worlds)}
        for block, shows_it in (lamps | others).items():
            if has_films(shows_it):
                due = found.get(block.session_uid, Due(block, moves=False, deforms=True))
                found[block.session_uid] = due._replace(deforms=True)
        return list(found.values())

    def _counts(self, due: Due) -> bool:
        """Tell whether something has a say in pictures, beside how they are taken."""
        block = due.block
        match block:
            case bpy.types.Object():
                if block.session_uid not in self._objects or not is_thing(block):
                    return False
                return due.moves or due.deforms or block.animation_data is not None
            case bpy.types.Material():
                return block.session_uid in self._paints
        return bool(block == self._scene.world)

    def _states_of(self, due: Due) -> Iterator[tuple[str, str]]:
        block, now = due.block, due.block.evaluated_get(self._depsgraph)
        match block:
            case bpy.types.Object() if is_lamp(block):
                state = self._lamp(block, now) if is_rendered(now) else UNSEEN
                yield f"{LAMP}{block.name}", state
            case bpy.types.Object():
                there = is_rendered(now)
                yield f"the place of {block.name}", self._place(block, now) if there else UNSEEN
                if due.deforms and block.type != "EMPTY":
                    yield f"the shape of {block.name}", self._shape(now) if there else UNSEEN
            case _:
                word = WORLD if isinstance(block, bpy.types.World) else "the material "
                yield f"{word}{block.name}", hashed(*values_of(block, self._depsgraph))

    def _lamp(self, item: Any, now: Evaluated) -> str:
        """Return a hash of where a lamp is, or shines to, and of its light."""
        matrix = now.matrix_world
        if item.data.type == "SUN":  # it shines from afar
            matrix = matrix.to_3x3()
        rays = [getattr(now, ray) for ray in RAYS]
        return hashed(rows_of(matrix), *rays, *values_of(item.data, self._depsgraph))

    def _place(self, item: Any, now: Evaluated) -> str:
        """Return a hash of how an object is rendered, and where it is.

        Where it has a box, that is the middle of it and of three of its sides, as numbers: what
        rests by physics still moves a little.
        """
        said: list[object] = [getattr(now, name) for name in SEEN_AS]
        if self._reads_objects:
            own = {path for path in paths_of(item) if path.startswith(('["', "color"))}
            said += values_by_path(now, own)
        if item.type == "EMPTY":
            return hashed(rows_of(now.matrix_world), *said)
        return " ".join([hashed(*said), *(f"{number:.7g}" for number in marks_of(now))])

    def _shape(self, now: Evaluated) -> str:
        """Return a hash of an evaluated object's geometry and particles.

        What only a render evaluates is taken to change.
        """
        total = Hash()
        add_geometry(total, now.evaluated_geometry())
        add_particles(total, now, self._depsgraph)
        if any(is_rendered_alone(each) or is_live_hair(each) for each in now.modifiers):
            total.add(self._scene.frame_current, self._scene.frame_subframe)
        return str(total)


def is_lamp(item: Any) -> bool:
    """Tell whether an object is a lamp."""
    return bool(item.type == "LIGHT")


def is_thing(item: Any) -> bool:
    """Tell whether an object may be seen, or give light."""
    if item.type == "EMPTY":
        return bool(item.instance_type == "COLLECTION")
    return item.type in WITH_SURFACE or is_lamp(item)


def is_rendered(now: Evaluated) -> bool:
    """Tell whether an evaluated object has a say in a picture of this moment."""
    if now.hide_render:
        return False
    if is_lamp(now):
        return any(getattr(now, ray) for ray in RAYS)
    return now.type == "EMPTY" or shows(now)


def marks_of(now: Evaluated) -> list[float]:
    """Return 12 numbers: where the middle of an object's box is, and of three of its sides."""
    corners = np.array(now.bound_box)
    low, high = corners.min(axis=0), corners.max(axis=0)
    middle, half = (low + high) / 2, np.diag((high - low) / 2)
    points = transformed(np.array([middle, *(middle + half)]), np.array(now.matrix_world))
    return [float(number) for number in points.ravel()]


def is_rendered_alone(modifier: Any) -> bool:
    """Tell whether a modifier acts in renders alone, and may do something else each time."""
    is_alone = modifier.show_render and not modifier.show_viewport
    return is_alone and modifier.type not in FINER


def is_live_hair(modifier: Any) -> bool:
    """Tell whether a modifier is hair that moves by its own dynamics."""
    if modifier.type != "PARTICLE_SYSTEM" or modifier.particle_system.settings.type != "HAIR":
        return False
    return simulations.moves(modifier.particle_system)


def reads_objects(paint: bpy.types.Material) -> bool:
    """Tell whether a material takes colours or properties of what shows it."""
    kinds = bpy.types.ShaderNodeAttribute | bpy.types.ShaderNodeObjectInfo
    return any(isinstance(node, kinds) for node in nodes_of(paint))
