"""Frames per second of the recipe `sequence` against visionsim's way: same scenes, same frames.

    python -m bench.sequence_speed [--small] [--rounds 5] [--frames 24] [--resolution 320x240]
                                   [--settings 16,denoised,128,defaults] [--scenes FOLDER]

Whole jobs of three scenes x two sequences with all five passes, timed from the command to the last
file: `farm render` with its start, its look into the scenes and its end, against the steps of
visionsim (`bench/visionsim_way.py`) in a fresh Blender per sequence, as its `render-animation`
does, and in one Blender that opens all files in turn, as its `mkdataset.py` does. The ways take
turns within a round, in another order each round; ratios are those within a round. CPU time is that
of all their processes: unlike wall time it hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.paired_jobs import Rounds, compare, files_of, report, run

SEQUENCES = 2
SMALL_FRAMES = 4
PASSES = "rgb,depth,normal,index,flow"
FILES_OF_THEIRS = 9
"""Per frame: a picture, four passes and their previews."""


@dataclass(frozen=True)
class Setting:
    """How well both ways render."""

    samples: int
    denoise: bool = False
    noise_threshold: float | None = None


SETTINGS = {
    "16": Setting(16),
    "denoised": Setting(64, denoise=True),
    "128": Setting(128),
    "defaults": Setting(256, denoise=True, noise_threshold=0.05),
}
"""Names as the command line has them; the defaults are visionsim's."""


@dataclass(frozen=True)
class Job:
    """What is rendered by every way."""

    scenes: tuple[Path, ...]
    frames: int
    resolution: str
    setting: Setting

    @property
    def total(self) -> int:
        """Frames of the whole job."""
        return len(self.scenes) * SEQUENCES * self.frames


def main() -> None:
    """Measure all settings and print a table of each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=24, help="of each sequence")
    parser.add_argument("--resolution", default="320x240")
    parser.add_argument("--settings", default=",".join(SETTINGS))
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--scenes", type=Path, help="a folder of own .blend files")
    parser.add_argument("--small", action="store_true", help=f"{SMALL_FRAMES} frames, one round")
    options = parser.parse_args()
    if options.small:
        options.frames, options.rounds, options.resolution = SMALL_FRAMES, 1, "64x64"
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        scenes = options.scenes or write_scenes(Path(name), SEQUENCES * options.frames)
        for setting in options.settings.split(","):
            job = Job(
                tuple(sorted(scenes.glob("*.blend"))),
                options.frames,
                options.resolution,
                SETTINGS[setting],
            )
            found = compare(job, WAYS, Rounds(options.rounds), options.ways.split(","))
            report(title_of(job), found, total=job.total, one="frame")


def write_scenes(folder: Path, frames: int) -> Path:
    """Write the scenes in a process of its own, and return where they are."""
    scenes = folder / "scenes"
    scenes.mkdir()
    module = [sys.executable, "-m", "bench.sequence_scenes"]
    run([*module, str(scenes), "--frames", str(frames)])
    return scenes


def ours(job: Job, folder: Path) -> None:
    """Render as users do, with nothing known of the scenes beforehand."""
    command = [str(Path(sys.executable).with_name("farm")), "render", "--recipe", "sequence"]
    command += ["--scenes", *map(str, job.scenes), "--passes", PASSES, "--device", "cpu"]
    command += ["--sequences-per-scene", str(SEQUENCES), "--frames", str(job.frames)]
    command += ["--resolution", job.resolution, "--samples", str(job.setting.samples)]
    command += ["--denoise" if job.setting.denoise else "--no-denoise"]
    if job.setting.noise_threshold is not None:
        command += ["--noise-threshold", str(job.setting.noise_threshold)]
    command += ["--output", str(folder / "renders"), "--dataset-name", "d"]
    run(command, XDG_CACHE_HOME=str(folder / "cache"))
    written = len(list((folder / "renders").glob("*/*/*/frames/*.png")))
    assert written == job.total, f"{written} of {job.total} frames"


def theirs(job: Job, folder: Path) -> None:
    """Open a fresh Blender for each sequence."""
    for sequence in sequences(job, folder):
        render_their_way(job, [sequence])
    check_theirs(job, folder)


def theirs_pooled(job: Job, folder: Path) -> None:
    """Let one Blender open the file of each sequence."""
    render_their_way(job, sequences(job, folder))
    check_theirs(job, folder)


def sequences(job: Job, folder: Path) -> list[dict[str, Any]]:
    """Return the sequences as visionsim would be told of them."""
    return [
        {
            "scene": str(scene),
            "start": start,
            "end": start + job.frames - 1,
            "folder": str(folder / scene.stem / f"001-{start:05}"),
        }
        for scene in job.scenes
        for start in range(1, SEQUENCES * job.frames + 1, job.frames)
    ]


def render_their_way(job: Job, asked: list[dict[str, Any]]) -> None:
    """Render sequences by the steps of visionsim, in one process."""
    width, _, height = job.resolution.partition("x")
    told = {"sequences": asked, "width": int(width), "height": int(height)}
    told |= vars(job.setting)
    run([sys.executable, "-m", "bench.visionsim_way", json.dumps(told)])


def check_theirs(job: Job, folder: Path) -> None:
    """Make sure that everything was written."""
    written = sum(path.suffix in (".png", ".exr") for path in files_of(folder))
    assert written == job.total * FILES_OF_THEIRS, f"{written} files of {job.total} frames"


def title_of(job: Job) -> str:
    """Return what a job measures."""
    setting = job.setting
    how = "denoised" if setting.denoise else "not denoised"
    return (
        f"{len(job.scenes)} scenes x {SEQUENCES} sequences x {job.frames} frames, "
        f"{job.resolution}, {setting.samples} samples, {how}, "
        f"noise threshold {setting.noise_threshold or 'off'}"
    )


WAYS: dict[str, Callable[[Job, Path], None]] = {
    "ours": ours,
    "theirs": theirs,
    "theirs pooled": theirs_pooled,
}

if __name__ == "__main__":
    main()
