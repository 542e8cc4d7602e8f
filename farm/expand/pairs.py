"""Jobs made of (model, HDRI) pairs with equally many views each: index arithmetic."""

from __future__ import annotations

from collections.abc import Callable

from farm.spec.asset import Asset
from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.task import RenderTask
from farm.spec.view import View


class Pair(Spec):
    """One model under one HDRI."""

    model_index: int
    hdr_index: int
    model: Asset
    hdr: Asset


def batches(job: Job, views: int) -> int:
    """Return how many tasks a pair of `views` views makes."""
    return -(-views // job.spec.views_per_task)


def pair_of_task(job: Job, index: int, *, views: int) -> tuple[Pair, int]:
    """Return the pair and the batch of task `index`.

    Consecutive tasks share their model, then their HDRI, so that a worker stays warm.
    """
    if not 0 <= index < len(job.models) * len(job.hdrs) * batches(job, views):
        raise IndexError(index)
    pair, batch = divmod(index, batches(job, views))
    model_index, hdr_index = divmod(pair, len(job.hdrs))
    return (
        Pair(
            model_index=model_index,
            hdr_index=hdr_index,
            model=job.models[model_index],
            hdr=job.hdrs[hdr_index],
        ),
        batch,
    )


def pair_task(  # noqa: PLR0913 - what a recipe decides about a task
    job: Job,
    index: int,
    *,
    views: int,
    view: Callable[[Pair, int], View],
    dataset: Callable[[Pair], str],
    file_lights: bool,
    allow_empty_masks: bool,
) -> RenderTask:
    """Make task `index` of a job whose every pair has `views` views; `view(pair, slot)` is one."""
    pair, batch = pair_of_task(job, index, views=views)
    start = batch * job.spec.views_per_task
    slots = range(start, min(start + job.spec.views_per_task, views))
    return RenderTask(
        job_id=job.job_id,
        index=index,
        task_id=f"{pair.model.id}-{pair.hdr.id}-{batch:04d}",
        dataset=dataset(pair),
        recipe=job.spec.recipe.kind,
        model=pair.model,
        hdr=pair.hdr,
        render=job.render,
        passes=job.spec.passes,
        file_lights=file_lights,
        allow_empty_masks=allow_empty_masks,
        views=tuple(view(pair, slot) for slot in slots),
    )
