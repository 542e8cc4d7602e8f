"""The `script` recipe: views in episodes, each a place in the job; parameters are drawn here.

A task holds whole episodes where some fit into it, and else a part of one.
"""

from __future__ import annotations

from farm.expand.drawing import draw
from farm.expand.recipe import Count, Expansion
from farm.expand.streams import stream
from farm.expand.tasks import new_task, sampling_seed
from farm.spec.asset import Asset
from farm.spec.base import digest
from farm.spec.camera import FileCamera, SceneCamera
from farm.spec.job import Job
from farm.spec.recipes.script import Params, RecipeSpec, Setup, View
from farm.spec.task import RenderTask


class ScriptExpansion(Expansion):
    """Views in order."""

    names_are_distinct = True  # their numbers are

    def count(self, job: Job) -> Count:
        recipe = script(job)
        return Count(tasks=len_of(job, recipe), views=recipe.views)

    def task(self, job: Job, index: int) -> RenderTask:
        recipe = script(job)
        if not 0 <= index < len_of(job, recipe):
            raise IndexError(index)
        places = places_of(job, recipe, index)
        first = places[0] // length_of(recipe)
        code, title = job.of("script")[0], title_of(job)
        return new_task(
            job,
            index,
            task_id=f"{code.id}-{digest(*(asset.content for asset in job.assets))[:8]}-{index:06d}",
            title=f"{title} · episode {first}" if recipe.episode else title,
            assets=assets_of(job),
            setup=Setup(
                params=recipe.params,
                seed=seed_of(job),
                episode=recipe.episode,
                first_frame=recipe.first_frame,
                frame_step=recipe.frame_step,
            ),
            views=(view_of(job, recipe, place) for place in places),
            group=digest(*(asset.content for asset in job.assets), first),
        )

    def affinity(self, job: Job, index: int) -> str:
        return digest(job.job_id)[:32]  # who opened the scene has run the script's setup


EXPANSION = ScriptExpansion()


def script(job: Job) -> RecipeSpec:
    """Return the recipe of a job as what it is."""
    assert isinstance(job.spec.recipe, RecipeSpec)
    return job.spec.recipe


def length_of(recipe: RecipeSpec) -> int:
    """Return how many views an episode has."""
    return recipe.episode or 1


def len_of(job: Job, recipe: RecipeSpec) -> int:
    """Return how many tasks a job has."""
    length, batch = length_of(recipe), job.spec.views_per_task
    if length <= batch:
        return -(-recipe.views // (batch // length * length))
    whole, rest = divmod(recipe.views, length)
    return whole * -(-length // batch) + -(-rest // batch)


def places_of(job: Job, recipe: RecipeSpec, index: int) -> range:
    """Return which views, counted from 0, a task has."""
    length, batch = length_of(recipe), job.spec.views_per_task
    if length <= batch:
        size = batch // length * length
        return range(index * size, min((index + 1) * size, recipe.views))
    episode, part = divmod(index, -(-length // batch))
    begin = episode * length + part * batch
    return range(begin, min(begin + batch, (episode + 1) * length, recipe.views))


def title_of(job: Job) -> str:
    """Return what people call what is rendered."""
    return " · ".join(asset.title for asset in (*job.of("scene"), *job.of("script")))


def assets_of(job: Job) -> tuple[Asset, ...]:
    """Return the assets of a task."""
    return tuple(asset.model_copy(update={"scene": None}) for asset in job.assets)


def seed_of(job: Job) -> int:
    """Draw what the script's own chance comes from."""
    return int(stream(job.spec.seed, job.assets, place=0, aspect="script").integers(2**31))


def view_of(job: Job, recipe: RecipeSpec, place: int) -> View:
    """Make one view."""
    episode, step = divmod(place, length_of(recipe))
    frame = recipe.first_frame + step * recipe.frame_step if recipe.episode else None
    return View(
        index=place,
        name=f"view_{place:06d}",
        camera=FileCamera(name=recipe.camera) if recipe.camera is not None else SceneCamera(),
        seed=sampling_seed(job, job.assets, place=place),
        frame=frame,
        episode=episode,
        step=step,
        params={**recipe.params, **drawn(job, recipe, episode)},
    )


def drawn(job: Job, recipe: RecipeSpec, episode: int) -> Params:
    """Draw the parameters of an episode, each from a stream of its own."""
    return {
        name: draw(each, stream(job.spec.seed, job.assets, place=episode, aspect=f"param {name}"))
        for name, each in sorted(recipe.randomise.items())
    }
