"""The bodies of what is rendered, read from a depsgraph of the render itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import bpy
import numpy as np

from worker.blender.materials.displacement import moves_surface
from worker.blender.models.measure import ShownObject, has_area, look, seen_by_camera
from worker.blender.models.model import Model
from worker.blender.tracks import surfaces
from worker.points.bodies import Body, joined
from worker.points.first_hits import Indices, Numbers
from worker.points.surfaces import Mesh, Surface

NOT_TRIANGLES = {"CURVES", "POINTCLOUD", "VOLUME"}
"""Types of what Cycles renders otherwise than as triangles."""


class Bodies(dict[int, Body]):
    """The body of each object of a render by its number, filled by the render itself."""

    def __call__(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Look at what is about to be rendered."""
        self.update(bodies_of(depsgraph))


def note_bodies(
    models: Iterable[Model], scene: bpy.types.Scene, render: Callable[[], None]
) -> None:
    """Let models that stand where their files have them know their bodies.

    Args:
        models: All that stand in the scene; those that know theirs keep it.
        scene: Where they stand.
        render: Runs the renderer of the scene.
    """
    ignorant = [model for model in models if model.body is None]
    if not ignorant:
        return
    found = Bodies()
    look(scene, render, found)
    for model in ignorant:
        model.body = joined(found.get(index, Body()) for index in model.indices)


def bodies_of(depsgraph: Any) -> dict[int, Body]:
    """Return the body of each object that a depsgraph shows, by its number."""
    shown: dict[int, list[Surface]] = {}
    small: dict[int, Mesh] = {}
    for surface in surfaces(depsgraph):
        if surface.followed:
            known = small.get(id(surface.mesh))  # which the generator keeps until it ends
            mesh = small[id(surface.mesh)] = known or smaller(surface.mesh)
            shown.setdefault(surface.owner, []).append(surface._replace(mesh=mesh))
    strange = strange_owners(depsgraph)
    return {
        owner: Body(
            tuple(shown.get(owner, ())),
            whole=owner not in strange
            and all(surface.mesh.solid.all() for surface in shown.get(owner, ())),
        )
        for owner in shown.keys() | strange
    }


def smaller(mesh: Mesh) -> Mesh:
    """Return a mesh with numbers as short as Blender's own: it is kept as long as its model."""
    return mesh._replace(
        points=cast(Numbers, mesh.points.astype(np.float32)),
        triangles=cast(Indices, mesh.triangles.astype(np.int32)),
    )


def strange_owners(depsgraph: Any) -> set[int]:
    """Return the numbers of objects of which triangles do not tell all."""
    found = set()
    for instance in depsgraph.object_instances:
        item: Any = ShownObject(instance)
        if not seen_by_camera(item) or not has_area(instance.matrix_world):
            continue
        if item.type in NOT_TRIANGLES or has_hair(item) or is_displaced(item):
            found.add(item.pass_index)
    return found


def has_hair(item: Any) -> bool:
    """Tell whether hair grows on an object that particles make."""
    return any(
        system.settings.type == "HAIR" and system.settings.render_type == "PATH"
        for system in item.particle_systems
    )


def is_displaced(item: Any) -> bool:
    """Tell whether a material moves an object's surface."""
    return any(
        slot.material is not None and moves_surface(slot.material) for slot in item.material_slots
    )
