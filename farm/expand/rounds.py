"""The tasks of a stream: those of its spec, then those of the same spec with further seeds."""

from __future__ import annotations

from farm.spec.job import Job, make_job
from farm.spec.stream import StreamPlan, TaskStream
from farm.spec.task import RenderTask

SPARE_ROUNDS = 1
"""Rounds beyond those needed: their views take the place of those that failed."""
SEEDS = 2**31


def rounds_of(plan: StreamPlan, *, views: int, makers: int, tasks: int) -> int:
    """Return how often a spec is rendered for a stream, with what is to spare.

    Args:
        plan: The stream.
        views: Of one round.
        makers: Tasks of one round that make no views.
        tasks: Of one round.
    """
    of_a_round = tasks - makers if plan.duplex else views  # a task may have one set of parameters
    return -(-plan.length // max(of_a_round, 1)) + SPARE_ROUNDS


def job_of_round(job: Job, number: int) -> Job:
    """Return the job of a round as if it were no stream's; the first is that of the spec itself."""
    if number == 0:
        return job.model_copy(update={"stream": None})
    seed = (job.spec.seed + number) % SEEDS
    own = make_job(job.spec.model_copy(update={"seed": seed}), job.assets)
    return own.model_copy(update={"job_id": job.job_id, "prefix": job.prefix})


def streamed(task: RenderTask, job: Job, *, index: int, number: int) -> RenderTask:
    """Return a task of a round as one of the stream."""
    assert job.stream is not None
    stride = job.spec.views_per_task
    assert len(task.views) <= stride
    dataset = task.dataset.removeprefix(job.prefix).strip("/")
    sink = TaskStream(first=index * stride, encoding=job.stream.encoding, dataset=dataset)
    changes: dict[str, object] = {"index": index, "stream": sink}
    if number:
        changes["task_id"] = f"{task.task_id}-{number}"
        changes["views"] = tuple(renamed(view, number) for view in task.views)
    return task.model_copy(update=changes)


def renamed(view, number: int):  # type: ignore[no-untyped-def]  # any recipe's, the same back
    """Return a view under a name that no other round gives."""
    changes: dict[str, object] = {"name": f"{view.name}-{number}"}
    if view.moment is not None:
        sequence = f"{view.moment.sequence}-{number}"
        changes["moment"] = view.moment.model_copy(update={"sequence": sequence})
    return view.model_copy(update=changes)
