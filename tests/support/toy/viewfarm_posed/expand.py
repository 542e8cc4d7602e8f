"""One task for each scene."""

from farm.expand import Count, Expansion
from farm.expand.tasks import new_task, sampling_seed
from farm.spec.job import Job
from farm.spec.task import RenderTask
from viewfarm_posed.spec import Setup, View


class PosedExpansion(Expansion):
    """All poses of a scene, then the next scene."""

    def count(self, job: Job) -> Count:
        scenes = len(job.of("scenes"))
        return Count(tasks=scenes, views=scenes * len(job.spec.recipe.poses))

    def task(self, job: Job, index: int) -> RenderTask:
        scene, poses = job.of("scenes")[index], job.spec.recipe.poses
        views = [
            View(
                index=index * len(poses) + place,
                name=f"{scene.id}_{place}",
                camera=pose,
                seed=sampling_seed(job, (scene,), place=place),
            )
            for place, pose in enumerate(poses)
        ]
        return new_task(
            job, index, task_id=scene.id, title=scene.title,
            assets=(scene,), setup=Setup(), views=views,
        )  # fmt: skip


EXPANSION = PosedExpansion()
