"""What a job will take: counts, bytes and a rough time, before anything is rendered."""

from __future__ import annotations

from farm import expand
from farm.devices import cpu_count, view_seconds
from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.passes import PassName
from farm.spec.render import ImageFormat

# Bytes per pixel: the mean of what the sample models and the BlenderKit-like ones took, 8 bits.
BYTES_PER_PX: dict[tuple[PassName, ImageFormat], float] = {
    ("rgb", "png"): 1.35,
    ("mask", "png"): 0.03,
    ("rgb", "jxl"): 0.85,
    ("mask", "jxl"): 0.015,
}
TASK_OVERHEAD_S = 1.0
START_S = 5.0


class Plan(Spec):
    """How big a job is, and what is left of it."""

    models: int
    hdrs: int
    datasets: int
    tasks: int
    views: int
    views_done: int
    """Rendered already, by an earlier run."""
    size_bytes: int
    """Of the views that are left."""
    seconds: float
    """For the views that are left; rough, since models differ by more than ten times."""


def make_plan(job: Job, *, devices: list[str], views_done: int = 0) -> Plan:
    """Estimate `job` on `devices`, of which `views_done` views need no work."""
    count = expand.count(job)
    left = count.views - views_done
    width, height = job.render.resolution_px
    deep = 2.2 if job.render.bit_depth == 16 else 1.0
    per_view = sum(BYTES_PER_PX[name, job.render.format] for name in job.spec.passes) * deep
    return Plan(
        models=len(job.models),
        hdrs=len(job.hdrs),
        datasets=sum(1 for _ in expand.datasets(job)),
        tasks=count.tasks,
        views=count.views,
        views_done=views_done,
        size_bytes=round(left * per_view * width * height),
        seconds=_seconds(job, devices=devices, share=left / max(count.views, 1)),
    )


def _seconds(job: Job, *, devices: list[str], share: float) -> float:
    count = expand.count(job)
    on_cpu = devices[0] == "cpu"
    view = view_seconds(
        resolution_px=job.render.resolution_px,
        samples=job.render.samples,
        cores=cpu_count() if on_cpu else None,
    )
    lanes = 1 if on_cpu else len(devices)  # CPU workers share the cores
    total = count.views * view + count.tasks * TASK_OVERHEAD_S
    return START_S + share * total / lanes if share else 0.0
