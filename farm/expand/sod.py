"""The `sod` recipe: a regular grid, or random angles and light."""

from __future__ import annotations

from collections.abc import Iterator

from farm.errors import SpecError
from farm.expand.pairs import Pair, batches, pair_task
from farm.expand.recipe import Count
from farm.expand.streams import stream
from farm.spec.camera import BASE_DISTANCE, FRAMING_FACTORS, Framing, OrbitCamera
from farm.spec.job import Job
from farm.spec.recipes.base import Recipe
from farm.spec.recipes.sod import SodAugmented, SodBase, SodGrid
from farm.spec.task import RenderTask
from farm.spec.view import Light, View


class SodExpansion:
    """Tasks of both modes."""

    def count(self, job: Job) -> Count:
        views = views_per_pair(job.spec.recipe)
        pairs = len(job.models) * len(job.hdrs)
        return Count(tasks=pairs * batches(job, views), views=pairs * views)

    def task(self, job: Job, index: int) -> RenderTask:
        recipe = sod(job.spec.recipe)

        def view(pair: Pair, slot: int) -> View:
            if isinstance(recipe, SodGrid):
                return grid_view(job, recipe, pair, slot)
            assert isinstance(recipe, SodAugmented)
            return augmented_view(job, recipe, pair, slot)

        return pair_task(
            job,
            index,
            views=views_per_pair(recipe),
            view=view,
            dataset=lambda pair: dataset_of(job, pair.model.id, pair.hdr.id),
            file_lights=recipe.file_lights,
            allow_empty_masks=recipe.allow_empty_masks,
        )

    def datasets(self, job: Job) -> Iterator[str]:
        if isinstance(job.spec.recipe, SodAugmented):
            yield job.spec.dataset_name or ""
            return
        seen = set()
        for model in job.models:
            for hdr in job.hdrs:
                name = dataset_of(job, model.id, hdr.id)
                if name in seen:
                    raise SpecError(
                        f"dataset_name: {name!r} would hold the grids of several (model, HDRI) "
                        "pairs under the same file names; put {model} and {hdr} into it"
                    )
                seen.add(name)
                yield name


EXPANSION = SodExpansion()


def sod(recipe: Recipe) -> SodBase:
    """Return `recipe` as what it is."""
    assert isinstance(recipe, SodBase)
    return recipe


def views_per_pair(recipe: Recipe) -> int:
    """Return how many views one model under one HDRI has."""
    if isinstance(recipe, SodGrid):
        return recipe.yaw * recipe.pitch
    assert isinstance(recipe, SodAugmented)
    return recipe.pitch * recipe.yaw_per_pitch


def dataset_of(job: Job, model_id: str, hdr_id: str) -> str:
    """Return the dataset that a pair's views go to."""
    if isinstance(job.spec.recipe, SodAugmented):
        return job.spec.dataset_name or ""
    template = job.spec.dataset_name or "{model}_{hdr}"
    return template.replace("{model}", model_id).replace("{hdr}", hdr_id)


def grid_view(job: Job, recipe: SodGrid, pair: Pair, slot: int) -> View:
    """Make view `slot` of a pair's grid: yaw runs fastest."""
    pitch_step, yaw_step = divmod(slot, recipe.yaw)
    yaw = round(360 / recipe.yaw * yaw_step)
    pitch = round(90 / recipe.pitch * pitch_step)
    return View(
        index=(pair.model_index * len(job.hdrs) + pair.hdr_index) * views_per_pair(recipe) + slot,
        name=f"view_{yaw:03d}_{pitch:02d}",
        camera=orbit(yaw=yaw, pitch=pitch, framing="t" if recipe.fit else "m", fit=recipe.fit),
        light=Light(),
        seed=sampling_seed(job, pair, slot),
    )


def augmented_view(job: Job, recipe: SodAugmented, pair: Pair, slot: int) -> View:
    """Make view `slot` of a pair: all that its name says is drawn here, in whole steps."""

    def rng(aspect: str, place: int = slot):  # type: ignore[no-untyped-def]
        return stream(job.spec.seed, model=pair.model, hdr=pair.hdr, place=place, aspect=aspect)

    pitch_step, turn = divmod(slot, recipe.yaw_per_pitch)
    pitch = round(90 / max(recipe.pitch - 1, 1) * pitch_step)
    yaw = int(rng("yaw", pitch_step).permutation(360)[turn])  # no yaw twice at one pitch
    framing: Framing = ("t", "m", "l")[rng("framing").integers(3)]
    rotation = int(rng("rotation").integers(360))
    low, high = (round(100 * value) for value in recipe.strength)
    strength = int(rng("strength").integers(low, high, endpoint=True))
    return View(
        index=augmented_index(job, recipe, pair, slot),
        name=f"{job.session}_{pair.model.id}_{pair.hdr.id}"
        f"_{yaw:03d}_{pitch:02d}_{framing}_{rotation:03d}_{strength:03d}",
        camera=orbit(yaw=yaw, pitch=pitch, framing=framing, fit=recipe.fit),
        light=Light(rotation_deg=rotation, strength=strength / 100),
        seed=sampling_seed(job, pair, slot),
    )


def augmented_index(job: Job, recipe: SodAugmented, pair: Pair, slot: int) -> int:
    """Return a view's place in the dataset, where the HDRI changes every `hdr_switch` views.

    A model is walked around once per HDRI. Each walk starts with another HDRI and takes the next
    one after every `hdr_switch` views, so that after all walks every HDRI has lit every slot once
    and each (model, HDRI) pair can still be rendered with the HDRI loaded once.
    """
    switches = slot // recipe.hdr_switch
    walk = (pair.hdr_index - switches) % len(job.hdrs)
    slots = views_per_pair(recipe)
    return (pair.model_index * len(job.hdrs) + walk) * slots + slot


def orbit(*, yaw: int, pitch: int, framing: Framing, fit: bool) -> OrbitCamera:
    """Make the camera of a view; with `fit`, tight framing just fills the picture."""
    factor = FRAMING_FACTORS[framing]
    distance = factor / FRAMING_FACTORS["t"] if fit else BASE_DISTANCE * factor
    return OrbitCamera(yaw_deg=yaw, pitch_deg=pitch, distance=distance, framing=framing, fit=fit)


def sampling_seed(job: Job, pair: Pair, slot: int) -> int:
    """Draw Cycles' seed for a view."""
    rng = stream(job.spec.seed, model=pair.model, hdr=pair.hdr, place=slot, aspect="sampling")
    return int(rng.integers(2**31))
