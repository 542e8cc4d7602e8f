"""What recipes share whose views show several models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from farm.spec.asset import Asset
from farm.spec.camera import Matrix4
from farm.spec.label import IndexLabel
from farm.spec.passes import PassName
from worker.labels.objects import Thing, thing_at
from worker.labels.tables import index_table
from worker.recipes import Stage

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.models.group import Models


@dataclass(frozen=True, eq=False)
class ModelsStage(Stage):
    """Models beside each other; a recipe's `arrange` says where they stand."""

    models: Models
    assets: tuple[Asset, ...]
    """Of each model, the task's asset that it is of."""
    places: tuple[int | None, ...]
    """Of each model, the place of that asset among the task's; None of one of the farm's own."""

    @property
    def shown(self) -> Models:
        return self.models

    @property
    def label_passes(self) -> tuple[PassName, ...]:
        return ("index",)

    @property
    def indices(self) -> tuple[IndexLabel, ...]:
        return tuple(
            label
            for number, model in enumerate(self.models)
            for label in index_table(
                model.objects, category=self.category(number), first=model.first_index
            )
        )

    def category(self, number: int) -> str:
        """Return what kind of thing a model is."""
        return category_of(self.assets[number])

    def place(self, number: int, world_from_file: Matrix4) -> Thing:
        """Show a model where a matrix takes its file's coordinates; return it as a thing.

        Args:
            number: Which of the models, from 0.
            world_from_file: Turns, scales and shifts.
        """
        model, asset = self.models[number], self.assets[number]
        model.place(world_from_file)
        return thing_at(
            world_from_file,
            model,
            name=asset.credit.name or asset.name,
            category=self.category(number),
            asset=self.places[number],
        )


def category_of(asset: Asset) -> str:
    """Return what kind of thing a model is."""
    return asset.credit.category or "object"
