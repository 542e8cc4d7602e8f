"""A task for each batch of frames of each camera of each scene."""

from __future__ import annotations

from collections.abc import Iterator

from farm.expand import Count, Expansion
from farm.expand.streams import stream
from farm.spec.asset import Asset
from farm.spec.camera import FileCamera
from farm.spec.job import Job
from farm.spec.task import RenderTask
from viewfarm_toy.spec import RecipeSpec, Setup, View


class ToyExpansion(Expansion):
    """Scenes, then cameras, then frames."""

    def count(self, job: Job) -> Count:
        recipe = job.spec.recipe
        assert isinstance(recipe, RecipeSpec)
        takes = len(job.of("scenes")) * len(recipe.cameras)
        return Count(tasks=takes * batches(job, recipe), views=takes * recipe.frames)

    def task(self, job: Job, index: int) -> RenderTask:
        recipe = job.spec.recipe
        assert isinstance(recipe, RecipeSpec)
        if not 0 <= index < self.count(job).tasks:
            raise IndexError(index)
        take, batch = divmod(index, batches(job, recipe))
        place, side = divmod(take, len(recipe.cameras))
        scene, camera = job.of("scenes")[place], recipe.cameras[side]
        first = batch * job.spec.views_per_task
        frames = range(first, min(first + job.spec.views_per_task, recipe.frames))
        return RenderTask(
            job_id=job.job_id,
            index=index,
            task_id=f"{scene.id}-{camera}-{batch:04d}",
            title=f"{scene.title} · {camera}",
            group=scene.content,
            dataset=job.spec.dataset_name or "",
            recipe=recipe.kind,
            assets=(scene,),
            setup=Setup(),
            render=job.render,
            passes=job.spec.passes,
            allow_empty_masks=recipe.allow_empty_masks,
            views=tuple(
                view(job.spec.seed, scene, camera, at=at, index=take * recipe.frames + at)
                for at in frames
            ),
        )

    def datasets(self, job: Job) -> Iterator[str]:
        yield job.spec.dataset_name or ""


EXPANSION = ToyExpansion()


def batches(job: Job, recipe: RecipeSpec) -> int:
    return -(-recipe.frames // job.spec.views_per_task)


def view(seed: int, scene: Asset, camera: str, *, at: int, index: int) -> View:
    return View(
        index=index,
        name=f"{scene.id}_{camera}_{at + 1:04d}",
        camera=FileCamera(name=camera),
        frame=float(at + 1),
        scene=scene.id,
        seed=int(stream(seed, (scene,), place=at, aspect="sampling").integers(2**31)),
    )
