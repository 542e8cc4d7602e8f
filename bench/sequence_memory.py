"""Memory of a renderer over one long sequence, and what planning one of 10,000 frames costs.

    python -m bench.sequence_memory [--frames 2000] [--plans 1000,10000]

A frame has 64 x 64 pixels, one sample, depth and flow, and things move in each: what is measured is
what stays. One renderer has all tasks; what it uses is read after each record. The verdict compares
the last quarter of the frames after the warm-up with the first: memory that keeps growing ends the
run with exit code 1. Of a plan, the seconds to count a job and to expand its first and its last
task are printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.memory import in_use
from bench.render_speed import NoLease
from farm import expand, library
from farm.spec.job import Job, JobSpec, make_job
from farm.spec.recipes.sequence import RecipeSpec
from farm.spec.render import RenderSettings
from farm.spec.scene_facts import SceneFacts
from farm.storage import FolderStorage

PER_TASK = 100
"""Frames of a task."""
WARM_UP = 50
"""Frames until the renderer has what it keeps."""
GROWS = 0.05
"""Share by which the last quarter of the frames may use more than the first."""


def main() -> None:
    """Measure both, and print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--plans", default="1000,10000")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "bench.sequence_scenes", str(folder)]
        subprocess.run([*command, "--frames", str(options.frames)], check=True, capture_output=True)
        for frames in map(int, options.plans.split(",")):
            plan(job_of(folder / "flight.blend", frames))
        is_flat = report(render(job_of(folder / "flight.blend", options.frames), folder))
    sys.exit(0 if is_flat else 1)


def job_of(scene: Path, frames: int) -> Job:
    """Return a job of one sequence."""
    facts = SceneFacts(
        fps=24, frame_start=1, frame_end=frames, cameras=("camera",), camera="camera"
    )
    assets, _ = library.describe([scene], "scene")
    spec = JobSpec(
        assets={"scenes": (str(scene),)},
        recipe=RecipeSpec(frames=frames, frame_end=frames),
        passes=("depth", "flow_forward", "flow_backward"),
        render=RenderSettings(resolution=(64, 64), samples=1),
        views_per_task=min(frames, PER_TASK),
    )
    return make_job(spec, tuple(asset.model_copy(update={"scene": facts}) for asset in assets))


def plan(job: Job) -> None:
    """Print what it takes to plan a job, by tasks of ten frames."""
    job = job.model_copy(update={"spec": job.spec.model_copy(update={"views_per_task": 10})})
    began = time.perf_counter()
    count = expand.count(job)
    counted = time.perf_counter()
    tasks = [expand.render_task(job, index) for index in (0, count.tasks - 1)]
    done = time.perf_counter()
    print(
        f"{count.views} frames, {count.tasks} tasks: counted in {counted - began:.3f} s, "
        f"two tasks of {len(tasks[0].views)} made in {done - counted:.3f} s",
        flush=True,
    )


class Watched(NoLease):
    """Notes what this process uses after each frame."""

    def __init__(self) -> None:
        self.sizes: list[float] = []

    def view_done(self, _done: object = None) -> None:
        """Note it."""
        self.sizes.append(in_use()["now"])


def render(job: Job, folder: Path) -> list[float]:
    """Render a job in one process, and return the MB in use after each frame."""
    from worker.blender.session import BlenderSession
    from worker.render.task import render_task

    watched = Watched()
    session, storage = BlenderSession("cpu", folder), FolderStorage(folder / "out")
    for index in range(expand.count(job).tasks):
        render_task(
            expand.render_task(job, index),
            session=session,
            storage=storage,
            attempt=1,
            worker="bench",
            lease=watched,
        )
    return watched.sizes


def report(sizes: list[float]) -> bool:
    """Print where the curve begins and ends and how it rises after the warm-up; tell if it is flat.

    Within a task memory goes up and down, so that whole quarters are compared, not two frames.
    """
    steady = np.array(sizes[min(WARM_UP, len(sizes) // 2) :])
    slope = np.polyfit(np.arange(len(steady)), steady, 1)[0]
    print(
        f"{len(sizes)} frames: {sizes[0]:.0f} MB after the first, {steady[0]:.0f} MB after "
        f"{len(sizes) - len(steady)}, {sizes[-1]:.0f} MB after the last, {max(sizes):.0f} MB at "
        f"most, {1000 * slope:+.2f} kB per frame after frame {len(sizes) - len(steady)}"
    )
    quarter = max(len(steady) // 4, 1)
    first, last = steady[:quarter].mean(), steady[-quarter:].mean()
    is_flat = bool(last <= first * (1 + GROWS))
    print(
        f"{'flat' if is_flat else 'GROWS'}: {first:.0f} MB in the first quarter, {last:.0f} MB in "
        f"the last, up to {GROWS:.0%} more is noise"
    )
    return is_flat


if __name__ == "__main__":
    main()
