"""What a worker takes down of a task that is traced."""

from __future__ import annotations

import pytest

from farm.dataset.trace.spans import TraceFile, read_traces
from farm.dataset.trace.stages import stats_of
from farm.spec.task import view_id
from farm.spec.trace import RENDERER, STAGES, trace_key
from farm.storage import FolderStorage
from tests.support.blender.shots import OurLease, some_view, task_of
from worker.blender.stages import stage_of
from worker.render.task import render_task
from worker.trace import NO_TRACE


@pytest.fixture
def task(statue, sky):
    views = [some_view(index=index, yaw=40.0 * index, seed=index) for index in range(3)]
    return task_of(statue, sky, *views)


@pytest.fixture
def run(blender, tmp_path):
    def run(task, name):
        storage = FolderStorage(tmp_path / name)
        render_task(
            task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease()
        )
        return storage

    return run


def files_of(storage: FolderStorage) -> dict[str, bytes | None]:
    keys = [key for key in storage.keys("") if key.endswith(".png")]
    return {key: storage.get(key) for key in keys}


def test_a_trace_tells_of_every_stage_of_every_view(run, task):
    storage = run(task.model_copy(update={"trace": True}), "traced")

    trace = TraceFile.model_validate_json(storage.get(trace_key(task, 1)))
    found: dict[str, set[str]] = {}
    for span in trace.spans:
        found.setdefault(span.name, set()).add(span.args.get("view", ""))
    views = {view.name for view in task.views}
    for name in ("ledger", "arrange", "render", "read", "develop", "encode", "write", "record"):
        assert views <= found[name], name
    assert {"task", "load", "sync", "build", "sample", "hand over"} <= found.keys()
    assert found.keys() <= {*STAGES, "task", "render", "finish"}
    assert trace.worker == "here"
    assert trace.otherData["title"] == task.title
    stats = stats_of(read_traces(storage, [task.dataset]))
    assert (stats.tasks, stats.views) == (1, 3)
    assert 0 < stats.sampling_share <= stats.sampling_share_of_views <= 1
    who = {row.stage: row.who for row in stats.stages if row.stage not in ("ledger", "other")}
    assert who["sample"] == RENDERER
    assert who["encode"] == "beside"


def test_spans_lie_whole_within_each_other(run, task):
    """Else a picture of them would be wrong."""
    storage = run(task.model_copy(update={"trace": True}), "traced")

    spans = TraceFile.model_validate_json(storage.get(trace_key(task, 1))).spans
    for thread in {span.tid for span in spans}:
        open_ends: list[float] = []
        for span in (each for each in spans if each.tid == thread):
            while open_ends and open_ends[-1] <= span.ts:
                open_ends.pop()
            assert not open_ends or span.end <= open_ends[-1], span
            open_ends.append(span.end)


def test_views_are_the_same_with_a_trace_and_without(blender, run, task):
    traced = task.model_copy(update={"trace": True})

    plain, other = run(task, "plain"), run(traced, "traced")

    assert files_of(plain) == files_of(other)
    assert len(files_of(plain)) == 6
    assert [view_id(task, view) for view in task.views] == [
        view_id(traced, view) for view in task.views
    ]
    assert plain.get(trace_key(task, 1)) is None
    assert blender.cycles.trace is NO_TRACE


def test_an_attempt_that_fails_leaves_its_trace(blender, task, tmp_path):
    """That is when somebody wants to know."""

    class Broken(FolderStorage):
        def put(self, key: str, data: bytes) -> None:
            if key.endswith(".png"):
                raise RuntimeError("no storage")
            super().put(key, data)

    storage = Broken(tmp_path)
    traced = task.model_copy(update={"trace": True})

    with pytest.raises(RuntimeError, match="no storage"):
        render_task(
            traced, session=blender, storage=storage, attempt=2, worker="here", lease=OurLease()
        )

    spans = TraceFile.model_validate_json(storage.get(trace_key(task, 2))).spans
    assert "sample" in {span.name for span in spans}
    assert blender.cycles.trace is NO_TRACE


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        ("Mem: 28M | Synchronizing object | Suzanne", "sync"),
        ("Mem: 28M | Initializing", "sync"),
        ("Mem: 28M | Updating Scene BVH | Building BVH 0%", "build"),
        ("Mem: 28M | Loading render kernels (may take a few minutes the first time)", "build"),
        ("Mem: 11M | Updating Lights | Importance map", "map"),
        ("Mem: 29M | Sample 0/4", "sample"),
        ("Remaining: 00:00.13 | Mem: 29M | Sample 1/4", "sample"),
        ("Mem: 27M | Loading denoising kernels (may take a few minutes the first time)", "build"),
        ("Mem: 29M | Finished", "hand over"),
        ("Time: 00:00.11 (Saving: 00:00.00)", "hand over"),
        ("anything else", None),
    ],
)
def test_what_cycles_says_is_a_stage(line, stage):
    assert stage_of(line) == stage
