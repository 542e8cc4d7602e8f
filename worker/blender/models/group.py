"""Several models in one scene: numbered on, and what is true of them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import bpy

from farm.spec.camera import IDENTITY
from worker.blender.materials.clear_cut import ClearCut
from worker.blender.models.model import Model
from worker.blender.models.pass_indices import number
from worker.finish import Finish


class ClearCuts:
    """The half-clear materials of several models, switched at once."""

    def __init__(self, parts: Iterable[ClearCut]) -> None:
        self._parts = tuple(dict.fromkeys(parts))

    def __bool__(self) -> bool:
        """Tell whether there is any such material."""
        return any(self._parts)

    def turn(self, *, on: bool) -> None:
        """Show all materials as labels see them, or as they are."""
        for part in self._parts:
            part.turn(on=on)


@dataclass(frozen=True, eq=False)
class Models(Sequence[Model]):
    """The models of a scene, in the order in which they were asked for."""

    each: tuple[Model, ...]
    materials: tuple[str, ...]
    """Names as the models' files have them; the first has the number 1. A material that several
    models share is here once."""

    def __len__(self) -> int:
        return len(self.each)

    def __iter__(self) -> Iterator[Model]:
        return iter(self.each)

    @overload
    def __getitem__(self, place: int) -> Model: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Model, ...]: ...
    def __getitem__(self, place: int | slice) -> Model | tuple[Model, ...]:
        return self.each[place]

    def put_back(self) -> None:
        """Show all models where their files have them."""
        for model in self.each:
            model.place(IDENTITY)

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of what is rendered, in the order of their numbers."""
        return tuple(name for model in self.each for name in model.objects)

    @property
    def rendered(self) -> tuple[bpy.types.Object, ...]:
        """The same as data-blocks."""
        return tuple(item for model in self.each for item in model.rendered)

    @property
    def paints(self) -> tuple[bpy.types.Material, ...]:
        """The materials as data-blocks, in the order of their numbers."""
        return tuple(dict.fromkeys(paint for model in self.each for paint in model.paints))

    @property
    def finishes(self) -> tuple[Finish, ...]:
        """How the materials treat light, in the order of their numbers."""
        found: dict[bpy.types.Material, Finish] = {}
        for model in self.each:
            for paint, finish in zip(model.paints, model.finishes, strict=True):
                found.setdefault(paint, finish)
        return tuple(found.values())

    @property
    def clear_cut(self) -> ClearCuts:
        """How labels see what is neither solid nor clear."""
        return ClearCuts(model.clear_cut for model in self.each)

    @property
    def is_thin_air(self) -> bool:
        """Some of them are volumes."""
        return any(model.is_thin_air for model in self.each)

    @property
    def true_strength(self) -> bool:
        """Some give light of their own."""
        return any(model.true_strength for model in self.each)

    @property
    def vertex_colours(self) -> bool:
        """Some show colours that their points carry."""
        return any(model.vertex_colours for model in self.each)

    @property
    def missing_textures(self) -> tuple[str, ...]:
        """Pictures that some of them want and that are not there."""
        return tuple(sorted({name for model in self.each for name in model.missing_textures}))

    @property
    def unread(self) -> tuple[str, ...]:
        """What of their files could not be read."""
        return tuple(dict.fromkeys(part for model in self.each for part in model.unread))


def joined(models: Iterable[Model]) -> Models:
    """Number the parts of models on from one to the next."""
    each = tuple(models)
    first = 1
    paints: dict[bpy.types.Material, str] = {}
    for model in each:
        number(model.rendered, first=first)
        model.first_index = first
        first += len(model.rendered)
        paints |= {
            paint: name
            for paint, name in zip(model.paints, model.materials, strict=True)
            if paint not in paints
        }
    number(paints)
    return Models(each, tuple(paints.values()))
