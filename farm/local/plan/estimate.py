"""Estimates for a job: counts, bytes and a rough time, before anything is rendered."""

from __future__ import annotations

from farm import expand
from farm.devices import cpu_count, seconds_of
from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.view_sizes import view_bytes
from farm.speeds import picture_megasamples, pictures

TASK_OVERHEAD_S = 1.0
START_S = 5.0


class Estimate(Spec):
    """How big a job is, and what is left of it."""

    assets: dict[str, int]
    """Number of assets, by role."""
    datasets: int
    tasks: int
    views: int
    views_done: int
    """Rendered already, by an earlier run."""
    size_bytes: int
    """Size of the remaining views."""
    seconds: float
    """For the remaining views; rough, since models differ by a factor of more than ten."""


def make_estimate(job: Job, *, devices: list[str], views_done: int = 0) -> Estimate:
    """Estimate `job`, of which `views_done` views need no work, on `devices`."""
    count = expand.count(job)
    left = count.views - views_done
    return Estimate(
        assets={role.name: len(job.of(role.name)) for role in job.spec.recipe.roles},
        datasets=sum(1 for _ in expand.datasets(job)),
        tasks=count.tasks,
        views=count.views,
        views_done=views_done,
        size_bytes=round(left * view_bytes(job)),
        seconds=_seconds(job, devices=devices, share=left / max(count.views, 1)),
    )


def _seconds(job: Job, *, devices: list[str], share: float) -> float:
    count = expand.count(job)
    on_cpu = devices[0] == "cpu"
    view = seconds_of(picture_megasamples(job), cores=cpu_count() if on_cpu else None)
    lanes = 1 if on_cpu else len(devices)  # CPU workers share the cores
    view *= pictures(job)
    total = count.views * view + count.tasks * TASK_OVERHEAD_S + expand.setup_s(job)
    return START_S + share * total / lanes if share else 0.0
