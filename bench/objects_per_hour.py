"""Objects per hour of many small models, against another checkout; `docs/million.md` sums it up.

    python -m bench.objects_per_hour --baseline FOLDER [--kinds glb,views,blend] [--objects 200]
                                     [--rounds 3] [--hdr FILE]

Each object is another file, seen once at 128 pixels with 4 samples: `glb`; twelve times: `views`;
a .blend with pictures on it: `blend`. `farm render` renders all of them as one dataset, by this
checkout and by the one in FOLDER in turns; each round begins with the other one.

The pace is the time between the first and the last picture by the objects between, so that start
and end, which a farm has once, are not in it. CPU time is that of all processes, start and end
included: other work on the machine hardly changes it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.checkouts import run_farm
from bench.paired_jobs import cpu_s
from bench.small_models import write_models
from bench.tabletop_speed import sky

HOUR_S = 3600.0
VIEWS = {"glb": 1, "views": 12, "blend": 1}


@dataclass(frozen=True)
class Run:
    """What one run took for each object."""

    pace_s: float
    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure each kind, and print objects per hour and ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--baseline", type=Path, required=True)
    parser.add_argument("--kinds", default=",".join(VIEWS))
    parser.add_argument("--objects", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hdr", type=Path)
    options = parser.parse_args()
    hdr = options.hdr or sky()
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        for kind in options.kinds.split(","):
            models = Path(name) / kind
            write_models(models, "blend" if kind == "blend" else "glb", options.objects)
            found = in_turns(models, hdr, VIEWS[kind], options.baseline, options.rounds)
            report(kind, options.objects, *found)


def in_turns(
    models: Path, hdr: Path, views: int, baseline: Path, rounds: int
) -> tuple[list[Run], list[Run]]:
    """Return the runs of the baseline and ours, pair by pair."""
    theirs: list[Run] = []
    ours: list[Run] = []
    ways = [(theirs, baseline), (ours, None)]
    for number in range(rounds):
        for runs, checkout in ways[:: 1 if number % 2 == 0 else -1]:
            with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
                runs.append(measure(models, hdr, views, checkout, Path(name)))
    return theirs, ours


def measure(models: Path, hdr: Path, views: int, checkout: Path | None, folder: Path) -> Run:
    """Render all models, each from so many sides."""
    count = len(list(models.iterdir()))
    asked = ["render", f"--models={models}", f"--hdrs={hdr}", "--augmented", "--format", "png"]
    asked += ["--pitch", "1", "--yaw-per-pitch", str(views), "--views-per-task", "12"]
    asked += ["--resolution", "128", "--samples", "4", "--device", "cpu", "--workers", "1"]
    asked += ["--output", str(folder / "renders"), "--dataset-name", "d", "--yes"]
    began_s, used_s = time.monotonic(), cpu_s()
    run_farm(asked, checkout, cache=folder / "cache")
    wall_s, used_s = time.monotonic() - began_s, cpu_s() - used_s
    times = sorted(file.stat().st_mtime for file in (folder / "renders/d/images").iterdir())
    assert len(times) == count * views, f"{len(times)} of {count * views} views"
    pace_s = (times[-1] - times[0]) * views / (len(times) - 1)
    return Run(pace_s, wall_s / count, used_s / count)


def report(kind: str, objects: int, theirs: Sequence[Run], ours: Sequence[Run]) -> None:
    """Print medians, and ratios pair by pair."""
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"\n{kind}: {objects} objects x {VIEWS[kind]} views, 128 px, 4 samples; {load}")
    for name, runs in (("baseline", theirs), ("ours", ours)):
        pace_s, wall_s, used_s = (
            statistics.median(getattr(run, field) for run in runs)
            for field in ("pace_s", "wall_s", "cpu_s")
        )
        print(
            f"  {name:9} {HOUR_S / pace_s:8,.0f} objects/h, {pace_s:.3f} s each; with start and "
            f"end {wall_s:.3f} s and {used_s:.3f} s of CPU each"
        )
    for field, words in (("pace_s", "pace"), ("wall_s", "whole runs"), ("cpu_s", "CPU")):
        pairs = zip(theirs, ours, strict=True)
        each = sorted(getattr(their, field) / getattr(our, field) for their, our in pairs)
        print(f"  {words}: {statistics.median(each):.2f} x ({each[0]:.2f} to {each[-1]:.2f})")


if __name__ == "__main__":
    main()
