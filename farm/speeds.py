"""How long views take: of how many samples they are, and how quickly workers took others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from farm.devices import megasamples, seconds_of
from farm.spec.job import Job
from farm.spec.passes import samples_for

if TYPE_CHECKING:  # many models, for a name in a signature
    from farm.spec.wire import WorkerInfo

CORES = 16
"""CPU cores of a worker, as a rule: they tell how much of a view's time hangs on its samples."""


def picture_megasamples(job: Job) -> float:
    """Return how many million samples a picture of a job takes."""
    samples = samples_for(job.spec.passes, job.render.samples)
    return megasamples(job.render.resolution_px, samples)


def pictures(job: Job) -> int:
    """Return of how many pictures a view is made."""
    exposure = job.spec.recipe.exposure
    return exposure.pictures if exposure else 1


def seconds_on(workers: Sequence[WorkerInfo], job: Job, *, views: int) -> float | None:
    """Return how long workers would take for views of a job; None where none has rendered yet."""
    size = picture_megasamples(job) * pictures(job)
    speeds = [speed_at(worker, size) for worker in workers if worker.views_per_s]
    if not any(speeds):
        return None
    return views / (sum(speeds) / len(speeds) * len(workers))


def speed_at(worker: WorkerInfo, view_megasamples: float) -> float:
    """Return the views per second that a worker would do of so many samples, from its last ones."""
    speed, size = worker.views_per_s or 0.0, worker.view_megasamples
    if size is None:  # a worker of before
        return speed
    cores = CORES if worker.device == "cpu" else None
    return speed * seconds_of(size, cores=cores) / seconds_of(view_megasamples, cores=cores)
