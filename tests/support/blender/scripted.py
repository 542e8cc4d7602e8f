"""Scripts for tests: written to a file, and rendered in this process without its walls."""

from __future__ import annotations

from pathlib import Path

from farm import expand
from farm.spec.asset import Asset
from farm.spec.job import Job, make_job
from farm.spec.load import parse_spec
from farm.spec.record import ViewRecord, read_record
from farm.spec.task import RenderTask, records_key
from farm.storage import FolderStorage
from tests.support.blender.scenes import asset_of
from tests.support.blender.shots import OurLease, Rendered
from worker.blender.session import BlenderSession
from worker.render.task import render_task

ORBIT = """
import numpy as np

def frame(scene, view, rng):
    cube = scene.objects["Cube"]
    cube.rotation_euler = rng.uniform(0, np.pi, 3)
    return {"xy": view.project(view.corners(cube)), "index": view.index}
"""


def script_asset(folder: Path, text: str, name: str = "cubes.py") -> Asset:
    """Write a script, and return what is known of it."""
    path = folder / name
    path.write_text(text)
    return asset_of(path, "script").model_copy(update={"role": "script"})


def scene_asset(asset: Asset) -> Asset:
    """Return a .blend as the scene of a script."""
    return asset.model_copy(update={"kind": "scene", "role": "scene"})


def a_script_job(
    script: Asset, scene: Asset | None = None, *, views_per_task: int = 10, seed: int = 0,
    passes: tuple[str, ...] = ("rgb", "mask", "index"), samples: int = 2, **recipe: object
) -> Job:  # fmt: skip
    spec = {
        "script": script.path,
        "recipe": {"kind": "script", "views": 3, **recipe},
        "render": {"resolution": 64, "samples": samples, "previews": False},
        "dataset_name": "vases",
        "passes": passes,
        "seed": seed,
        "views_per_task": views_per_task,
    }
    if scene is not None:
        spec["scene"] = scene.path
    return make_job(parse_spec(spec), [*([scene] if scene else []), script])


def render(
    blender: BlenderSession, folder: Path, job: Job, *, tasks: list[RenderTask] | None = None
) -> list[Rendered]:
    """Render a job; return its views in order."""
    storage = FolderStorage(folder)
    for task in tasks or expand.expand(job):
        render_task(
            task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease()
        )
    return [Rendered(storage, record) for record in records(storage, tasks or expand.expand(job))]


def records(storage: FolderStorage, tasks) -> list[ViewRecord]:
    lines = [
        line for task in tasks for line in (storage.get(records_key(task)) or b"").splitlines()
    ]
    return [read_record(line) for line in lines]
