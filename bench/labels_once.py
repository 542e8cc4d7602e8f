"""Labels made once: for many lights (`--relight`), and for a dataset that is there (`add-passes`).

    python -m bench.labels_once [--rounds 3] [--lights 8] [--only relight|later]

Suzanne under procedural skies, by whole commands, from their start to their end. Relit views are
measured against one command per light with the same passes, and against one command for all; passes
that are added, against the command that renders the dataset again with them. Both take turns.
Seconds of CPU are of all processes of a command: they also tell on a machine with other work.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import OpenEXR

from bench.paired_jobs import cpu_s, run
from bench.render_speed import build_model
from farm.spec.passes import OF_SEQUENCES, PASS_NAMES

FARM = [sys.executable, "-m", "farm"]
SIZE_PX = (512, 1024)
"""Of the skies, (height, width)."""
FEW = "rgb,mask,depth,normal,index"
NOT_MEASURED = {*OF_SEQUENCES, "shadow"}
ALL = ",".join(name for name in PASS_NAMES if name not in NOT_MEASURED)
Way = Callable[[Path], None]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lights", type=int, default=8)
    parser.add_argument("--only", choices=("relight", "later"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        with get_context("spawn").Pool(1) as other:  # Blender stays out of this process
            model = other.apply(build_model, (folder,))
        skies = [write_sky(folder / f"sky{at}.exr", at) for at in range(options.lights)]
        if options.only != "later":
            compare_relight(model, skies, folder, options.rounds)
        if options.only != "relight":
            compare_later(model, skies[0], folder, options.rounds)


def write_sky(path: Path, number: int) -> Path:
    """Write a sky with a sun somewhere; each number gives another one."""
    chance = np.random.default_rng(number)
    pixels = np.full((*SIZE_PX, 3), chance.uniform(0.1, 0.6, 3), np.float32)
    row, column = int(chance.integers(60, 200)), int(chance.integers(60, 900))
    pixels[row : row + 24, column : column + 24] = chance.uniform(20.0, 60.0)
    with OpenEXR.File({}, {"RGB": pixels}) as file:
        file.write(str(path))
    return path


def compare_relight(model: Path, skies: Sequence[Path], folder: Path, rounds: int) -> None:
    """Print what views under all lights take, with few labels and with all."""
    common = ["--yaw", "4", "--pitch", "2", "--resolution", "256", "--samples", "16"]
    for title, passes in (("few labels", FEW), ("all passes", ALL)):
        grid = [*common, "--passes", passes]

        def relit(out: Path, grid: Sequence[str] = grid) -> None:
            render(model, skies, out, *grid, "--relight")

        def each(out: Path, grid: Sequence[str] = grid) -> None:
            for sky in skies:
                render(model, [sky], out / sky.stem, *grid)

        def together(out: Path, grid: Sequence[str] = grid) -> None:
            render(model, skies, out, *grid)

        ways: dict[str, Way] = {
            "--relight": relit,
            "a dataset per command": each,
            "all in one command": together,
        }
        report(
            f"8 views under {len(skies)} lights, 256 px, 16 samples, {title}", ways, folder, rounds
        )


def compare_later(model: Path, sky: Path, folder: Path, rounds: int) -> None:
    """Print what labels take that are added, and what it takes to render all again with them."""
    common = ["--yaw", "8", "--pitch", "3", "--resolution", "256", "--samples", "64"]
    labels = "depth,normal,index"
    for has in ("rgb,mask", "rgb,mask,depth"):
        there = folder / f"there-{has.count(',')}"
        render(model, [sky], there, *common, "--passes", has)
        wanted = ",".join(name for name in labels.split(",") if name not in has.split(","))

        def later(out: Path, there: Path = there, wanted: str = wanted) -> None:
            run(["cp", "-r", str(there), str(out / "ds")])
            run([*FARM, "add-passes", str(out / "ds"), wanted, "--workers", "1"])

        def again(out: Path, has: str = has, wanted: str = wanted) -> None:
            render(model, [sky], out, *common, "--passes", f"{has},{wanted}")

        ways: dict[str, Way] = {"add-passes": later, "rendered again": again}
        report(f"{wanted} for 24 views of {has}, 256 px, 64 samples", ways, folder, rounds)


def render(model: Path, skies: Sequence[Path], out: Path, *more: str) -> None:
    """Render a dataset by the command."""
    hdrs = [word for sky in skies for word in ("--hdrs", str(sky))]
    places = ["--models", str(model), *hdrs, "--output", str(out), "--workers", "1"]
    run([*FARM, "render", *places, *more, "--no-previews"])


def report(title: str, ways: Mapping[str, Way], folder: Path, rounds: int) -> None:
    """Let ways take turns; print their medians, and how many times the first one's time is."""
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for number in range(rounds):
        names = [*ways]
        for way in names[number % len(names) :] + names[: number % len(names)]:
            found[way].append(measure(ways[way], folder))
    print(f"\n{title}")
    first = found[next(iter(ways))]
    for way, each in found.items():
        wall, cpu = (statistics.median(run[at] for run in each) for at in (0, 1))
        shares = [
            statistics.median(a[at] / b[at] for a, b in zip(first, each, strict=True))
            for at in (0, 1)
        ]
        print(
            f"  {way:22} {wall:7.1f} s, {cpu:7.1f} s of CPU; the first one takes "
            f"{shares[0]:.2f} of its time, {shares[1]:.2f} of its CPU"
        )
    sys.stdout.flush()


def measure(way: Way, folder: Path) -> tuple[float, float]:
    """Return the seconds that a way takes by the clock, and of CPU."""
    out = folder / "out"
    out.mkdir()
    began, used = time.perf_counter(), cpu_s()
    way(out)
    took = time.perf_counter() - began, cpu_s() - used
    subprocess.run(["rm", "-rf", str(out)], check=True)
    return took


if __name__ == "__main__":
    main()
