"""What views change in the scene beside where things stand: lamps, materials, the table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

import bpy

from farm.errors import TaskError
from farm.spec.asset import Asset
from farm.spec.camera import Matrix4
from farm.spec.randomise import Drawn, Lamp
from worker.blender.models.model import Model
from worker.blender.randomised.changes import Changes
from worker.blender.randomised.lamps import add_lamps
from worker.blender.randomised.paints import paint_models
from worker.blender.randomised.surface import dress


class Dressing:
    """The changes that are made now; the scene, and models that stay in it, get them all back."""

    def __init__(self, before_change: Callable[[], None] = lambda: None) -> None:
        """Take what is called before materials change, or get back what they were."""
        self._before_change = before_change
        self._lamps, self._paints = Changes(), Changes()
        self._lit: Hashable = None
        self._worn: Hashable = None

    def light(
        self,
        scene: bpy.types.Scene,
        lamps: Sequence[Lamp],
        scene_from_world: Matrix4,
        *,
        factor: float,
    ) -> None:
        """Let lamps shine, in place of those of before, unless they are the same."""
        wanted = (scene.session_uid, tuple(lamps), scene_from_world, factor)
        if self._lit == wanted:
            return
        self.switch_off()
        self._lit = wanted
        add_lamps(scene, lamps, scene_from_world, self._lamps, factor=factor)

    def wear(
        self,
        models: Sequence[Model],
        drawn: Drawn,
        *,
        table: tuple[Model, Matrix4] | None = None,
        picture: Asset | None = None,
    ) -> None:
        """Let models look as it was drawn, in place of how they looked before, where that is other.

        Args:
            models: In the order by which paints name them.
            drawn: How they look.
            table: The model that has the look of the table, and its place.
            picture: What it shows.

        Raises:
            AssetError: The picture cannot be read.
        """
        shown = picture and picture.sha256
        wanted = (*map(id, models), drawn.paints, drawn.surface, table and table[1], shown)
        if self._worn == wanted:
            return
        self.take_off()
        self._before_change()
        for model in models:
            self._paints.note(model.forget_finishes)
            model.forget_finishes()
        try:
            paint_models(models, drawn.paints, self._paints)
            if table is not None and drawn.surface is not None:
                path = Path(picture.path) if picture is not None else None
                dress(*table, drawn.surface, path, self._paints)
        except TaskError:
            self.take_off()
            raise
        self._worn = wanted

    def switch_off(self) -> None:
        """Take all lamps away."""
        self._lit = None
        self._lamps.put_back()

    def take_off(self) -> None:
        """Let models look as their files have them."""
        if self._paints:
            self._before_change()
        self._worn = None
        self._paints.put_back()

    def put_back(self) -> None:
        """Undo all changes."""
        self.switch_off()
        self.take_off()
