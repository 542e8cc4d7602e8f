"""Views per second of the recipe `tabletop` against BlenderProc's way: same models, same light.

    python -m bench.tabletop_speed [--small] [--rounds 3] [--scenes 50] [--views 5] [--pixels 512]
                                   [--samples 16,128] [--ways ours,steps,...]
                                   [--blenderproc PYTHON,FOLDER]

Whole jobs, timed from the command to the last file: `farm render` with its start, its look at the
files, scenes that settle, cameras that are tried, sentences, and its end; against the steps of
BlenderProc (`bench/blenderproc_steps.py`) in a fresh Blender for each scene, as its `rerun` does,
and `pooled`, in one Blender for all scenes, as the seed of this recipe does. Where Python 3.11 with
bpy 4 and what BlenderProc needs is at hand, `itself` runs its public source, which lies alone in a
folder, in a fresh process for each scene (`bench/blenderproc_itself.py`).

The ways take turns within a round, in another order each round; ratios are those within a round.
CPU time is that of all their processes: unlike wall time it hardly depends on what else the machine
does. All have as many objects in a scene, the denoiser, and Blender's own limits of bounces.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.paired_jobs import Rounds, compare, report, run

OBJECTS = 9
SMALL = {"scenes": 4, "views": 3, "rounds": 1}
COLOURS = ((0.6, 0.02, 0.02), (0.03, 0.4, 0.05), (0.02, 0.05, 0.6), (0.8, 0.65, 0.02))
SEGMENTS = 72
"""Faces around a shape: some thousands in all, as scans of tableware have."""
VISIBLE_PX, VISIBLE_AT = 200, 512
"""Pixels of a thing that is to be seen, in pictures of that size."""
ELEVATION_RAD, DISTANCE_M = 0.8, 1.15


@dataclass(frozen=True)
class Job:
    """What is rendered by every way."""

    things: Path
    """A folder of .obj files, with their words beside it."""
    hdr: Path
    scenes: int
    views: int
    pixels: int
    samples: int
    blenderproc: tuple[str, str] | None

    @property
    def total(self) -> int:
        """Views of the whole job."""
        return self.scenes * self.views


def main() -> None:
    """Measure all settings and print a table of each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scenes", type=int, default=50)
    parser.add_argument("--views", type=int, default=5, help="of each scene")
    parser.add_argument("--pixels", type=int, default=512)
    parser.add_argument("--samples", default="16,128")
    parser.add_argument("--ways", default="")
    parser.add_argument("--blenderproc", default="", help="PYTHON,FOLDER of its source")
    parser.add_argument("--small", action="store_true", help=f"{SMALL}, 128 pixels")
    options = parser.parse_args()
    if options.small:
        vars(options).update(SMALL, pixels=128)
    python, _, source = options.blenderproc.partition(",")
    ways = options.ways.split(",") if options.ways else ["ours", "steps", "pooled"]
    ways += ["itself"] if source and not options.ways else []
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        things, hdr = write_things(Path(name)), sky()
        for samples in map(int, options.samples.split(",")):
            job = Job(
                things, hdr, options.scenes, options.views, options.pixels, samples,
                (python, source) if source else None,
            )  # fmt: skip
            found = compare(job, WAYS, Rounds(options.rounds), ways)
            report(title_of(job), found, total=job.total, one="view")


def ours(job: Job, folder: Path) -> None:
    """Render as users do."""
    command = [str(Path(sys.executable).with_name("farm")), "render", "--recipe", "tabletop"]
    command += ["--objects", str(job.things), "--words", str(job.things.parent / "words.yaml")]
    command += ["--hdrs", str(job.hdr), "--passes", "rgb,index,depth", "--device", "cpu"]
    command += ["--scenes", str(job.scenes), "--views", str(job.views)]
    command += ["--per-scene", str(OBJECTS), "--resolution", str(job.pixels)]
    command += ["--samples", str(job.samples), "--denoise"]
    command += ["--visible-px", str(max(1, VISIBLE_PX * job.pixels**2 // VISIBLE_AT**2))]
    command += ["--output", str(folder / "renders"), "--dataset-name", "d", "--yes"]
    run(command, XDG_CACHE_HOME=str(folder / "cache"))
    check(len(list(folder.glob("renders/d/images/*.png"))), job)


def steps(job: Job, folder: Path) -> None:
    """Open a fresh Blender for each scene."""
    for scene in scenes_of(job, folder):
        run([sys.executable, "-m", "bench.blenderproc_steps", told([scene], job)])
    check(len(list(folder.glob("*/images/*.png"))), job)


def pooled(job: Job, folder: Path) -> None:
    """Let one Blender make all scenes."""
    run([sys.executable, "-m", "bench.blenderproc_steps", told(scenes_of(job, folder), job)])
    check(len(list(folder.glob("*/images/*.png"))), job)


def itself(job: Job, folder: Path) -> None:
    """Run BlenderProc's own code, afresh for each scene."""
    assert job.blenderproc is not None
    python, source = job.blenderproc
    script = str(Path(__file__).with_name("blenderproc_itself.py"))
    for scene in scenes_of(job, folder):
        command = [python, script, told([scene], job)]
        run(command, USE_EXTERNAL_BPY_MODULE="1", PYTHONPATH=source)
    check(len(list(folder.glob("*/*/*.hdf5"))), job)


def check(written: int, job: Job) -> None:
    """Make sure that all views were written."""
    assert written == job.total, f"{written} of {job.total} views"


def told(scenes: list[dict[str, Any]], job: Job) -> str:
    """Return what a process of the other ways is told."""
    how = {"pixels": job.pixels, "samples": job.samples, "denoise": True, "hdr": str(job.hdr)}
    return json.dumps({"scenes": scenes, **how})


def scenes_of(job: Job, folder: Path) -> list[dict[str, Any]]:
    """Return the scenes as the other ways are told of them."""
    files = sorted(map(str, job.things.glob("*.obj")))
    found = []
    for number in range(job.scenes):
        rng = np.random.default_rng(number)
        found.append(
            {
                "models": rng.choice(files, OBJECTS, replace=False).tolist(),
                "cameras": [pose(float(rng.uniform(0, 2 * math.pi))) for _ in range(job.views)],
                "seed": number,
                "folder": str(folder / f"{number:06d}"),
            }
        )
    return found


def pose(azimuth_rad: float) -> list[list[float]]:
    """Return `world_from_camera` of a camera that looks at the middle of the table."""
    cos, sin = math.cos(ELEVATION_RAD), math.sin(ELEVATION_RAD)
    back = np.array([cos * math.cos(azimuth_rad), cos * math.sin(azimuth_rad), sin])
    right = np.array([-math.sin(azimuth_rad), math.cos(azimuth_rad), 0.0])
    columns = np.column_stack([right, np.cross(back, right), back, DISTANCE_M * back])
    rows: list[list[float]] = [*columns.tolist(), [0.0, 0.0, 0.0, 1.0]]
    return rows


def sky() -> Path:
    """Return an environment that comes with Blender."""
    code = "import bpy; print(bpy.utils.resource_path('LOCAL'))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return Path(done.stdout.splitlines()[-1]) / "datafiles/studiolights/world/courtyard.exr"


def write_things(folder: Path) -> Path:
    """Write solids of revolution and their words; return the folder of the files."""
    things = folder / "things"
    things.mkdir()
    words = []
    for noun, (radius, height, power) in PROFILES.items():
        for number, colour in enumerate(COLOURS):
            name = f"{noun}_{number}"
            (things / f"{name}.mtl").write_text("newmtl paint\nKd {} {} {}\n".format(*colour))
            (things / f"{name}.obj").write_text(turned(name, radius, height, power))
            words.append(f"{name}.obj: {{noun: {noun}, confirmed: true}}\n")
    (folder / "words.yaml").write_text("".join(words))
    return things


PROFILES = {"can": (0.035, 0.1, 12.0), "ball": (0.04, 0.08, 2.0), "puck": (0.05, 0.04, 6.0)}
"""By noun: radius and height in metres, and how square its side is."""


def turned(name: str, radius: float, height: float, power: float) -> str:
    """Return a superellipse that was turned about the vertical, as an OBJ file."""
    rings = np.linspace(-math.pi / 2, math.pi / 2, SEGMENTS // 2 + 1)[1:-1]
    turns = np.arange(SEGMENTS) * 2 * math.pi / SEGMENTS
    across = radius * np.abs(np.cos(rings)) ** (2 / power)
    up = height / 2 * np.sign(np.sin(rings)) * np.abs(np.sin(rings)) ** (2 / power)
    points = [(0.0, -height / 2, 0.0), (0.0, height / 2, 0.0)]
    points += [
        (r * math.cos(turn), y, -r * math.sin(turn))
        for r, y in zip(across.tolist(), up.tolist(), strict=True)
        for turn in turns.tolist()
    ]
    faces: list[tuple[int, ...]] = []
    for side in range(SEGMENTS):
        other, top = (side + 1) % SEGMENTS, 3 + (len(rings) - 1) * SEGMENTS
        faces += [(1, 3 + other, 3 + side), (2, top + side, top + other)]
        for ring in range(len(rings) - 1):
            low, high = 3 + ring * SEGMENTS, 3 + (ring + 1) * SEGMENTS
            faces.append((low + side, low + other, high + other, high + side))
    lines = [f"mtllib {name}.mtl", f"o {name}", "usemtl paint"]
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in points]
    return "\n".join([*lines, *("f " + " ".join(map(str, face)) for face in faces), ""])


def title_of(job: Job) -> str:
    """Return what a job measures."""
    return (
        f"{job.scenes} scenes x {job.views} views of {OBJECTS} objects, {job.pixels} px, "
        f"{job.samples} samples, denoised"
    )


WAYS: dict[str, Callable[[Job, Path], None]] = {
    "ours": ours,
    "steps": steps,
    "pooled": pooled,
    "itself": itself,
}

if __name__ == "__main__":
    main()
