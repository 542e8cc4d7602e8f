"""A small job that Blender renders, for the workers of a run."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from farm.spec.asset import Asset, AssetKind
from farm.spec.job import Job, JobSpec, make_job
from farm.spec.recipes.sod import SodAugmented
from farm.spec.render import RenderSettings
from tests.chaos.renderer import REAL


def real_job(folder: Path) -> Job | None:
    """Write sample assets and return a job of tiny renders of them; None without Blender."""
    if find_spec("bpy") is None:
        print("Blender is not installed: no real renders in this run")
        return None
    command = [sys.executable, "-m", "farm", "samples", str(folder / "samples")]
    subprocess.run(command, check=True, capture_output=True)
    models = sorted((folder / "samples" / "models").glob("*.blend"))[:1]
    hdrs = sorted((folder / "samples" / "hdrs").glob("*.exr"))[:2]
    spec = JobSpec(
        assets={"models": tuple(map(str, models)), "hdrs": tuple(map(str, hdrs))},
        dataset_name="real",
        recipe=SodAugmented(pitch=2, yaw_per_pitch=12, fit=True),
        render=RenderSettings(resolution=64, samples=2),
        views_per_task=4,
    )
    return make_job(
        spec,
        [
            *(asset(path, "model", number) for number, path in enumerate(models)),
            *(asset(path, "hdr", number) for number, path in enumerate(hdrs)),
        ],
    )


def asset(path: Path, kind: AssetKind, number: int) -> Asset:
    data = path.read_bytes()
    return Asset(
        kind=kind,
        role=f"{kind}s",
        id=f"{REAL}{number}",
        name=path.name,
        path=str(path),
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
    )
