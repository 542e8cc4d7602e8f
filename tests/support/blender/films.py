"""Sequences for tests: a scene's frames, rendered by the recipe and read back."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from farm.dataset.images import decode_pass
from farm.expand.recipe import expand
from farm.spec.asset import Asset
from farm.spec.job import Job, JobSpec, make_job
from farm.spec.record import ViewRecord, read_record
from farm.spec.scene_facts import SceneFacts
from farm.spec.task import RenderTask
from farm.storage import FolderStorage
from tests.support.blender.shots import OurLease
from worker.assets.products import StoredProducts, Workshop
from worker.blender.session import BlenderSession
from worker.render.task import render_task

LABELS = ("rgb", "depth", "index", "flow")


class Film:
    """Frames on storage, by (sequence, number)."""

    def __init__(self, folder: Path, records: list[ViewRecord]) -> None:
        self.folder = folder
        self.records = {
            (record.view.moment.sequence, record.view.moment.number): record
            for record in records
        }  # fmt: skip

    @property
    def sequences(self) -> list[str]:
        return sorted({sequence for sequence, _ in self.records})

    def numbers(self, sequence: str) -> list[int]:
        return sorted(number for name, number in self.records if name == sequence)

    def data(self, sequence: str, number: int, name: str) -> bytes:
        record = self.records[sequence, number]
        return (self.folder / record.files[name].path).read_bytes()

    def read(self, sequence: str, number: int, name: str) -> np.ndarray:
        data = self.data(sequence, number, name)
        return decode_pass(data, self.records[sequence, number].files[name].path, name)


def film_job(
    scene: Path,
    facts: SceneFacts,
    *,
    passes: tuple[str, ...] = LABELS,
    resolution: int = 64,
    samples: int = 2,
    views_per_task: int = 100,
    render: dict[str, object] | None = None,
    **recipe: object,
) -> Job:
    """Make a job of one scene, of which `facts` are known."""
    spec = JobSpec.model_validate(
        {
            "recipe": {"kind": "sequence", **recipe},
            "scenes": [str(scene)],
            "passes": list(passes),
            "render": {
                "resolution": resolution,
                "samples": samples,
                "previews": False,
                **(render or {}),
            },
            "views_per_task": views_per_task,
        }
    )
    asset = Asset(
        kind="scene", role="scenes", id=scene.stem[:8], name=scene.name, path=str(scene),
        sha256=hashlib.sha256(scene.read_bytes()).hexdigest(), size_bytes=scene.stat().st_size,
        scene=facts,
    )  # fmt: skip
    return make_job(spec, [asset])


def shoot_film(
    session: BlenderSession, job: Job, folder: Path, tasks: list[RenderTask] | None = None
) -> Film:
    """Render tasks of a job, or all of them, into a folder."""
    folder.mkdir(exist_ok=True)
    storage = FolderStorage(folder)
    workshop = Workshop(StoredProducts(storage, folder / "work"), folder / "work")
    for task in tasks if tasks is not None else expand(job):
        render_task(
            task, session=session, storage=storage, attempt=1, worker="w", lease=OurLease(),
            workshop=workshop,
        )  # fmt: skip
    return film_of(folder)


def film_of(folder: Path) -> Film:
    """Read what was rendered into a folder."""
    lines = [
        line
        for path in sorted((folder / ".records").rglob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return Film(folder, [read_record(line) for line in lines])
