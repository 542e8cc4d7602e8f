"""A task that bakes each scene, then one for each batch of frames of each of its cameras."""

from farm.expand import Count, Expansion
from farm.expand.tasks import batch, batches, new_task, sampling_seed
from farm.spec.asset import Asset
from farm.spec.camera import FileCamera
from farm.spec.job import Job
from farm.spec.task import Need, RenderTask, product_key
from viewfarm_toy.spec import Setup, View


class ToyExpansion(Expansion):
    """Bakes come first; frames are ordered by scene, then camera."""

    def count(self, job: Job) -> Count:
        recipe, scenes = job.spec.recipe, self.makers(job)
        takes = scenes * len(recipe.cameras)
        tasks = scenes + takes * batches(job, recipe.frames)
        return Count(tasks=tasks, views=takes * recipe.frames)

    def makers(self, job: Job) -> int:
        return len(job.of("scenes"))

    def waits_for(self, job: Job, index: int) -> int | None:
        recipe, after = job.spec.recipe, index - self.makers(job)
        return after // (len(recipe.cameras) * batches(job, recipe.frames)) if after >= 0 else None

    def affinity(self, job: Job, index: int) -> str:
        maker = self.waits_for(job, index)
        return job.of("scenes")[index if maker is None else maker].content

    def task(self, job: Job, index: int) -> RenderTask:
        recipe, maker = job.spec.recipe, self.waits_for(job, index)
        scene = job.of("scenes")[index if maker is None else maker]
        baked = product_key("toy", scene.content, recipe.frames)
        same = {"assets": (scene,), "setup": Setup(frames=recipe.frames), "setup_s": 1.0}
        if maker is None:
            name, title = f"{scene.id}-bake", f"{scene.title} · bake"
            return new_task(job, index, task_id=name, title=title, product=baked, **same)
        take, number = divmod(index - self.makers(job), batches(job, recipe.frames))
        camera = recipe.cameras[take % len(recipe.cameras)]
        name, title = f"{scene.id}-{camera}-{number:04d}", f"{scene.title} · {camera}"
        frames = batch(job, number, views=recipe.frames)
        views = [view(job, scene, camera, at, take * recipe.frames + at) for at in frames]
        need = Need(product=baked, made_by=maker)
        return new_task(job, index, task_id=name, title=title, views=views, needs=need, **same)


def view(job: Job, scene: Asset, camera: str, at: int, index: int) -> View:
    return View(
        index=index,
        name=f"{scene.id}_{camera}_{at + 1:04d}",
        camera=FileCamera(name=camera),
        frame=at + 1,
        scene=scene.id,
        seed=sampling_seed(job, (scene,), place=at),
    )


EXPANSION = ToyExpansion()
