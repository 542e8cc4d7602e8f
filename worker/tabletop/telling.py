"""What the record tells of a view, once it is rendered: attributes, contacts, sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.expressions.generate import expressions_of
from farm.expressions.seen import SeenObject, SeenScene
from farm.spec.label import Attributes, ObjectLabel
from farm.spec.recipes.tabletop import Setup, View
from worker.labels.telling import Looked, Told
from worker.tabletop.settled import Settled

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Teller:
    """Tells of the views of one scene; the record's first object is the table."""

    setup: Setup
    settled: Settled

    def tell(self, looked: Looked, view: View) -> Told:
        """Say what was seen in a view."""
        objects = tuple(self._described(place, looked) for place in range(len(looked.objects)))
        if self.setup.expressions is None or looked.indices is None:
            return Told(objects)
        scene = self._scene(objects, looked)
        rng = np.random.default_rng(view.words_seed)
        return Told(objects, expressions_of(scene, self.setup.expressions, rng))

    def _described(self, place: int, looked: Looked) -> ObjectLabel:
        """Return the label of a thing with what only this recipe knows of it."""
        label = looked.objects[place]
        if place == 0:
            return label
        prop, stands = self.setup.props[place - 1], self.settled.props[place - 1]
        return label.model_copy(
            update={
                "words": prop.words,
                "on": tuple(each + 1 for each in stands.on),
                "inside": tuple(each + 1 for each in stands.inside),
                "touches": tuple(each + 1 for each in stands.touches),
                "attributes": Attributes(),
            }
        )

    def _scene(self, objects: tuple[ObjectLabel, ...], looked: Looked) -> SeenScene:
        """Return what sentences may speak of."""
        found: tuple[SeenObject, ...] = ()
        return SeenScene(
            objects=found,
            world_from_camera=np.array(looked.camera.world_from_camera),
            fraction=self.setup.visible_fraction,
            pixels=self.setup.visible_px,
        )
