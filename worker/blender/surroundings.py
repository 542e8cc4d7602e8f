"""What stands in a scene around a camera that is to move through it: asked by rays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import bpy
import numpy as np

from farm.errors import AssetError
from worker.blender.curves import curves_of
from worker.blender.file_scene import FileScene
from worker.blender.formats import importers
from worker.blender.materials.emission import is_output
from worker.bounds import Points, transformed

HELD_BY_BODIES = ("EMPTY", "CAMERA", "LIGHT", "LIGHT_PROBE", "SPEAKER", "ARMATURE", "LATTICE")
"""Kinds of objects that have no surface, but may show others that have."""
MOST_NAMES = 8
"""Objects that a sentence names."""


class Hit(NamedTuple):
    """The first surface that a ray meets."""

    distance: float
    name: str
    from_behind: bool
    """The surface's normal points along the ray: the ray comes from inside, if it is closed."""


class Body(NamedTuple):
    """Something to look at."""

    middle: Points
    """(3,)"""
    radius: float
    names: frozenset[str] = frozenset()
    """Objects of which it is made; none: a point."""


class Surroundings:
    """A scene's surfaces, as they are rendered, at one moment after the other."""

    def __init__(self, opened: FileScene) -> None:
        self.path = opened.path
        self._opened = opened
        self._scene = opened.scene
        self._layer = opened.scene.view_layers[0]

    def show(self, moment: float) -> None:
        """Go to a moment of the file's time."""
        self._opened.show_frame(moment)

    def first_hit(self, start: Points, end: Points) -> Hit | None:
        """Return what is met first between two points, if anything is."""
        way = end - start
        length = float(np.linalg.norm(way))
        if length == 0.0:
            return None
        ray = (way / length).tolist()
        found, at, normal, _face, item, _matrix = self._scene.ray_cast(
            self._layer.depsgraph, start.tolist(), ray, distance=length
        )
        if not found:
            return None
        reached = float(np.linalg.norm(np.array(at) - start))
        return Hit(reached, item.name, float(np.dot(np.array(normal), ray)) > 0.0)

    def everything(self) -> Body:
        """Return all that is rendered now.

        Raises:
            AssetError: That is nothing.
        """
        corners = [placed.outline for placed in self._opened.placed()]
        if not corners:
            raise AssetError(self.path, "its first frame shows nothing that could be looked at")
        return ball(np.concatenate(corners))

    def object(self, name: str) -> Body:
        """Return an object with all that belongs to it, as it stands now.

        Raises:
            AssetError: The scene has none of this name.
        """
        item = self._scene.objects.get(name)
        if item is None:
            has = sorted(each.name for each in self._opened.items)
            more = " and others" if len(has) > MOST_NAMES else ""
            told = ", ".join(map(repr, has[:MOST_NAMES])) + more
            raise AssetError(self.path, f"it has no object {name!r} to look at; it has {told}")
        corners, names = [], []
        for piece, matrix in pieces(item, self._layer.depsgraph):
            names.append(piece.name)
            if piece.type not in HELD_BY_BODIES:
                corners.append(transformed(np.array(piece.bound_box), matrix))
        if not corners:
            place = np.array(item.evaluated_get(self._layer.depsgraph).matrix_world)[:3, 3]
            return Body(place, 0.0)
        return ball(np.concatenate(corners))._replace(names=frozenset(names))

    def own_camera(self) -> Points | None:
        """Return where the file's own camera stands now, if it has one."""
        camera = self._opened.own_camera
        if camera is None:
            return None
        return np.array(camera.evaluated_get(self._layer.depsgraph).matrix_world)[:3, 3]


def pieces(item: bpy.types.Object, depsgraph: Any) -> Iterator[tuple[Any, Points]]:
    """Yield the evaluated objects that belong to one, with where they are shown."""
    for each in (item, *item.children_recursive):
        now = each.evaluated_get(depsgraph)
        matrix = np.array(now.matrix_world)
        yield now, matrix
        if each.instance_type == "COLLECTION" and each.instance_collection is not None:
            offset = np.eye(4)
            offset[:3, 3] = -np.array(each.instance_collection.instance_offset)
            for inner in each.instance_collection.all_objects:
                yield inner, matrix @ offset @ np.array(inner.matrix_world)


def ball(corners: Points) -> Body:
    """Return the ball around a box around points (N, 3)."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Body((low + high) / 2, float(np.linalg.norm(high - low)) / 2)


@contextmanager
def surroundings(opened: FileScene) -> Iterator[Surroundings]:
    """Give the surfaces that are rendered of a scene; its rays meet no others meanwhile.

    Blender casts rays at what its windows show, so that is made the same for a while.
    """
    before = Before()
    try:
        as_rendered(opened.scene, before)
        yield Surroundings(opened)
    finally:
        before.restore()


class Before:
    """Properties that were changed for a while."""

    def __init__(self) -> None:
        self._values: list[tuple[Any, str, Any]] = []
        self._eyes: list[tuple[Any, Any]] = []

    def change(self, owner: Any, **values: Any) -> None:
        """Change properties of an object, or of what it has."""
        for name, value in values.items():
            old = getattr(owner, name)
            if old != value:
                self._values.append((owner, name, old))
                setattr(owner, name, value)

    def open_eye(self, item: Any, layer: Any) -> None:
        """Show an object that is hidden in a view layer."""
        if item.hide_get(view_layer=layer):
            self._eyes.append((item, layer))
            item.hide_set(state=False, view_layer=layer)

    def restore(self) -> None:
        """Put everything back."""
        for owner, name, value in reversed(self._values):
            setattr(owner, name, value)
        for item, layer in self._eyes:
            item.hide_set(state=True, view_layer=layer)


def as_rendered(scene: Any, before: Before) -> None:
    """Show in windows what is rendered, as far as a camera cannot go through it."""
    layer = scene.view_layers[0]
    for each in layers_of(layer.layer_collection):
        before.change(each, hide_viewport=False)
        before.change(each.collection, hide_viewport=False)
    shown = {item.session_uid for item in importers.visible_objects(scene)}
    for collection in bpy.data.collections:
        before.change(collection, hide_viewport=collection.hide_render)
    inside = set(layer.objects.keys())
    for item in bpy.data.objects:
        there = item.session_uid in shown if item.name in inside else not item.hide_render
        there = there or comes_and_goes(item)
        before.change(
            item,
            hide_viewport=not (there and is_solid(item)),
            show_instancer_for_viewport=item.show_instancer_for_render,
        )
        if item.name in inside and layer.objects[item.name] == item:
            before.open_eye(item, layer)
        for modifier in item.modifiers:
            before.change(modifier, show_viewport=modifier.show_render)
            if isinstance(modifier, bpy.types.SubsurfModifier):
                before.change(modifier, levels=modifier.render_levels)
    layer.update()


def layers_of(layer: Any) -> Iterator[Any]:
    """Yield a layer's collections, with those inside."""
    yield layer
    for child in layer.children:
        yield from layers_of(child)


def comes_and_goes(item: Any) -> bool:
    """Tell whether an object is rendered in some frames alone; it is never run into then."""
    action = item.animation_data.action if item.animation_data else None
    return action is not None and any(
        curve.data_path == "hide_render" for curve in curves_of(action)
    )


def is_solid(item: Any) -> bool:
    """Tell whether a camera must not go through an object, or it shows others that are such."""
    if item.type in HELD_BY_BODIES:
        return True
    if item.type == "VOLUME" or not item.visible_camera:
        return False
    if item.is_shadow_catcher or item.is_holdout:
        return False
    materials = [slot.material for slot in item.material_slots if slot.material is not None]
    return not materials or not all(map(is_air, materials))


def is_air(material: bpy.types.Material) -> bool:
    """Tell whether a material fills its inside with a volume, and has no surface."""
    tree = material.node_tree
    outputs: Iterable[Any] = [node for node in tree.nodes if is_output(node)] if tree else ()
    return any(
        node.inputs["Volume"].is_linked and not node.inputs["Surface"].is_linked for node in outputs
    )
