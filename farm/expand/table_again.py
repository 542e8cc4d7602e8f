"""Scenes of the recipe `tabletop` that were rendered, set up once more as their records tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast, get_args

from farm.errors import SpecError
from farm.expand.again import Again
from farm.expand.table_scenes import SHAPE_STEP_M, tabletop, words_of
from farm.spec.camera import Matrix4
from farm.spec.job import Job
from farm.spec.label import ObjectLabel
from farm.spec.randomise import Shape
from farm.spec.recipes.tabletop import Prop, RecipeSpec, Settled, SettledProp, Setup, Surface
from farm.spec.record import ViewRecord
from farm.spec.task import PRODUCT_PATTERN

LOAD_S = 300.0
"""Seconds that it may take to load the things of a scene beyond a task's own limit."""


def table_again(job: Job, record: ViewRecord) -> Again:
    """Return how a view of a settled scene is set up once more: its things stand where the record
    has them, so that nothing settles again.

    Raises:
        SpecError: The record does not tell what stands where.
    """
    recipe, objects = tabletop(job), record.objects
    if not objects:
        raise untold(record, "names no things")
    then = Setup(
        arrangement=recipe.arrangement,
        scale=recipe.scale,
        surface=Surface(asset=objects[0].asset, size_m=recipe.table_m),
        props=tuple(prop_of(recipe, record, label) for label in objects[1:]),
        min_visible=recipe.min_visible,
        visible_fraction=recipe.visible_fraction,
        visible_px=recipe.visible_px,
        expressions=recipe.expressions,
    )
    product = record.group if re.fullmatch(PRODUCT_PATTERN, record.group) else None
    settled = settled_of(record, objects)
    return Again(
        then.model_copy(update={"settled": settled}),
        then=then,
        product=product,
        needs_light=True,
        setup_s=LOAD_S,
    )


def settled_of(record: ViewRecord, objects: Sequence[ObjectLabel]) -> Settled:
    """Return how the things of a view stand, the table first."""
    tries = record.values.get("scene_tries")
    return Settled(
        surface=place_of(record, objects[0]),
        props=tuple(
            SettledProp(
                world_from_file=place_of(record, label),
                on=before(label.on),
                inside=before(label.inside),
                touches=before(label.touches),
            )
            for label in objects[1:]
        ),
        draw=tries - 1 if isinstance(tries, int) and tries > 0 else 0,
    )


def before(places: Sequence[int]) -> tuple[int, ...]:
    """Return places among the things beside the table, which is the first of a record's objects."""
    return tuple(place - 1 for place in places)


def place_of(record: ViewRecord, label: ObjectLabel) -> Matrix4:
    """Return where a thing stands.

    Raises:
        SpecError: The record does not tell.
    """
    if label.world_from_file is None:
        raise untold(record, f"does not tell where its {label.name} stands")
    return label.world_from_file


def prop_of(recipe: RecipeSpec, record: ViewRecord, label: ObjectLabel) -> Prop:
    """Return what a thing is.

    Raises:
        SpecError: The record does not tell.
    """
    if label.asset is not None:
        if not 0 <= label.asset < len(record.assets):
            raise untold(record, f"has no asset of its {label.name}")
        asset = record.assets[label.asset]
        spoken = label.words or words_of(recipe, asset)
        return Prop(asset=label.asset, words=spoken if asset.role == "objects" else None)
    if label.name not in get_args(Shape):
        raise untold(record, f"does not tell of which file its {label.name} is")
    size_m = round(max(label.size) / SHAPE_STEP_M) * SHAPE_STEP_M
    return Prop(shape=cast("Shape", label.name), size_m=round(size_m, 3))


def untold(record: ViewRecord, what: str) -> SpecError:
    """Return the refusal of a view whose record lacks something."""
    return SpecError(
        f"{record.view.name}: its record {what}, as those of older releases; render its scene "
        "again with these passes"
    )
