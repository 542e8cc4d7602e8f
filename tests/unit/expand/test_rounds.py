"""The tasks of streams: those of the spec, then those of further seeds."""

from __future__ import annotations

import pytest

from farm import expand
from farm.spec.job import Job, make_stream
from farm.spec.recipes.sod import SodAugmented, SodGrid
from farm.spec.stream import StreamPlan
from farm.spec.task import RenderTask, view_id
from tests.builders import a_job

GRID = SodGrid(yaw=3, pitch=2)


def a_stream(job, *, views_per_task=4, **plan):
    told = {"name": "test", "length": 10} | plan
    return make_stream(job, StreamPlan(**told), views_per_task=views_per_task)


def views_of(job, tasks):
    return [view for index in range(tasks) for view in expand.render_task(job, index).views]


def test_the_first_views_are_those_of_the_job():
    job = a_job(models=2, recipe=GRID)
    stream = a_stream(job, length=12)

    tasks = [expand.render_task(stream, index) for index in range(4)]

    assert [view for task in tasks for view in task.views] == views_of(job, 2)
    ids = {view_id(task, view) for task in expand.expand(job) for view in task.views}
    assert {view_id(task, view) for task in tasks for view in task.views} == ids


@pytest.mark.parametrize(
    "recipe", [GRID, SodAugmented(pitch=2, yaw_per_pitch=3)], ids=lambda r: r.mode
)
def test_a_longer_stream_goes_on_with_further_seeds(recipe):
    job = a_job(recipe=recipe)
    stream = a_stream(job, length=20)
    count = expand.count(stream)

    tasks = [expand.render_task(stream, index) for index in range(count.tasks)]
    views = [view for task in tasks for view in task.views]

    assert count.views == 20
    assert len(views) == 6 * 5  # four rounds, and one to spare
    assert len({view.name for view in views}) == len(views)
    assert len({task.task_id for task in tasks}) == len(tasks)
    assert len({view_id(task, view) for task in tasks for view in task.views}) == len(views)
    assert [task.index for task in tasks] == list(range(count.tasks))
    assert views[0].seed != views[6].seed


def test_numbers_of_views_never_meet():
    stream = a_stream(a_job(recipe=GRID), length=20)
    tasks = [expand.render_task(stream, index) for index in range(expand.count(stream).tasks)]

    numbers = [task.stream.first + place for task in tasks for place in range(len(task.views))]

    assert len(set(numbers)) == len(numbers)
    assert numbers == sorted(numbers)


def test_a_duplex_stream_has_a_task_for_each_set_of_parameters():
    stream = a_stream(a_job(recipe=GRID), length=100, duplex=True)

    assert expand.count(stream).tasks >= 100


def test_a_stream_is_not_the_job_itself_and_has_a_name():
    job = a_job(recipe=GRID)

    ids = {
        job.job_id,
        a_stream(job).job_id,
        a_stream(job, name="other").job_id,
        a_stream(job, length=11).job_id,
    }

    assert len(ids) == 4
    assert a_stream(job).job_id == a_stream(job).job_id


def test_ordinary_jobs_and_tasks_do_not_know_of_streams():
    job = a_job(recipe=GRID)

    assert "stream" not in job.model_dump()
    assert "stream" not in expand.render_task(job, 0).model_dump()


def test_a_stream_arrives_as_it_was_sent():
    stream = a_stream(a_job(recipe=GRID))
    task = expand.render_task(stream, 1)

    assert Job.model_validate_json(stream.model_dump_json()) == stream
    assert RenderTask.model_validate_json(task.model_dump_json()) == task
