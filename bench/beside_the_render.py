"""How many views a second does all that stands beside the render allow? As if on a fast GPU.

    python -m bench.beside_the_render [--sample-ms 5] [--views 200] [--sizes 256,640]
                                      [--threads 1,2,4,8] [--passes rgb,mask]

A stand-in takes the place of Blender: it waits for 5 ms and hands over passes that Cycles has
rendered once. All that follows is ours and real: pictures are developed, labels made, files
encoded, compared and written, records kept. So it tells what bounds a worker whose GPU is done in
5 ms, and how many threads that takes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.render_speed import NoLease, build_model, make_task
from farm.dataset.trace.spans import TraceFile
from farm.dataset.trace.stages import TraceStats, stats_of
from farm.spec.passes import PassName
from farm.spec.task import RenderTask
from farm.spec.view import View
from farm.storage import FolderStorage
from worker.images.multilayer import Held, Passes, read_once
from worker.recipes import Shot, Stage, find_recipe
from worker.render.views import render_views
from worker.render.writers.record_book import RecordBook
from worker.render.writers.writer import Circumstances, ViewWriter
from worker.trace import TaskTrace


class StandIn(Stage):
    """In the place of a session and of a stage: every view is the one that was rendered."""

    wants_centres = wants_behind = has_own_picture = False

    def __init__(self, shot: Shot, passes: Passes, names: tuple[PassName, ...], sample_s: float):
        self.shot, self._passes, self.passes = shot, passes, names
        self._sample_s = sample_s

    def arrange(self, view: View) -> Shot:
        """Return what was arranged once."""
        return self.shot

    def render_view(self, *, seed: int) -> tuple[Held, None]:
        """Wait as long as a GPU works, while the processor is idle."""
        time.sleep(self._sample_s)
        return Held(replace(self._passes, sample_s=self._sample_s)), None


def main() -> None:
    """Print views per second by size and threads, and where their time goes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sample-ms", type=float, default=5.0)
    parser.add_argument("--views", type=int, default=200)
    parser.add_argument("--sizes", default="256,640")
    parser.add_argument("--threads", default="1,2,4,8")
    parser.add_argument("--passes", default="rgb,mask")
    options = parser.parse_args()
    sample_s = options.sample_ms / 1e3
    print(
        f"views take {options.sample_ms:g} ms to sample: at most {1 / sample_s:.0f} views/s; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    with tempfile.TemporaryDirectory(prefix="farm-bench-", dir=memory()) as name:
        for size in map(int, options.sizes.split(",")):
            folder = Path(name) / str(size)
            folder.mkdir()
            task, still = rendered_once(folder, size, tuple(options.passes.split(",")), sample_s)
            for threads in map(int, options.threads.split(",")):
                task = task.model_copy(update={"task_id": f"{size}-{threads}"})
                report(size, threads, measure(folder, task, still, options.views, threads))


def memory() -> str | None:
    """Return a folder in memory, where there is one: no disk is measured."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def rendered_once(
    folder: Path, size: int, names: tuple[PassName, ...], sample_s: float
) -> tuple[RenderTask, StandIn]:
    """Render one view by Cycles; return its task, and what gives the same again and again."""
    from worker.blender.session import BlenderSession

    task = make_task(build_model(folder), size=size, samples=4, views=1)
    task = task.model_copy(update={"passes": names})
    session = BlenderSession("cpu", folder)
    session.configure(task.render, names)
    stage = find_recipe(task.recipe).prepare(task, session)
    shot = stage.arrange(task.views[0])
    passes = read_once(session.render(seed=1))
    if session.wants_centres:
        passes = read_once(session.render_centres(seed=1)).over(passes)
    session.close()
    return task, StandIn(shot, passes, names, sample_s)


def measure(folder: Path, task: RenderTask, still: Any, views: int, threads: int) -> TraceStats:
    """Finish so many views by so many threads."""
    (view,) = task.views
    each = tuple(
        view.model_copy(update={"index": place, "name": f"{view.name}-{place:05d}"})
        for place in range(views)
    )
    task = task.model_copy(update={"views": each})
    storage, trace, lease = FolderStorage(folder / task.task_id), TaskTrace(), NoLease()
    writer = ViewWriter(
        task,
        Circumstances(1, "bench", missing_textures=(), denoiser=None, device="cpu", versions={}),
        book=RecordBook(task, storage, 1),
        storage=storage,
        may_write=lease.secure,
        on_done=lease.view_done,
        trace=trace,
    )
    with trace.span("task"):
        render_views(
            list(each), still, still, finisher=writer, lease=lease, load_s=0.0, trace=trace,
            threads=threads,
        )  # fmt: skip
    return stats_of([TraceFile.model_validate_json(trace.to_json(process="bench", facts={}))])


def report(size: int, threads: int, stats: TraceStats) -> None:
    """Print views per second, and milliseconds per view by stage."""
    beside = {row.stage: row.per_view_s for row in stats.stages if row.who == "beside"}
    waits = sum(
        row.per_view_s for row in stats.stages if (row.who, row.stage) == ("renderer", "wait")
    )
    told = ", ".join(f"{stage} {spent * 1e3:.1f}" for stage, spent in beside.items())
    print(
        f"  {size} px, {threads} threads: {stats.views / stats.wall_s:6.1f} views/s; the renderer "
        f"waits {waits * 1e3:.1f} ms a view; beside, ms a view: {told}"
    )


if __name__ == "__main__":
    main()
