"""The tasks of a run, by index: those of a job, or of passes that are added to a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from farm import expand
from farm.spec.job import Job
from farm.spec.task import RenderTask


@dataclass(frozen=True)
class Work:
    """The tasks of a run, whatever they are made of."""

    job_id: str
    count: expand.Count
    task: Callable[[int], RenderTask]
    """Makes the task of an index."""
    waits_for: Callable[[int], int | None] | None = None
    """Returns the task that another one waits for; None where none waits."""
    affinity: Callable[[int], str | None] | None = None
    """Returns the key of a thing that workers may keep for a task; None where there is none."""
    runs_code: bool = False
    """Tasks run code that the user brings."""


def work_of(job: Job) -> Work:
    """Return the tasks of a job."""
    return Work(
        job.job_id,
        expand.count(job),
        lambda index: expand.render_task(job, index),
        expand.waits_for(job),
        expand.affinity(job),
        job.spec.recipe.runs_code,
    )
