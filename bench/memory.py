"""Memory of one renderer over hundreds of tasks, for ever in one process and renewed.

    python -m bench.memory --models 'models/*.blend' --hdrs 'hdrs/*' [--tasks 500] [--renew-mb 900]
                           [--picture memory.png] [--curves memory.jsonl]

A run that was cut off goes on from its curves.

Every task has another model and another HDRI than the one before, so each loads and frees both. A
view has 64 x 64 pixels and one sample: what is measured is what stays. Renewal is the worker's: a
process that has ever used more than the bound makes room for a fresh one after its task.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from farm import expand, library
from farm.settings import load_settings
from farm.spec.asset import AssetKind
from farm.spec.job import JobSpec, make_job
from farm.spec.recipes.sod import SodGrid
from farm.spec.render import RenderSettings
from farm.spec.task import RenderTask

MB = 1_000_000
WARM_UP = 50
"""Tasks until every model and HDRI was there and the process has what it keeps."""
COLOURS = {"one process": (200, 60, 40), "renewed": (30, 110, 200)}
Curve = list[tuple[int, float]]
"""(process id, MB in use) after each task."""


def main() -> None:
    """Measure, or be the one that is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--hdrs", nargs="+", required=True)
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--renew-mb", type=float, default=900.0)
    parser.add_argument("--picture", type=Path, default=Path("memory.png"))
    parser.add_argument("--curves", type=Path, default=Path("memory.jsonl"))
    parser.add_argument("--ways", nargs="+", choices=COLOURS, default=list(COLOURS))
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        render_some(options, **options.child)
        return
    for way in options.ways:
        bound = options.renew_mb if way == "renewed" else float("inf")
        measure(way, options.tasks, bound, options.curves)
    curves = read(options.curves)
    for way, curve in curves.items():
        report(way, curve)
    draw(curves, options.picture)
    print(f"picture {options.picture}")


def measure(way: str, tasks: int, bound_mb: float, kept: Path) -> None:
    """Render so many tasks, in as many processes as the bound takes; add to the curve."""
    while (done := len(read(kept).get(way, []))) < tasks:
        child = json.dumps({"start": done, "end": tasks, "bound_mb": bound_mb})
        command = [sys.executable, "-m", "bench.memory", *sys.argv[1:], "--child", child]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
            kept.open("a", buffering=1) as file,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("MEMORY "):
                    file.write(json.dumps([way, process.pid, float(line.split()[1])]) + "\n")
        if process.returncode:
            raise SystemExit(f"the renderer ended with {process.returncode}")


def read(kept: Path) -> dict[str, Curve]:
    """Return the curves as far as they were measured."""
    curves: dict[str, Curve] = {}
    for line in kept.read_text().splitlines() if kept.exists() else ():
        way, pid, size = json.loads(line)
        curves.setdefault(way, []).append((pid, size))
    return curves


def render_some(options: argparse.Namespace, *, start: int, end: int, bound_mb: float) -> None:
    """Render tasks as a worker's child does, until they end or this process has used too much."""
    from worker.attempt.renderer import open_blender

    tasks = all_tasks(options.models, options.hdrs)
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        settings = load_settings(
            device="cpu",
            scratch=folder,
            storage=str(folder / "out"),
            cache=folder / "cache",
            read_wall="off",  # assets are taken where they are
        )
        render: Any = open_blender(settings)
        for number in range(start, end):
            task = tasks[number % len(tasks)].model_copy(update={"dataset": f"task-{number}"})
            render(task, attempt=1, worker="bench", lease=NoLease())
            use = in_use()
            print(f"MEMORY {use['now']:.1f}", flush=True)
            if use["most"] > bound_mb:
                return


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


def all_tasks(models: list[str], hdrs: list[str]) -> list[RenderTask]:
    """Return a task per pair, so that neighbours share neither model nor HDRI."""
    kinds: tuple[tuple[list[str], AssetKind], ...] = ((models, "model"), (hdrs, "hdr"))
    described = [
        library.describe(library.discover(patterns, kind, base=Path.cwd()), kind)[0]
        for patterns, kind in kinds
    ]
    spec = JobSpec(
        assets={"models": tuple(models), "hdrs": tuple(hdrs)},
        recipe=SodGrid(yaw=1, pitch=1),
        render=RenderSettings(resolution=(64, 64), samples=1),
    )
    job = make_job(spec, described[0] + described[1])
    pairs = {(task.assets[0].id, task.assets[1].id): task for task in tasks_of(job)}
    names = [[asset.id for asset in assets] for assets in described]
    order = [
        (names[0][place % len(names[0])], names[1][(place + lap) % len(names[1])])
        for lap in range(len(names[1]))
        for place in range(len(names[0]))
    ]
    return [pairs[pair] for pair in order]


def tasks_of(job: Any) -> list[RenderTask]:
    """Return all tasks of a job."""
    return [expand.render_task(job, index) for index in range(expand.count(job).tasks)]


def in_use() -> dict[str, float]:
    """Return what this process uses now, and what it used at its highest, in MB."""
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    sizes = {name: int(told[name].split()[0]) * 1024 / MB for name in ("RssAnon", "VmHWM")}
    return {"now": sizes["RssAnon"], "most": sizes["VmHWM"]}


def report(way: str, curve: Curve) -> None:
    """Print where a curve begins and ends, and how it rises after the warm-up."""
    sizes = np.array([size for _, size in curve])
    steady = sizes[min(WARM_UP, len(sizes) // 2) :]
    slope = np.polyfit(np.arange(len(steady)), steady, 1)[0]
    processes = len({pid for pid, _ in curve})
    print(
        f"{way:12} {len(curve)} tasks, {processes} process(es): {sizes[0]:.0f} MB after the first, "
        f"{sizes[-1]:.0f} MB after the last, {sizes.max():.0f} MB at most, "
        f"{slope:+.3f} MB per task after task {len(sizes) - len(steady)}",
        flush=True,
    )


def draw(curves: dict[str, Curve], path: Path, size_px: tuple[int, int] = (900, 420)) -> None:
    """Draw memory over tasks."""
    from PIL import Image, ImageDraw

    left, top, right, bottom = 70, 40, size_px[0] - 20, size_px[1] - 45
    picture = Image.new("RGB", size_px, "white")
    pen = ImageDraw.Draw(picture)
    tasks = max(len(curve) for curve in curves.values())
    ceiling = 1.1 * max(size for curve in curves.values() for _, size in curve)
    step = 10 ** np.floor(np.log10(ceiling))
    for value in np.arange(0, ceiling, step / 2 if ceiling / step < 4 else step):
        y = bottom - (bottom - top) * value / ceiling
        pen.line((left, y, right, y), fill=(225, 225, 225))
        pen.text((left - 8, y), f"{value:.0f}", fill="black", anchor="rm")
    for value in range(0, tasks + 1, max(tasks // 5, 1)):
        x = left + (right - left) * value / tasks
        pen.text((x, bottom + 6), str(value), fill="black", anchor="ma")
    pen.text((left, top - 24), "MB in use by the renderer (RssAnon)", fill="black")
    pen.text(((left + right) / 2, bottom + 24), "tasks", fill="black", anchor="ma")
    for place, (way, curve) in enumerate(curves.items()):
        points = [
            (left + (right - left) * at / tasks, bottom - (bottom - top) * size / ceiling)
            for at, (_, size) in enumerate(curve)
        ]
        pen.line(points, fill=COLOURS[way], width=2)
        pen.text((right - 110 * (place + 1), top - 24), way, fill=COLOURS[way])
    pen.rectangle((left, top, right, bottom), outline="black")
    picture.quantize(32).save(path, optimize=True)


if __name__ == "__main__":
    main()
