"""What the record tells of a view, once it is rendered: attributes, contacts, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.expressions.generate import expressions_of
from farm.expressions.seen import SeenScene
from farm.spec.label import Attributes, ObjectLabel
from farm.spec.recipes.tabletop import Settled, Setup, View
from worker.finish import Finish
from worker.labels.objects import Thing
from worker.labels.telling import Looked, Told
from worker.tabletop.attributes import Colour, Materials, colour_of, materials_of, pose_of
from worker.tabletop.seeing import Measured, Pixels, pixels_of, seen_object, size_of


@dataclass(frozen=True, eq=False)
class Teller:
    """Tells of the views of one scene; the record's first object is the table."""

    setup: Setup
    settled: Settled
    things: tuple[Thing, ...]
    """The same, as they stand; the table first."""
    finishes: tuple[Finish, ...] = ()
    """Of each material, in the order of their numbers."""
    banned: frozenset[str] = frozenset()
    """Nouns that the HDRI shows, too."""

    def tell(self, looked: Looked, view: View) -> Told:
        """Say what was seen in a view."""
        if looked.indices is None:
            return Told(looked.objects)
        pixels = pixels_of(looked)
        found = [self._measured(place, looked, pixels) for place in range(len(looked.objects))]
        objects = tuple(
            self._described(place, looked.objects[place], measured)
            for place, measured in enumerate(found)
        )
        if self.setup.expressions is None:
            return Told(objects)
        rng = np.random.default_rng(view.words_seed)
        scene = self._scene(objects, found, looked, pixels)
        return Told(objects, expressions_of(scene, self.setup.expressions, rng))

    def _measured(self, place: int, looked: Looked, pixels: Pixels) -> Measured:
        """Measure a thing in a view."""
        label = looked.objects[place]
        mask: NDArray[np.bool_] = np.isin(pixels.numbers, label.indices)
        words = self.setup.props[place - 1].words if place else None
        pose = pose_of(label.world_from_file, label.size, words) if place else None
        if not mask.any():
            return Measured(mask, Colour(), Materials(), pose)
        return Measured(
            mask,
            colour_of(mask, pixels.albedo, pixels.paints, self.finishes),
            materials_of(mask, pixels.paints, self.finishes, words),
            pose,
        )

    def _described(self, place: int, label: ObjectLabel, measured: Measured) -> ObjectLabel:
        """Return the label of a thing with what only this recipe knows of it."""
        if place == 0:
            return label
        prop, stands = self.setup.props[place - 1], self.settled.props[place - 1]
        return label.model_copy(
            update={
                "words": prop.words,
                "on": tuple(each + 1 for each in stands.on),
                "inside": tuple(each + 1 for each in stands.inside),
                "touches": tuple(each + 1 for each in stands.touches),
                "attributes": Attributes(
                    colour=measured.colour.said,
                    materials=tuple(sorted(measured.materials.said)),
                    pose=measured.pose,
                ),
            }
        )

    def _scene(
        self,
        objects: Sequence[ObjectLabel],
        found: Sequence[Measured],
        looked: Looked,
        pixels: Pixels,
    ) -> SeenScene:
        """Return what sentences may speak of."""
        places = [place for place, measured in enumerate(found) if measured.mask.any()]
        return SeenScene(
            objects=tuple(
                seen_object(
                    place,
                    objects[place],
                    found[place],
                    self.things[place],
                    pixels,
                    spoken=self._spoken_materials,
                )
                for place in places
            ),
            world_from_camera=np.array(looked.camera.world_from_camera),
            fraction=self.setup.visible_fraction,
            pixels=self.setup.visible_px,
            banned=self.banned,
            focal_px=looked.camera.fx_px,
            unseen_m=tuple(
                (place, size_of(objects[place]))
                for place in range(1, len(objects))
                if place not in places
            ),
        )

    @property
    def _spoken_materials(self) -> frozenset[str]:
        """Words for materials that only a person knows, and that may be true of other things."""
        words = (prop.words for prop in self.setup.props)
        return frozenset(
            each.material for each in words if each is not None and each.confirmed and each.material
        )
