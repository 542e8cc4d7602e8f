"""Jobs whose tasks are traced: the same job, the same views."""

from __future__ import annotations

from farm import expand
from farm.spec.job import Job, make_job, make_stream
from farm.spec.recipes.sod import SodGrid
from farm.spec.stream import StreamPlan
from farm.spec.task import RenderTask, view_id
from farm.spec.trace import trace_key
from tests.builders import a_job

JOB = a_job(models=2, recipe=SodGrid(yaw=3, pitch=2))
TRACED = JOB.model_copy(update={"trace": True})


def test_a_traced_job_is_the_same_job_with_the_same_views():
    assert make_job(TRACED.spec, TRACED.assets).job_id == TRACED.job_id == JOB.job_id
    for plain, traced in zip(expand.expand(JOB), expand.expand(TRACED), strict=True):
        assert traced == plain.model_copy(update={"trace": True})
        assert [view_id(plain, view) for view in plain.views] == [
            view_id(traced, view) for view in traced.views
        ]


def test_ordinary_jobs_and_tasks_do_not_know_of_traces():
    """Workers of before refuse fields that they do not know."""
    assert "trace" not in JOB.model_dump()
    assert "trace" not in expand.render_task(JOB, 0).model_dump()


def test_that_a_job_is_traced_arrives_as_it_was_sent():
    assert Job.model_validate_json(TRACED.model_dump_json()) == TRACED
    task = expand.render_task(TRACED, 1)
    assert RenderTask.model_validate_json(task.model_dump_json()) == task


def test_streams_are_not_traced():
    """They have no dataset for it to lie in."""
    stream = make_stream(TRACED, StreamPlan(name="test", length=10), views_per_task=4)

    assert not expand.render_task(stream, 0).trace


def test_each_attempt_has_a_file_of_its_own():
    task = expand.render_task(TRACED, 0)

    assert trace_key(task, 2) == f"{task.dataset}/traces/{task.task_id}.2.json"
