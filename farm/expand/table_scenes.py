"""What each scene of the recipe `tabletop` is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from farm.expand.randomised import Dice
from farm.expand.streams import numbers_of, stream
from farm.spec import randomise
from farm.spec.asset import Asset
from farm.spec.job import Job
from farm.spec.randomise import Distractors, Shape, Surfaces
from farm.spec.recipes.tabletop import RecipeSpec
from farm.spec.words import AssetWords, of_category, words_for

MOST_TEXTURES = 10
"""Pictures between which the views of one scene choose."""
SHAPE_STEP_M = 0.005
"""Sizes of shapes, so that a worker makes few of them."""


class Distractor(NamedTuple):
    """A thing beside the objects."""

    asset: Asset | None
    """None of a shape."""
    shape: Shape | None
    size_m: float | None
    """Of a shape."""
    height_m: float | None
    """Above the table, of one that hangs in the air."""


class Scene(NamedTuple):
    """What one scene is made of."""

    number: int
    objects: tuple[Asset, ...]
    """One for each thing: copies come several times."""
    surface: Asset | None
    distractors: tuple[Distractor, ...]
    textures: tuple[Asset, ...]
    hdrs: tuple[Asset, ...]
    numbers: tuple[int, ...]
    """Of its objects: by these they enter random streams."""

    @property
    def assets(self) -> tuple[Asset, ...]:
        """Each once, sorted by role."""
        surface = () if self.surface is None else (self.surface,)
        beside = tuple(each.asset for each in self.distractors if each.asset is not None)
        everything = (*self.objects, *surface, *beside, *self.textures, *self.hdrs)
        return tuple(dict.fromkeys(everything))


def tabletop(job: Job) -> RecipeSpec:
    """Return the recipe of a job as what it is."""
    assert isinstance(job.spec.recipe, RecipeSpec)
    return job.spec.recipe


def words_by_name(recipe: RecipeSpec) -> dict[str, AssetWords]:
    """Return the words of each asset, by the name of its file."""
    return recipe.words if isinstance(recipe.words, dict) else {}


def words_of(recipe: RecipeSpec, asset: Asset) -> AssetWords:
    """Return what an object is called; where nobody has said, by the category of its source.

    Nobody has confirmed what it is made of once its materials change.
    """
    known = words_for(words_by_name(recipe), asset.name, asset.sha256)
    words = known or of_category(asset.credit.category)
    if recipe.randomise and recipe.randomise.materials and words.material is not None:
        return words.model_copy(update={"material": None})
    return words


def noun_of(recipe: RecipeSpec, asset: Asset) -> str:
    """Return what kind of thing an object is."""
    return words_of(recipe, asset).noun


def scene_of(job: Job, number: int) -> Scene:
    """Draw what a scene is made of."""
    surfaces = job.of("surfaces")
    surface = (
        surfaces[int(scene_rng(job, number, "surface").integers(len(surfaces)))]
        if surfaces
        else None
    )
    objects = tuple(objects_of(job, number))
    return Scene(
        number,
        objects,
        surface,
        tuple(distractors_of(job, number)),
        textures_of(job, number),
        hdrs_of(job, number),
        numbers_of(objects),
    )


def hdrs_of(job: Job, number: int) -> tuple[Asset, ...]:
    """Draw what lights the views of a scene, one after the other."""
    recipe, hdrs = tabletop(job), job.of("hdrs")
    return tuple(shuffled(hdrs, scene_rng(job, number, "hdrs"))[: min(recipe.skies, recipe.views)])


def scene_rng(job: Job, number: int, aspect: str) -> np.random.Generator:
    """Return the stream of one aspect of a scene."""
    return stream(job.spec.seed, (), place=number, aspect=aspect)


def shuffled(assets: Sequence[Asset], rng: np.random.Generator) -> list[Asset]:
    """Return assets in any order."""
    return [assets[place] for place in rng.permutation(len(assets))]


# Objects


def pools_of(job: Job) -> tuple[tuple[Asset, ...], tuple[Asset, ...]]:
    """Return the objects of most scenes, and those that only the last ones have."""
    recipe, objects = tabletop(job), job.of("objects")
    if not recipe.holdout:
        return objects, ()
    ordered = sorted(objects, key=lambda asset: asset.content)
    apart = max(1, round(recipe.holdout * len(ordered)))
    return tuple(ordered[apart:]), tuple(ordered[:apart])


def pool_of(job: Job, number: int) -> tuple[Asset, ...]:
    """Return the objects that a scene may have."""
    recipe = tabletop(job)
    usual, apart = pools_of(job)
    is_apart = recipe.holdout and number >= recipe.scenes - max(
        1, round(recipe.holdout * recipe.scenes)
    )
    return apart if is_apart else usual


def most_objects(recipe: RecipeSpec) -> int:
    """Return how many objects a scene can have at most."""
    if recipe.arrangement == "place" and not recipe.free:
        return min(recipe.per_scene[1], recipe.rows * recipe.columns)
    return recipe.per_scene[1]


def objects_of(job: Job, number: int) -> list[Asset]:
    """Draw the objects of a scene, in any order."""
    recipe = tabletop(job)
    pool = shuffled(pool_of(job, number), scene_rng(job, number, "objects"))
    low, high = recipe.per_scene[0], most_objects(recipe)
    wanted = int(scene_rng(job, number, "count").integers(low, high, endpoint=True))
    rng = scene_rng(job, number, "copies")
    copies = {
        asset.content: int(rng.integers(recipe.copies[0], recipe.copies[1], endpoint=True))
        for asset in pool
    }
    chosen = taken(first_of_each(recipe, of_few_kinds(job, number, pool)), copies, wanted)
    return shuffled(topped_up(chosen, recipe.copies[1], low), scene_rng(job, number, "order"))


def taken(pool: Iterable[Asset], copies: dict[str, int], wanted: int) -> list[Asset]:
    """Take assets, each with its copies, until there are as many things as wanted."""
    chosen: list[Asset] = []
    for asset in pool:
        chosen += [asset] * min(copies[asset.content], wanted - len(chosen))
    return chosen


def topped_up(chosen: list[Asset], most: int, low: int) -> list[Asset]:
    """Add more copies where a scene would have too few things."""
    counts = Counter(chosen)
    for asset in counts:
        room = min(most - counts[asset], low - len(chosen))
        chosen += [asset] * max(room, 0)
    return chosen


def first_of_each(recipe: RecipeSpec, pool: Sequence[Asset]) -> list[Asset]:
    """Return objects so that one of each kind comes before all others, where kinds are counted."""
    if recipe.categories is None:
        return list(pool)
    firsts = {noun_of(recipe, asset): asset for asset in reversed(pool)}.values()
    ahead = {asset.content for asset in firsts}
    return sorted(pool, key=lambda asset: asset.content not in ahead)


def of_few_kinds(job: Job, number: int, pool: Sequence[Asset]) -> Sequence[Asset]:
    """Return the objects of as many nouns as a scene is to have, of which there are enough."""
    recipe = tabletop(job)
    if recipe.categories is None:
        return pool
    low, high = recipe.categories
    count = int(scene_rng(job, number, "categories").integers(low, high, endpoint=True))
    sizes = Counter(noun_of(recipe, asset) for asset in pool)
    nouns = enough_kinds(list(sizes), sizes, count=count, least=least_assets(recipe), most=high)
    return [asset for asset in pool if noun_of(recipe, asset) in nouns]


def least_assets(recipe: RecipeSpec) -> int:
    """Return how many assets a scene needs that has each as often as it may."""
    return -(-recipe.per_scene[0] // recipe.copies[1])


def enough_kinds(
    nouns: list[str], sizes: Counter[str], *, count: int, least: int, most: int
) -> set[str]:
    """Return the first nouns; where they have too few objects, larger ones in their place, or more
    of them.
    """
    kept = nouns[:count]
    rest = sorted(nouns[count:], key=lambda noun: -sizes[noun])
    while rest and sum(sizes[noun] for noun in kept) < least:
        smallest = min(kept, key=lambda noun: sizes[noun])
        if sizes[rest[0]] > sizes[smallest]:
            kept[kept.index(smallest)] = rest.pop(0)
        elif len(kept) < most:
            kept.append(rest.pop(0))
        else:
            break
    return set(kept)


# What is beside them


def distractors_of(job: Job, number: int) -> Iterator[Distractor]:
    """Draw what is beside the objects; one more changes none of those before it."""
    recipe = tabletop(job)
    wanted = recipe.randomise and recipe.randomise.distractors
    if not wanted:
        return
    dice = Dice(job.spec.seed, (), number)
    for place in range(dice.whole(wanted.count, randomise.SOME, "distractors count")):
        yield distractor_of(wanted, job.of("distractors"), dice, f"distractors {place}")


def distractor_of(
    wanted: Distractors, models: Sequence[Asset], dice: Dice, name: str
) -> Distractor:
    """Draw one thing that is beside the objects."""
    hangs = dice.happens(wanted.floating, f"{name} floating")
    height = dice.number(wanted.height_m, randomise.LENGTH_M, f"{name} height") if hangs else None
    if models and (not wanted.shapes or dice.happens(wanted.models, f"{name} model")):
        return Distractor(dice.one_of(models, f"{name} asset"), None, None, height)
    size = dice.number(wanted.size_m, randomise.LENGTH_M, f"{name} size")
    steps = max(1, round(size / SHAPE_STEP_M))
    shape = dice.one_of(wanted.shapes, f"{name} shape")
    return Distractor(None, shape, round(steps * SHAPE_STEP_M, 3), height)


def textures_of(job: Job, number: int) -> tuple[Asset, ...]:
    """Draw the pictures between which the views of a scene choose."""
    surface = surface_look(job)
    if surface is None:
        return ()
    textures = shuffled(job.of("textures"), scene_rng(job, number, "textures"))
    most = min(tabletop(job).views, MOST_TEXTURES) if surface.per == "view" else 1
    return tuple(textures[:most])


def surface_look(job: Job) -> Surfaces | None:
    """Return how tables look, where they do not look as they are: pictures are there to be seen."""
    said = tabletop(job).randomise
    return (said and said.surface) or (Surfaces() if job.of("textures") else None)
