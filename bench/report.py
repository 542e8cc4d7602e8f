"""The page of speeds: each recipe against its peer in one run, as a table and a plot.

    make bench
    python -m bench.report [--out bench] [--rounds 3] [--minutes 15] [--only seed,blenderproc,...]
                           [--small]

Writes `report.md` and `report.svg`, in a quarter of an hour on two cores: where rounds take longer
than a section's share of it, fewer are made, but at least one. What a peer needs and is not here is
left out, with the reason. Ways take turns, and a ratio is that of two runs of
the same round; where the table says 2.0 x, ours took half the time.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench import blenderproc_speed, render_speed, report_plot, sequence_speed, tabletop_speed
from bench.paired_jobs import Result, Rounds, compare

ROOT = Path(__file__).resolve().parents[1]
LINE_LENGTH = 120


class Unavailable(Exception):
    """A peer that cannot be measured here; its text says why."""


@dataclass(frozen=True)
class Row:
    """One case: what both took, round by round."""

    case: str
    peer: str
    unit: str
    """Of a rate, such as `views/s`."""
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times as fast we are, round by round."""
        return tuple(our / their for our, their in zip(self.ours, self.theirs, strict=True))

    @property
    def label(self) -> str:
        """What the plot says of it."""
        case, differs, _settings = self.case.partition("; ours ")
        return f"{case}{', equal error' if differs else ''}, against {self.peer}"

    @property
    def line(self) -> str:
        """The row of the table."""
        rates = (f"{spread(each)} {self.unit}" for each in (self.ours, self.theirs))
        cells = (self.case, self.peer, *rates, f"**{spread(self.ratios)} x**")
        return "| " + " | ".join(cells) + " |"


@dataclass(frozen=True)
class Section:
    """One peer's part of the page."""

    title: str
    unfair: str
    """What speaks for or against one of the two, apart from speed."""
    share: float
    """Of the time."""
    measure: Callable[[Effort], Iterator[Row]] = field(repr=False)


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: Rounds
    small: bool


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "bench")
    parser.add_argument("--rounds", type=int, default=3, help="most")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--only", default=",".join(SECTIONS), help="some of them")
    parser.add_argument("--small", action="store_true", help="tiny pictures, to see that it works")
    options = parser.parse_args()
    most = 1 if options.small else options.rounds
    wanted = [SECTIONS[name] for name in options.only.split(",")]
    began = until_s = time.monotonic()
    rows, parts = [], []
    options.out.mkdir(parents=True, exist_ok=True)
    for section in wanted:
        part = section.share / sum(each.share for each in wanted)
        until_s += part * options.minutes * 60
        found, text = measured(section, Effort(Rounds(most, until_s=until_s), options.small))
        rows += found
        parts.append(text)
        print(text, flush=True)
        bars = [report_plot.Bar(row.label, row.ratios) for row in rows]
        (options.out / "report.svg").write_text(report_plot.draw(bars))
        took_min = (time.monotonic() - began) / 60
        (options.out / "report.md").write_text(page(parts, took_min, most))


def measured(section: Section, effort: Effort) -> tuple[list[Row], str]:
    """Return the rows of a section, and its text."""
    print(f"{section.title} ...", file=sys.stderr, flush=True)
    try:
        rows = list(section.measure(effort))
    except Unavailable as reason:
        return [], f"## {section.title}\n\nNot measured: {reason}\n"
    head = "| what | peer | ours | theirs | ratio |\n|---|---|---|---|---|"
    lines = "\n".join(row.line for row in rows)
    return rows, f"## {section.title}\n\n{head}\n{lines}\n\n{filled(section.unfair)}\n"


def page(parts: Sequence[str], took_min: float, rounds: int) -> str:
    """Return the whole page.

    Args:
        parts: The texts of its sections.
        took_min: Minutes that measuring took.
        rounds: Most rounds of a case.
    """
    intro = (
        f"Medians of up to {rounds} interleaved rounds, with the smallest and largest; a ratio is "
        "that of two runs of the same round; above 1 we are faster. `make bench` writes this page "
        f"anew: it took {took_min:.0f} minutes."
    )
    head = ("# Speeds, measured", filled(intro), "![Ratios](report.svg)", filled(machine()))
    return "\n\n".join([*head, *parts]).replace("\n\n\n", "\n\n")


def filled(text: str) -> str:
    """Break a paragraph into lines."""
    return textwrap.fill(text, LINE_LENGTH, break_on_hyphens=False)


def machine() -> str:
    """Return what it was measured on."""
    memory_gib = psutil.virtual_memory().total / 2**30
    packages = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("bpy", "celery", "numpy")
    )
    return (
        f"{processor()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB; {platform.system()} "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}, {packages}; load "
        f"{os.getloadavg()[2]:.1f} in the last quarter of an hour, ours included. No GPU."
    )


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def spread(values: Sequence[float]) -> str:
    """Return the median, with the smallest and largest."""
    middle = statistics.median(values)
    if len(values) == 1:
        return f"{middle:.2f}"
    return f"{middle:.2f} ({min(values):.2f} to {max(values):.2f})"


def of_jobs(
    case: str, peer: str, unit: str, total: int, results: tuple[list[Result], list[Result]]
) -> Row:
    """Return the row of whole jobs."""
    ours, theirs = (tuple(total / result.wall_s for result in each) for each in results)
    return Row(case, peer, unit, ours, theirs)


def seed(effort: Effort) -> Iterator[Row]:
    """Measure views of a loaded model against two renders per view."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        views = 2 if effort.small else 8
        settings = render_speed.measure_all(
            Path(name), rounds=effort.rounds, views=views, persistent=False
        )
        for (size, samples), found in settings:
            rates = {
                way: tuple(result["views_per_s"] for result in results)
                for way, results in found.items()
            }
            case = f"views, {size} px, {samples} samples"
            yield Row(case, "two renders per view", "views/s", rates["ours"], rates["classic"])


def blenderproc(effort: Effort) -> Iterator[Row]:
    """Measure views of one model against BlenderProc itself."""
    done = subprocess.run(
        [ROOT / "tools/setup_blenderproc.sh"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unavailable(done.stderr.strip().splitlines()[-1].removeprefix("error: "))
    cases = ("start",) if effort.small else blenderproc_speed.USUAL
    for job, found in blenderproc_speed.measure(cases, rounds=effort.rounds, small=effort.small):
        results = found["ours"], found["BlenderProc"]
        yield of_jobs(job.title, "BlenderProc", "views/s", job.views, results)


def tabletop(effort: Effort) -> Iterator[Row]:
    """Measure scenes of several things against BlenderProc's steps, in one Blender for all."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        things, hdr = tabletop_speed.write_things(Path(name)), tabletop_speed.sky()
        scenes, views, pixels = (1, 2, 64) if effort.small else (4, 4, 256)
        job = tabletop_speed.Job(things, hdr, scenes, views, pixels, 16, None)
        found = compare(job, tabletop_speed.WAYS, effort.rounds, ["ours", "pooled"])
        case = f"tabletop: {scenes} scenes x {views} views, {pixels} px, 16 samples, denoised"
        results = found["ours"], found["pooled"]
        yield of_jobs(case, "BlenderProc's steps", "views/s", job.total, results)


def sequence(effort: Effort) -> Iterator[Row]:
    """Measure sequences with all five passes against visionsim's steps."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        frames, size = (2, "64x64") if effort.small else (6, "320x240")
        scenes = sequence_speed.write_scenes(Path(name), sequence_speed.SEQUENCES * frames)
        files = tuple(sorted(scenes.glob("*.blend")))
        job = sequence_speed.Job(files, frames, size, sequence_speed.SETTINGS["16"])
        found = compare(job, sequence_speed.WAYS, effort.rounds, ["ours", "theirs pooled"])
        case = f"sequences: {job.total} frames, {size}, five passes, 16 samples"
        results = found["ours"], found["theirs pooled"]
        yield of_jobs(case, "visionsim's steps", "frames/s", job.total, results)


SECTIONS = {
    "seed": Section(
        "One model: the classic way",
        "The classic way renders picture and mask apart, changes the world's nodes for each view "
        "and writes PNG files first, in the same Blender as we; times are those from the loaded "
        "model to the last file. It is the way that most people write down, and not the best that "
        "could be written.",
        3.0,
        seed,
    ),
    "blenderproc": Section(
        "One model: BlenderProc",
        "Whole processes, from the command to the last file. BlenderProc's main branch needs "
        "Blender 4 (bpy 4.5, Python 3.11), we run on Blender 5: part of a difference may be "
        "Blender's. In its favour, it writes plain files in place of its HDF5 container, writes no "
        "records, and nothing that it does is checked. Against it, its segmentation is a render of "
        "its own. Where the settings differ, the errors in the foreground are equal: each takes "
        "the cheapest of its own settings that is no further from its own picture of many samples "
        "than 64 plain samples of ours are from ours, by the same cameras (2 % more count as "
        "equal). 64 plain samples have the same error in both.",
        7.5,
        blenderproc,
    ),
    "tabletop": Section(
        "Scenes of several things: BlenderProc's steps",
        "BlenderProc refuses Blender 5, so its steps are written again for it "
        "(`bench/blenderproc_steps.py`) and run in one process for all scenes, which its own "
        "`rerun` does not. Its checks of poses are left out, in its favour; ours tries cameras "
        "until things are seen, and writes sentences besides.",
        2.0,
        tabletop,
    ),
    "sequence": Section(
        "Sequences: visionsim's steps",
        "visionsim needs a Blender before 5, so its steps are written again "
        "(`bench/visionsim_way.py`) and run in one process for all scenes. It writes previews of "
        "every pass; we write them on request.",
        2.5,
        sequence,
    ),
}

if __name__ == "__main__":
    main()
