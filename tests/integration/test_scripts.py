"""Scripts on a farm: a worker that renders for many, real Blender, files of the library."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

pytest.importorskip("bpy", reason="needs the worker's install (bpy)")

from farm import expand
from farm.job_store import prefix_of
from farm.ledger import JobState, TaskState
from farm.library import Library
from farm.spec.asset import Asset
from farm.spec.job import Job, make_job
from farm.spec.load import parse_spec
from farm.spec.record import read_record
from farm.spec.task import records_key
from farm.storage import FolderStorage
from tests.e2e.conftest import CUBE, radiance
from tests.support.farms.whole_farm import Farm
from worker.sandbox import landlock, seccomp

pytestmark = pytest.mark.skipif(
    not (landlock.version() and seccomp.offered()), reason="this system has no Landlock"
)
BLENDER = {"FARM_RENDERER": "worker.attempt.renderer:open_blender", "FARM_THREADS": "1"}
SMALL = {"resolution": 64, "samples": 1, "previews": False}
TOLD = """
import os
def frame(scene, view, rng):
    print("rendering", view.name)
    scene.objects["Cube"].location.x = view.params["x"]
    return {"pid": os.getpid(), "x": view.params["x"]}
"""
GREEDY = """
def frame(scene, view, rng):
    scene["held"] = None
    hoard = []
    while True:
        hoard.append(bytearray(b"1") * (64 << 20))
"""


class ScriptFarm(Farm):
    """A farm whose jobs are real ones, of files in its library."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self.jobs: dict[str, Job] = {}
        super().__init__(
            redis_url, folder, lease_ttl_s=10.0,
            task_of=lambda job_id, index: expand.render_task(self.jobs[job_id], index),
            affinity_of=lambda job_id: expand.affinity(self.jobs[job_id]),
        )  # fmt: skip
        self.files = FolderStorage(self.storage)
        self.library = Library(self.files)

    def add(self, spec: dict[str, object], **assets: tuple[str, bytes]) -> Job:
        """Upload files by role, and submit a job of them."""
        known = [self.upload(role, *file) for role, file in assets.items()]
        names = {asset.role: asset.name for asset in known}
        job = make_job(parse_spec({**spec, **names, "render": SMALL}), known)
        job = job.model_copy(update={"prefix": prefix_of(job.job_id)})
        self.jobs[job.job_id] = job
        count = expand.count(job)
        self.ledger.add_job(job.job_id, tasks=count.tasks, views=count.views)
        return job

    def upload(self, role: str, name: str, data: bytes) -> Asset:
        path = self.scratch.parent / name
        path.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        self.library.add(sha256, path)
        kind = {"models": "model", "hdrs": "hdr"}.get(role, role)
        return Asset(kind=kind, role=role, id=path.stem[:8], name=name, path=name, sha256=sha256,
                     size_bytes=len(data), in_library=True)  # fmt: skip

    def add_script(self, text: str, *, views: int, **recipe: object) -> Job:
        spec = {"recipe": {"kind": "script", "views": views, **recipe}, "views_per_task": 2}
        return self.add(spec, script=("told.py", text.encode()))

    def records(self, job: Job):
        """Return the records of a job, of whichever attempts."""
        keys = [records_key(task) for task in expand.expand(job)]
        keys += [each for key in keys for each in self.files.keys(key.removesuffix(".jsonl"))]
        found = (self.files.get(key) or b"" for key in keys)
        return [read_record(line) for data in found for line in data.splitlines()]


@pytest.fixture
def scripts(redis_url, tmp_path):
    with ScriptFarm(redis_url, tmp_path) as running:
        yield running


def test_a_worker_renders_scripts_and_models_in_turn(scripts):
    """Each script in a process of its own, none of which the models' Blender is."""
    one = scripts.add_script(TOLD, views=4, params={"x": 0.5})
    model = scripts.add(
        {"recipe": {"kind": "sod", "yaw": 2, "pitch": 1, "allow_empty_masks": True}},
        models=("cube0001.obj", CUBE.encode()), hdrs=("sky00001.hdr", radiance((90, 120, 200))),
    )  # fmt: skip
    two = scripts.add_script(TOLD, views=2, params={"x": 1.0})

    scripts.start_worker(**BLENDER)

    for job in (one, model, two):
        counts = scripts.wait_state(JobState.COMPLETED, job.job_id)
        assert set(counts) == {TaskState.DONE}, scripts.words()
    pids = [{record.fields["pid"] for record in scripts.records(job)} for job in (one, two)]
    assert [record.fields["x"] for record in scripts.records(one)] == [0.5] * 4
    assert not pids[0] & pids[1]
    log = next((scripts.storage / "jobs" / one.job_id / "log").glob("*.log"))
    assert "told.py: rendering view_00000" in log.read_text()


def test_a_script_that_takes_all_memory_takes_its_own_process_alone(scripts):
    greedy = scripts.add_script(GREEDY, views=1)
    worker = scripts.start_worker(**BLENDER, FARM_MEMORY_BYTES=str(1_500_000_000))

    counts = scripts.wait_state(JobState.COMPLETED, greedy.job_id)

    assert counts == {TaskState.SET_ASIDE: 1}
    [story] = scripts.ledger.failures(greedy.job_id)
    assert {attempt.cause for attempt in story.attempts} == {"memory"}
    assert story.attempts[0].sentence.startswith("told.py: the renderer used ")
    assert story.attempts[0].sentence.endswith("; or let the script hold less")
    assert worker.poll() is None
    after = scripts.add_script(TOLD, views=2, params={"x": 1.0})
    assert set(scripts.wait_state(JobState.COMPLETED, after.job_id)) == {TaskState.DONE}
