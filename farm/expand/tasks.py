"""What tasks of every recipe have alike: the job's own words, views in batches, seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from farm.expand.streams import stream
from farm.spec.asset import Asset
from farm.spec.job import Job
from farm.spec.recipes import Setup
from farm.spec.task import Need, RenderTask
from farm.spec.view import View


def new_task(  # noqa: PLR0913 - each is a field of a task
    job: Job,
    index: int,
    *,
    task_id: str,
    title: str,
    assets: Sequence[Asset],
    setup: Setup,
    views: Iterable[View] = (),
    group: str | None = None,
    dataset: str | None = None,
    product: str | None = None,
    needs: Need | None = None,
    setup_s: float = 0.0,
) -> RenderTask:
    """Make a task of `job`, with all that the job says of its tasks.

    Args:
        group: Views of one group show the same things; the content of the first asset where
            nothing is said.
        dataset: Where the views go, where it is not the job's one dataset.
    """
    return RenderTask(
        job_id=job.job_id,
        index=index,
        task_id=task_id,
        title=title,
        group=assets[0].content if group is None else group,
        dataset=(job.spec.dataset_name or "") if dataset is None else dataset,
        recipe=job.spec.recipe.kind,
        assets=tuple(assets),
        setup=setup,
        render=job.render,
        passes=job.spec.passes,
        allow_empty_masks=job.spec.recipe.allow_empty_masks,
        views=tuple(views),
        product=product,
        needs=needs,
        setup_s=setup_s,
    )


def batches(job: Job, views: int) -> int:
    """Return how many tasks `views` views make."""
    return -(-views // job.spec.views_per_task)


def batch(job: Job, number: int, *, views: int) -> range:
    """Return which of `views` views, counted from 0, are in a batch."""
    start = number * job.spec.views_per_task
    return range(start, min(start + job.spec.views_per_task, views))


def sampling_seed(job: Job, of: Iterable[Asset], *, place: int) -> int:
    """Draw Cycles' seed for a view."""
    rng = stream(job.spec.seed, of, place=place, aspect="sampling")
    return int(rng.integers(2**31))
