"""Labels made once: for many lights (`--relight`), and for a dataset that is there (`add-passes`).

    python -m bench.labels_once [--rounds 3] [--lights 8] [--only relight|later]

Suzanne under procedural skies, by the tasks that `farm render` and `farm add-passes` give to a
worker, each way in a warm Blender of its own; both take turns. Views under all lights are measured
against a dataset for each light with the same passes; passes that are added, against the dataset
rendered again with them. Seconds of CPU also tell on a machine with other work.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import OpenEXR

from bench.render_speed import NoLease, build_model
from farm import expand, library
from farm.dataset.additions import plan_additions
from farm.dataset.finish import finish_dataset
from farm.dataset.reader import open_in
from farm.dataset.records.collect import FinishedRun, RunFacts
from farm.dataset.records.read import seed_records
from farm.library.found_again import Finder
from farm.spec.job import Job, JobSpec, make_job
from farm.spec.passes import VIEW_PASSES
from farm.spec.task import RenderTask
from farm.storage import FolderStorage

SKY_PX = (512, 1024)
"""(height, width)."""
FEW = ("rgb", "mask", "depth", "normal", "index")
ADDED = ("depth", "normal", "index")


class Took(NamedTuple):
    """What a way took."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lights", type=int, default=8)
    parser.add_argument("--only", choices=("relight", "later"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        model = apart(build_model, folder)
        skies = [write_sky(folder / f"sky{at}.exr", at) for at in range(options.lights)]
        if options.only != "later":
            compare_relight(model, skies, folder, options.rounds)
        if options.only != "relight":
            compare_later(model, skies[:1], folder, options.rounds)


def apart(function: Any, *arguments: Any) -> Any:
    """Run a function in a process of its own: Blender stays out of this one."""
    with get_context("spawn").Pool(1) as other:
        return other.apply(function, arguments)


def write_sky(path: Path, number: int) -> Path:
    """Write a sky with a sun somewhere; each number gives another one."""
    chance = np.random.default_rng(number)
    pixels = np.full((*SKY_PX, 3), chance.uniform(0.1, 0.6, 3), np.float32)
    row, column = int(chance.integers(60, 200)), int(chance.integers(60, 900))
    pixels[row : row + 24, column : column + 24] = chance.uniform(20.0, 60.0)
    with OpenEXR.File({}, {"RGB": pixels}) as file:
        file.write(str(path))
    return path


def job_of(model: Path, skies: Sequence[Path], passes: Sequence[str], **recipe: object) -> Job:
    """Return a job of views of the model under the skies."""
    samples = recipe.pop("samples")
    spec = JobSpec.model_validate(
        {"models": [str(model)], "hdrs": list(map(str, skies)), "passes": passes}
        | {"render": {"resolution": 256, "samples": samples, "previews": False}, "recipe": recipe}
    )
    models, _ = library.describe([model], "model", role="models")
    hdrs, _ = library.describe(skies, "hdr", role="hdrs")
    return make_job(spec, [*models, *hdrs])


def compare_relight(model: Path, skies: Sequence[Path], folder: Path, rounds: int) -> None:
    """Print what views under all lights take, with few labels and with all."""
    for title, passes in (("few labels", FEW), ("all labels", VIEW_PASSES)):
        grid: dict[str, Any] = {"yaw": 4, "pitch": 1, "samples": 16}
        relit = [*expand.expand(job_of(model, skies, passes, relight=True, **grid))]
        each = [*expand.expand(job_of(model, skies, passes, **grid))]
        views = sum(len(task.views) for task in relit)
        title = f"{views} views, 4 under {len(skies)} lights each, 256 px, 16 samples, {title}"
        report(title, {"--relight": relit, "a dataset per light": each}, folder, rounds)


def compare_later(model: Path, skies: Sequence[Path], folder: Path, rounds: int) -> None:
    """Print what labels take that are added, and what it takes to render all again with them."""
    for has in (("rgb", "mask"), ("rgb", "mask", "depth")):
        grid: dict[str, Any] = {"yaw": 4, "pitch": 3, "samples": 64}
        there = FolderStorage(folder / f"there-{len(has)}")
        job = job_of(model, skies, has, **grid)
        apart(render, [*expand.expand(job)], there.root)
        facts = RunFacts(name="ds", spec=job.spec.model_dump(mode="json"), tasks=1, seconds=1.0)
        for dataset in expand.datasets(job):
            finish_dataset(there, dataset, FinishedRun(facts, lambda _task: True, print))
        wanted = [name for name in ADDED if name not in has]
        plan = plan_additions(open_in(there), passes_of(wanted), finder=Finder())
        for task, records in zip(plan.tasks, plan.records, strict=True):
            seed_records(there, task, [each.model_dump_json().encode() for each in records])
        again = [*expand.expand(job_of(model, skies, (*has, *wanted), **grid))]
        title = (
            f"{', '.join(wanted)} for {plan.views} views of {', '.join(has)}, 256 px, 64 samples"
        )
        ways = {"add-passes": [*plan.tasks], "rendered again": again}
        report(title, ways, folder, rounds, there=there.root)


def passes_of(names: Sequence[str]) -> tuple[Any, ...]:
    """Return names of passes as the plan takes them."""
    return tuple(names)


def report(
    title: str,
    ways: Mapping[str, Sequence[RenderTask]],
    folder: Path,
    rounds: int,
    *,
    there: Path | None = None,
) -> None:
    """Let ways take turns; print their medians, and which share of each the first one takes."""
    found: dict[str, list[Took]] = {way: [] for way in ways}
    names = [*ways]
    for number in range(rounds):
        for way in names[number % len(names) :] + names[: number % len(names)]:
            with tempfile.TemporaryDirectory(dir=folder) as name:
                adds = any(task.adds for task in ways[way])
                out = there if adds and there is not None else Path(name)
                found[way].append(Took(*apart(render, ways[way], out)))
                for task in ways[way] if adds else ():
                    forget(FolderStorage(out), task)
    print(f"\n{title}")
    for way, each in found.items():
        took = Took(*(statistics.median(part) for part in zip(*each, strict=True)))
        pairs = [*zip(found[names[0]], each, strict=True)]
        wall, cpu = (statistics.median(a[at] / b[at] for a, b in pairs) for at in (0, 1))
        print(
            f"  {way:20} {took.wall_s:7.1f} s, {took.cpu_s:7.1f} s of CPU; {names[0]} takes "
            f"{wall:.2f} of its time, {cpu:.2f} of its CPU",
            flush=True,
        )


def forget(storage: FolderStorage, task: RenderTask) -> None:
    """Let the passes of a task be missing again."""
    assert task.adds is not None
    for view in task.views:
        for name in task.adds.passes:
            storage.delete(
                f"{task.dataset}/{view.path_of(name, picture_format=task.render.format)}"
            )


def render(tasks: Sequence[RenderTask], out: Path) -> tuple[float, float]:
    """Render tasks in a warm Blender; return the seconds by the clock, and of CPU."""
    from worker.blender.session import BlenderSession
    from worker.render.task import render_task

    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        session = BlenderSession("cpu", Path(name))
        began, used = time.perf_counter(), time.process_time()
        for task in tasks:
            render_task(
                task,
                session=session,
                storage=FolderStorage(out),
                attempt=1,
                worker="bench",
                lease=NoLease(),
            )
        took = time.perf_counter() - began, time.process_time() - used
        session.close()
    return took


if __name__ == "__main__":
    main()
