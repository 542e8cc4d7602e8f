"""What lights a file's own scene: its world, its lamps, or an environment of ours instead."""

from __future__ import annotations

from typing import Any

import bpy

from worker.blender.materials.emission import any_shines
from worker.blender.models.measure import Measurement

RAYS = (
    "visible_camera", "visible_diffuse", "visible_glossy", "visible_transmission",
    "visible_volume_scatter",
)  # fmt: skip
"""Kinds of rays that a lamp lights; without any it is off, whatever animates it."""


class SceneLight:
    """A scene's own world and lamps, which others may stand in for."""

    def __init__(self, scene: Any, found: Measurement) -> None:
        self._scene = scene
        self._world = scene.world
        self._lamps = [item for item in bpy.data.objects if item.type == "LIGHT"]
        self._rays = [{name: getattr(item, name) for name in RAYS} for item in self._lamps]
        self.is_none = not (found.has_light or scene.world or any_shines(found.materials.values()))
        """Nothing in the scene gives light."""

    def use_own(self) -> None:
        """Light the scene as its file does."""
        self._light(self._world, lamps=True)

    def use(self, world: bpy.types.World, *, lamps: bool) -> None:
        """Light the scene by another world.

        Args:
            world: What shines from everywhere.
            lamps: The file's own lamps shine beside it.
        """
        self._light(world, lamps=lamps)

    def _light(self, world: bpy.types.World | None, *, lamps: bool) -> None:
        if self._scene.world != world:
            self._scene.world = world
        for item, rays in zip(self._lamps, self._rays, strict=True):
            for name, own in rays.items():
                if getattr(item, name) != (lamps and own):  # a change costs Cycles time
                    setattr(item, name, lamps and own)
