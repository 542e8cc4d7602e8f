"""What passes cost beside picture and mask.

    python -m bench.pass_cost [MODEL ...] [--side 256] [--samples 16] [--views 10] [--rounds 5]

Each round renders the same views with picture and mask alone, with the passes that inverse
rendering takes, and with all passes, in an order that changes from round to round. A ratio is that
of two rounds that follow each other, so that a machine that others use slows both; the median over
all rounds counts. Times are of whole tasks, with the files written to a folder.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from farm.spec.asset import Asset
from farm.spec.passes import VIEW_PASSES, PassName
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask, records_key
from farm.storage import FolderStorage
from tests.support.blender.scenes import asset_of
from tests.support.blender.shots import OurLease, some_view, task_of
from worker.blender.samples.write import write_samples
from worker.blender.session import BlenderSession
from worker.render.task import render_task

SETS: dict[str, tuple[PassName, ...]] = {
    "rgb, mask": ("rgb", "mask"),
    "materials": (
        "rgb", "mask", "base_color", "roughness", "metallic", "depth", "normal", "index",
    ),
    "all": VIEW_PASSES,
}  # fmt: skip
"""What is compared; the first is what the others are measured against."""


class Spent(NamedTuple):
    """Seconds."""

    clock: float
    processors: float


def main() -> None:
    """Print a table for each model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--views", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-previews", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        made = write_samples(folder)
        session = BlenderSession("cpu", folder)
        sky = asset_of(next(path for path in made if path.suffix == ".exr"), "hdr")
        models = options.models or [path for path in made if path.suffix == ".blend"]
        for path in models:
            bench(session, asset_of(path), sky, folder / "out" / path.stem, options)
        session.close()


def bench(
    session: BlenderSession, model: Asset, sky: Asset, folder: Path, options: argparse.Namespace
) -> None:
    """Measure one model and print what was found."""
    views = [some_view(index=n, yaw=360 * n / options.views, fit=True)
             for n in range(options.views)]  # fmt: skip
    task = task_of(
        model, sky, *views, resolution_px=(options.side, options.side), samples=options.samples,
        previews=not options.no_previews,
    )  # fmt: skip
    for name, passes in SETS.items():
        once(session, task, passes, folder / f"warm-{len(name)}")
    spent: dict[str, list[Spent]] = {name: [] for name in SETS}
    records: list[ViewRecord] = []
    for number in range(options.rounds):
        names = list(SETS)[:: -1 if number % 2 else 1]
        for name in names:
            took, records = once(session, task, SETS[name], folder / f"{number}-{len(name)}")
            spent[name].append(Spent(*(each / options.views for each in took)))
            if name == "all":
                dearest = records
    show(model.name, spent, dearest)


def show(title: str, spent: dict[str, list[Spent]], records: list[ViewRecord]) -> None:
    """Print what each set took, and what the passes took to encode and write."""
    plain = spent["rgb, mask"]
    print(f"\n{title}")
    for name, rounds in spent.items():
        told = [f"  {name:12}"]
        for which, field in enumerate(Spent._fields):
            ratio = statistics.median(
                a[which] / b[which] for a, b in zip(rounds, plain, strict=True)
            )
            median = statistics.median(each[which] for each in rounds)
            told.append(f"{field} {median:7.3f} s a view {ratio:5.2f}x")
        print("   ".join(told))
    total: dict[str, float] = {}
    for record in records:
        for name, seconds in record.timings.pass_s.items():
            total[name] = total.get(name, 0.0) + seconds / len(records)
    stages = ("render_s", "sample_s", "read_s", "encode_s", "write_s")
    means = (statistics.fmean(getattr(each.timings, stage) for each in records) for stage in stages)
    print("  all: " + "  ".join(f"{a} {b:.3f}" for a, b in zip(stages, means, strict=True)))
    print("  " + "  ".join(f"{k} {1000 * v:.1f}" for k, v in sorted(
        total.items(), key=lambda item: -item[1])) + " ms")  # fmt: skip


def once(
    session: BlenderSession, task: RenderTask, passes: tuple[PassName, ...], folder: Path
) -> tuple[Spent, list[ViewRecord]]:
    """Render all views with these passes; return the seconds, and the records."""
    storage = FolderStorage(folder)
    asked = task.model_copy(update={"passes": passes})
    begun, busy = time.perf_counter(), time.process_time()
    render_task(
        asked, session=session, storage=storage, attempt=1, worker="bench", lease=OurLease()
    )
    seconds = Spent(time.perf_counter() - begun, time.process_time() - busy)
    lines = (storage.get(records_key(asked)) or b"").splitlines()
    return seconds, [ViewRecord.model_validate_json(line) for line in lines]


if __name__ == "__main__":
    main()
