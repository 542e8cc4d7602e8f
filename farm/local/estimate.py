"""Estimates for a job: counts, bytes and a rough time, before anything is rendered."""

from __future__ import annotations

from farm import expand
from farm.devices import cpu_count, view_seconds
from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.passes import PASSES, PassName, samples_for
from farm.spec.render import ImageFormat

# Bytes per pixel: the mean of what the sample models and the BlenderKit-like ones took, 8 bits.
BYTES_PER_PX: dict[tuple[PassName, ImageFormat], float] = {
    ("rgb", "png"): 1.35,
    ("mask", "png"): 0.03,
    ("rgb", "jxl"): 0.85,
    ("mask", "jxl"): 0.015,
    ("blur", "png"): 1.2,
    ("blur", "jxl"): 0.75,
    ("rolling_shutter", "png"): 1.35,
    ("rolling_shutter", "jxl"): 0.85,
}
TASK_OVERHEAD_S = 1.0
LABEL_BYTES_PER_PX: dict[PassName, float] = {
    "depth": 0.7,
    "distance": 0.7,
    "normal": 1.5,
    "normal_world": 1.5,
    "index": 0.025,
    "material": 0.025,
    "flow_forward": 0.3,
    "flow_backward": 0.3,
    "flow_forward_valid": 0.03,
    "flow_backward_valid": 0.03,
    "position": 2.0,
    "albedo": 0.5,
    "diffuse": 1.7,
    "specular": 1.6,
    "cryptomatte": 0.4,
    "uv": 0.7,
    "events": 1.0,
}
"""Mean of five sample models that fill the picture; the flow of a still one is smaller."""
PREVIEW_BYTES = 10_000
ARRAYS_BYTES: dict[PassName, float] = {"tracks": 10_000}
"""Of a file of arrays, with as many rows as is usual: no size of a picture changes it."""
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
        size_bytes=round(left * sum(pass_bytes(name, job) for name in job.spec.passes)),
        seconds=_seconds(job, devices=devices, share=left / max(count.views, 1)),
    )


def pass_bytes(name: PassName, job: Job) -> float:
    """Estimate the files of a pass of one view."""
    width, height = job.render.resolution_px
    if PASSES[name].kind == "picture":
        deep = 2.2 if job.render.bit_depth == 16 else 1.0
        return BYTES_PER_PX[name, job.render.format] * deep * width * height
    if name in ARRAYS_BYTES:
        return ARRAYS_BYTES[name]
    return LABEL_BYTES_PER_PX[name] * width * height + PREVIEW_BYTES * job.render.previews


def _seconds(job: Job, *, devices: list[str], share: float) -> float:
    count = expand.count(job)
    on_cpu = devices[0] == "cpu"
    view = view_seconds(
        resolution_px=job.render.resolution_px,
        samples=samples_for(job.spec.passes, job.render.samples),
        cores=cpu_count() if on_cpu else None,
    )
    lanes = 1 if on_cpu else len(devices)  # CPU workers share the cores
    exposure = job.spec.recipe.exposure
    view *= exposure.pictures if exposure else 1
    total = count.views * view + count.tasks * TASK_OVERHEAD_S
    return START_S + share * total / lanes if share else 0.0
