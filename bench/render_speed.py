"""Views per second of the pipeline against the classic way: same bpy, same views, same run.

    python -m bench.render_speed [--rounds 3] [--views 8] [--persistent] [--light] [--ways ours]

Both ways run in turn, each in a process of its own. Times are wall time from the loaded model to
the last file written; loading is printed apart. `--persistent` lets the baseline keep Cycles' data
between renders, which Blender does not do unless told. `--light` takes a cube instead, whose
sampling is short. How much of our time Cycles samples is read from the task's trace: of all but
loading, and also without the map of the environment's light, which is made once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.paired_jobs import Rounds
from farm import expand, library
from farm.dataset.trace.spans import read_traces
from farm.dataset.trace.stages import stats_of
from farm.spec.job import JobSpec, make_job
from farm.spec.recipes.sod import SodAugmented, SodView
from farm.spec.record import ViewRecord
from farm.spec.render import RenderSettings
from farm.spec.task import RenderTask, records_key
from farm.storage import FolderStorage

SETTINGS = ((256, 4), (256, 32), (512, 32))
"""(pixels, samples): small enough that overhead shows, and large enough that it should not."""
Found = dict[str, list[dict[str, float]]]
"""By way: what each round took."""


def main() -> None:
    """Measure, or be the one that is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--persistent", action="store_true")
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--ways", default="classic,ours")
    parser.add_argument("--child", choices=("ours", "classic"), help=argparse.SUPPRESS)
    parser.add_argument("--task", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        task = RenderTask.model_validate_json(options.task.read_text())
        result = (
            run_ours(task) if options.child == "ours" else run_classic(task, options.persistent)
        )
        print(json.dumps(result))
        return
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        compare(Path(name), options)


def compare(folder: Path, options: argparse.Namespace) -> None:
    """Print a table of both ways at all settings."""
    print(
        f"{options.views} augmented views of {'a cube' if options.light else 'Suzanne'} under "
        f"courtyard.exr, {options.rounds} rounds; load {os.getloadavg()[0]:.1f} on "
        f"{os.cpu_count()} cores"
    )
    how = {"views": options.views, "persistent": options.persistent, "light": options.light}
    ways = tuple(options.ways.split(","))
    rounds = Rounds(options.rounds)
    for (size, samples), found in measure_all(folder, rounds=rounds, ways=ways, **how):
        report(size, samples, found)


def measure_all(  # noqa: PLR0913  what is measured, each by its name
    folder: Path,
    *,
    rounds: Rounds,
    views: int,
    persistent: bool,
    ways: Sequence[str] = ("classic", "ours"),
    light: bool = False,
) -> Iterator[tuple[tuple[int, int], Found]]:
    """Yield each setting, and what the ways took in each round."""
    model = build_model(folder, light=light)
    for size, samples in SETTINGS:
        task = make_task(model, size=size, samples=samples, views=views)
        path = folder / f"task-{size}.json"
        path.write_text(task.model_dump_json())
        found: Found = {way: [] for way in ways}
        for _ in rounds:
            for way, results in found.items():
                results.append(measure(way, path, persistent=persistent))
        yield (size, samples), found


def report(size: int, samples: int, found: Found) -> None:
    """Print medians, and the ratio round by round."""
    print(f"\n{size} px, {samples} samples")
    for way, results in found.items():
        rates = sorted(result["views_per_s"] for result in results)
        load = statistics.median(result["load_s"] for result in results)
        print(
            f"  {way:8} {statistics.median(rates):6.2f} views/s "
            f"(min {rates[0]:.2f}, max {rates[-1]:.2f}); loading {load:.2f} s"
        )
    if len(found) > 1:
        ratios = sorted(
            ours["views_per_s"] / classic["views_per_s"]
            for ours, classic in zip(found["ours"], found["classic"], strict=True)
        )
        print(
            f"  ratio    {statistics.median(ratios):6.2f} x "
            f"(min {ratios[0]:.2f}, max {ratios[-1]:.2f})"
        )
    for name, of in (("sampling_share", ""), ("share_of_views", " without the map")):
        shares = sorted(result[name] for result in found.get("ours", ()))
        if shares:
            print(
                f"  Cycles samples in {statistics.median(shares):.1%} of our wall time{of} "
                f"(min {shares[0]:.1%}, max {shares[-1]:.1%})"
            )


def measure(way: str, task: Path, *, persistent: bool) -> dict[str, float]:
    """Run one way in a fresh process."""
    command = [sys.executable, "-m", "bench.render_speed", "--child", way, "--task", str(task)]
    command += ["--persistent"] if persistent else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


class NoLease:
    """Nobody else wants the task."""

    def confirm(self) -> None:
        """Go on."""

    def view_done(self, _done: object = None) -> None:
        """Count nothing."""

    def secure(self) -> None:
        """It is ours."""

    def views_found(self, count: int) -> None:
        """Count nothing."""


def run_ours(task: RenderTask) -> dict[str, float]:
    """Render the task as a worker does."""
    from worker.blender.session import BlenderSession
    from worker.render.task import render_task

    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        storage = FolderStorage(Path(name) / "out")
        session = BlenderSession("cpu", Path(name))
        task = task.model_copy(update={"trace": True})
        start = time.perf_counter()
        render_task(
            task, session=session, storage=storage, attempt=1, worker="bench", lease=NoLease()
        )
        wall_s = time.perf_counter() - start
        lines = (storage.get(records_key(task)) or b"").splitlines()
        records = [ViewRecord.model_validate_json(line) for line in lines]
        stats = stats_of(read_traces(storage, [task.dataset]))
    load_s = sum(record.timings.load_s for record in records)
    return {
        "views_per_s": len(records) / (wall_s - load_s),
        "load_s": load_s,
        "sampling_share": sum(record.timings.sample_s for record in records) / (wall_s - load_s),
        "share_of_views": stats.sampling_share_of_views,
    }


def run_classic(task: RenderTask, persistent: bool) -> dict[str, float]:  # noqa: FBT001
    """Render the task the classic way."""
    from bench.classic import Classic

    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        start = time.perf_counter()
        classic = Classic(task, Path(name), persistent=persistent)
        loaded = time.perf_counter()
        for view in task.views:
            assert isinstance(view, SodView)
            classic.render(view)
        end = time.perf_counter()
    return {
        "views_per_s": len(task.views) / (end - loaded),
        "load_s": loaded - start,
    }


def make_task(model: Path, *, size: int, samples: int, views: int) -> RenderTask:
    """Make one task of augmented views."""
    import bpy

    world = Path(bpy.utils.resource_path("LOCAL")) / "datafiles" / "studiolights" / "world"
    models, _ = library.describe([model], "model")
    hdrs, _ = library.describe([world / "courtyard.exr"], "hdr")
    spec = JobSpec(
        assets={"models": (str(model),), "hdrs": ("courtyard.exr",)},
        recipe=SodAugmented(pitch=views, yaw_per_pitch=1),
        render=RenderSettings(resolution=(size, size), samples=samples),
        views_per_task=views,
    )
    return expand.render_task(make_job(spec, models + hdrs), 0)


def build_model(folder: Path, *, light: bool = False) -> Path:
    """Save Suzanne, subdivided, centred and scaled to 1; or a cube, which is light."""
    import bpy
    from mathutils import Matrix

    bpy.ops.wm.read_factory_settings(use_empty=True)
    (bpy.ops.mesh.primitive_cube_add if light else bpy.ops.mesh.primitive_monkey_add)()
    monkey = bpy.context.object
    assert monkey is not None
    if not light:
        modifier: Any = monkey.modifiers.new("subdivision", "SUBSURF")
        modifier.levels = modifier.render_levels = 2
        bpy.ops.object.modifier_apply(modifier=modifier.name)
    mesh = monkey.data
    assert isinstance(mesh, bpy.types.Mesh)
    corners = np.array([tuple(corner) for corner in monkey.bound_box])
    low, high = corners.min(axis=0), corners.max(axis=0)
    centre = Matrix.Translation([float(value) for value in -(low + high) / 2])
    mesh.transform(Matrix.Scale(1 / float(max(high - low)), 4) @ centre)
    material = bpy.data.materials.new("clay")
    material.use_nodes = True
    mesh.materials.append(material)
    path = folder / "suzanne.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


if __name__ == "__main__":
    main()
