"""Views of one model under one HDRI by `farm render` and by BlenderProc: whole processes.

    tools/setup_blenderproc.sh
    python -m bench.blenderproc_speed [--small] [--rounds 3] [--cases start,pictures,labels,large]

Both load the same .blend file, which BlenderProc's Blender 4 wrote, look at it by the same cameras
under the same HDRI and write the same kinds of files. They are timed from the command to the last
file, in turn, each round in another order; ratios are those within a round. BlenderProc is used as
its documentation advises: all cameras at once, persistent data, all cores, nothing read back but
the segmentation, plain files instead of its HDF5 container, as many bounces as we have.

`pictures` compares pictures of equal error: for each of the two, the cheapest setting of its own
whose error in the foreground is at most that of our 64 plain samples (or 2 % more, which is
chance), each measured by the same cameras against the same pipeline's picture of many samples. All
other cases take equal samples, and no denoiser.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.paired_jobs import Result, Rounds, compare, report, run
from farm.spec.record import read_record
from worker.blender.settings import CLEAR_BOUNCES, MAX_BOUNCES

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".venv-blenderproc"
SKY = "courtyard.exr"
"""An environment that comes with Blender."""
REFERENCE_SAMPLES = 1024
REFERENCE_VIEWS = 2
NO_WORSE = 1.02
"""Errors that are larger by no more than this factor are as good."""
MOST_APART = 2.0
"""Errors of 64 samples by which the references of both may differ; by 1.4 if they have as many."""
FOV_RAD = 2 * np.arctan(36.0 / 2 / 50.0)
"""Of our usual camera."""


class Setting(NamedTuple):
    """How well one of the two renders."""

    samples: int
    denoise: bool = False
    looked_up: bool = False

    def __str__(self) -> str:
        """Name it as the report does."""
        words = [f"{self.samples} samples"]
        words += ["denoised"] if self.denoise else []
        words += ["background looked up"] if self.looked_up else []
        return ", ".join(words)


PLAIN = Setting(64)
OUR_LADDER = (
    *(Setting(samples, denoise=True, looked_up=True) for samples in (4, 8, 16, 24, 32, 48)),
    PLAIN,
)
THEIR_LADDER = (*(Setting(samples, denoise=True) for samples in (4, 8, 16, 24, 32, 48)), PLAIN)
"""Cheapest first."""


@dataclass(frozen=True)
class Job:
    """What both render."""

    model: Path
    hdr: Path
    cameras: tuple[Any, ...] = ()
    """`world_from_camera` of each view, as our records have them."""
    views: int = 4
    pixels: int = 256
    ours: Setting = PLAIN
    theirs: Setting = PLAIN
    labels: bool = False

    @property
    def title(self) -> str:
        """What it measures."""
        kinds = "rgb, mask, depth, normal, index" if self.labels else "rgb and mask"
        same = self.ours == self.theirs
        how = str(self.ours) if same else f"ours {self.ours}; theirs {self.theirs}"
        return f"{self.views} views, {self.pixels} px, {kinds}; {how}"


CASES: dict[str, dict[str, Any]] = {
    "start": {"views": 4, "ours": Setting(4), "theirs": Setting(4)},
    "light": {"views": 40, "ours": Setting(4), "theirs": Setting(4)},
    "pictures": {"views": 40},
    "labels": {"views": 40, "ours": Setting(32), "theirs": Setting(32), "labels": True},
    "large": {"views": 12, "pixels": 512},
}
"""By name: what differs from a job's defaults."""
USUAL = ("start", "pictures", "labels", "large")


def main() -> None:
    """Measure all cases and print a table of each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", default=",".join(USUAL))
    parser.add_argument("--small", action="store_true", help="four views of 64 px, one round")
    options = parser.parse_args()
    if not HOME.is_dir():
        raise SystemExit("BlenderProc is not here: run tools/setup_blenderproc.sh first")
    rounds = Rounds(1 if options.small else options.rounds)
    for job, found in measure(options.cases.split(","), rounds=rounds, small=options.small):
        report(job.title, found, total=job.views, one="view")


def measure(
    cases: Iterable[str], *, rounds: Rounds, small: bool = False
) -> Iterable[tuple[Job, dict[str, list[Result]]]]:
    """Yield each case, and what both took."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        base = Job(model=write_model(folder), hdr=sky())
        for case in cases:
            job = replace(base, **CASES[case])
            job = replace(job, views=4, pixels=64) if small else job
            job = with_cameras(job, folder)
            if case == "pictures":
                job = at_equal_error(job, folder, samples=64 if small else REFERENCE_SAMPLES)
            yield job, compare(job, WAYS, rounds, list(WAYS))


def ours(job: Job, folder: Path) -> None:
    """Render as users do."""
    passes = "rgb,mask,depth,normal,index" if job.labels else "rgb,mask"
    command = [str(Path(sys.executable).with_name("farm")), "render", "--device", "cpu", "--yes"]
    command += ["--models", str(job.model), "--hdrs", str(job.hdr), "--grid", "--passes", passes]
    command += ["--yaw", str(job.views), "--pitch", "1", "--format", "png", "--allow-empty-masks"]
    command += ["--resolution", str(job.pixels), "--samples", str(job.ours.samples)]
    command += ["--denoise" if job.ours.denoise else "--no-denoise"]
    if job.ours.denoise:
        command += ["--quality", "draft"]  # the fast prefilter
    if job.ours.looked_up:
        command += ["--background", "looked_up"]
    command += ["--output", str(folder / "renders"), "--dataset-name", "d"]
    run(command, XDG_CACHE_HOME=str(folder / "cache"))
    check(folder / "renders/d/images", job.views)


def theirs(job: Job, folder: Path) -> None:
    """Let BlenderProc render."""
    assert len(job.cameras) == job.views, "cameras of another job"
    in_blenderproc(
        {
            "model": str(job.model),
            "hdr": str(job.hdr),
            "cameras": job.cameras,
            "pixels": job.pixels,
            "fov_rad": FOV_RAD,
            "samples": job.theirs.samples,
            "denoise": job.theirs.denoise,
            "labels": job.labels,
            "bounces": {
                **dict.fromkeys(("diffuse_bounces", "glossy_bounces"), MAX_BOUNCES),
                **dict.fromkeys(("max_bounces", "transmission_bounces"), MAX_BOUNCES),
                "ao_bounces_render": 0,
                "transparent_max_bounces": CLEAR_BOUNCES,
                "volume_bounces": 0,
            },
            "folder": str(folder / "theirs"),
        }
    )
    check(folder / "theirs/images", job.views)


WAYS: dict[str, Callable[[Job, Path], None]] = {"ours": ours, "BlenderProc": theirs}


def in_blenderproc(asked: dict[str, Any]) -> None:
    """Run BlenderProc in its environment."""
    script = Path(__file__).with_name("blenderproc_orbit.py")
    command = [str(HOME / "bin/python"), str(script), json.dumps(asked)]
    run(command, USE_EXTERNAL_BPY_MODULE="1", PYTHONPATH=str(HOME / "source"))


def check(images: Path, views: int) -> None:
    """Make sure that all views were written."""
    written = len(list(images.glob("*.png")))
    assert written == views, f"{written} of {views} views"


def write_model(folder: Path) -> Path:
    """Let BlenderProc's Blender, the older one, write the model."""
    path = folder / "suzanne.blend"
    in_blenderproc({"write": str(path)})
    return path


def sky() -> Path:
    """Return an environment that comes with our Blender."""
    code = "import bpy; print(bpy.utils.resource_path('LOCAL'))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return Path(done.stdout.splitlines()[-1]) / "datafiles/studiolights/world" / SKY


def with_cameras(job: Job, folder: Path) -> Job:
    """Return a job with its cameras, from the records of a quick run; they go with its views."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        ours(replace(job, pixels=64, ours=Setting(1), labels=False), Path(name))
        lines = (Path(name) / "renders/d/views.jsonl").read_bytes().splitlines()
    records = map(read_record, lines)
    return replace(job, cameras=tuple(record.camera.world_from_camera for record in records))


def at_equal_error(job: Job, folder: Path, *, samples: int) -> Job:
    """Return a job with the cheapest setting of each of the two that is good enough."""
    few = with_cameras(replace(job, views=min(job.views, REFERENCE_VIEWS)), folder)
    ladders = {"ours": OUR_LADDER, "BlenderProc": THEIR_LADDER}
    _, masks = pictures_of(few, ours, PLAIN, folder)
    shown = masks > 0  # also in part: there errors are largest
    truths = {way: pictures_of(few, WAYS[way], Setting(samples), folder)[0] for way in WAYS}
    errors = {
        way: errors_of(few, WAYS[way], ladder, folder, shown=shown, truth=truths[way])
        for way, ladder in ladders.items()
    }
    target = errors["ours"][PLAIN]
    apart = rms((truths["ours"] - truths["BlenderProc"])[shown]) / target
    print(f"pictures of {samples} samples differ by {apart:.2f} of that error", file=sys.stderr)
    assert apart < MOST_APART, "the two do not show the same"
    most = NO_WORSE * target
    chosen = {
        way: next((each for each in ladder if errors[way][each] <= most), PLAIN)
        for way, ladder in ladders.items()
    }
    for way, setting in chosen.items():
        table = ", ".join(f"{each}: {error / target:.2f}" for each, error in errors[way].items())
        print(f"error of {way}, as a share of our 64 samples: {table}", file=sys.stderr)
        print(f"{way} takes {setting}", file=sys.stderr)
    return replace(job, ours=chosen["ours"], theirs=chosen["BlenderProc"])


def errors_of(  # noqa: PLR0913 - what is compared, and where
    job: Job,
    way: Callable[[Job, Path], None],
    ladder: Sequence[Setting],
    folder: Path,
    *,
    shown: NDArray[np.bool_],
    truth: NDArray[np.float64],
) -> dict[Setting, float]:
    """Return the error of one pipeline at each setting (RMS, 0..255), where the model is `shown`
    (N, H, W), against its own picture of many samples.
    """
    found = {}
    for setting in ladder:
        pictures, _ = pictures_of(job, way, setting, folder)
        found[setting] = rms((pictures - truth)[shown])
    return found


def rms(values: NDArray[np.float64]) -> float:
    """Return the root of the mean of squares."""
    return float(np.sqrt(np.mean(np.square(values))))


def pictures_of(
    job: Job, way: Callable[[Job, Path], None], setting: Setting, folder: Path
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return the pictures (N, H, W, 3) of a job at a setting, and the masks (N, H, W)."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        way(replace(job, ours=setting, theirs=setting), Path(name))
        images, masks = (read_all(Path(name), kind) for kind in ("images", "masks"))
    return images[..., :3].astype(np.float64), masks.reshape(*masks.shape[:3], -1)[..., 0]


def read_all(folder: Path, kind: str) -> NDArray[np.uint8]:
    """Return all pictures of a kind, in the order of their names."""
    paths = sorted(folder.glob(f"**/{kind}/*.png"))
    return np.stack([np.asarray(Image.open(path)) for path in paths])


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main()
