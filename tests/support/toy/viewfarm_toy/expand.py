"""A task that bakes each scene, and one for each batch of frames of each camera of it."""

from __future__ import annotations

from collections.abc import Iterator

from farm.expand import Count, Expansion
from farm.expand.streams import stream
from farm.spec.asset import Asset
from farm.spec.camera import FileCamera, PoseCamera
from farm.spec.job import Job
from farm.spec.task import Need, RenderTask, product_key
from viewfarm_toy.spec import RecipeSpec, Setup, View


class ToyExpansion(Expansion):
    """Scenes, then cameras, then frames."""

    def count(self, job: Job) -> Count:
        recipe = job.spec.recipe
        assert isinstance(recipe, RecipeSpec)
        takes = len(job.of("scenes")) * len(recipe.takes)
        frames = takes * batches(job, recipe)
        return Count(tasks=self.makers(job) + frames, views=takes * recipe.frames)

    def makers(self, job: Job) -> int:
        return len(job.of("scenes"))

    def waits_for(self, job: Job, index: int) -> int | None:
        recipe = job.spec.recipe
        assert isinstance(recipe, RecipeSpec)
        frames = index - self.makers(job)
        return None if frames < 0 else frames // (len(recipe.takes) * batches(job, recipe))

    def affinity(self, job: Job, index: int) -> str | None:
        return job.of("scenes")[
            index if (maker := self.waits_for(job, index)) is None else maker
        ].content

    def task(self, job: Job, index: int) -> RenderTask:
        recipe = job.spec.recipe
        assert isinstance(recipe, RecipeSpec)
        if not 0 <= index < self.count(job).tasks:
            raise IndexError(index)
        maker = self.waits_for(job, index)
        scene = job.of("scenes")[index if maker is None else maker]
        product = product_key("toy", scene.content, recipe.frames)
        setup = Setup(frames=recipe.frames)
        if maker is None:
            return RenderTask(
                job_id=job.job_id,
                index=index,
                task_id=f"{scene.id}-bake",
                title=f"{scene.title} · bake",
                group=scene.content,
                dataset=job.spec.dataset_name or "",
                recipe=recipe.kind,
                assets=(scene,),
                setup=setup,
                render=job.render,
                passes=job.spec.passes,
                views=(),
                product=product,
                setup_s=1.0,
            )
        take, batch = divmod(index - self.makers(job), batches(job, recipe))
        camera = list(recipe.takes)[take % len(recipe.takes)]
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
            setup=setup,
            needs=Need(product=product, made_by=maker),
            render=job.render,
            passes=job.spec.passes,
            allow_empty_masks=recipe.allow_empty_masks,
            views=tuple(
                view(
                    job.spec.seed,
                    scene,
                    (camera, recipe.takes[camera]),
                    at=at,
                    index=take * recipe.frames + at,
                )
                for at in frames
            ),
        )

    def datasets(self, job: Job) -> Iterator[str]:
        yield job.spec.dataset_name or ""


EXPANSION = ToyExpansion()


def batches(job: Job, recipe: RecipeSpec) -> int:
    return -(-recipe.frames // job.spec.views_per_task)


def view(
    seed: int, scene: Asset, take: tuple[str, FileCamera | PoseCamera], *, at: int, index: int
) -> View:
    name, camera = take
    return View(
        index=index,
        name=f"{scene.id}_{name}_{at + 1:04d}",
        camera=camera,
        take=name,
        frame=float(at + 1),
        scene=scene.id,
        seed=int(stream(seed, (scene,), place=at, aspect="sampling").integers(2**31)),
    )
