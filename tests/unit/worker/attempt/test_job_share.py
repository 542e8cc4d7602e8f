from __future__ import annotations

import pytest

from farm.tallies.model import DoneView
from worker.attempt.job_share import TELL_EVERY_S, JobShare


@pytest.fixture
def told():
    return []


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def share(told, clock):
    return JobShare(lambda job, each: told.append((job, each)), "w@host#12", clock=lambda: clock[0])


def test_all_that_was_done_is_told_in_the_end(share, told, clock):
    share.begin("job")
    for seconds in (1.0, 2.0):
        share.view_done(DoneView(stages={"sample": seconds}))
    share.view_done(DoneView(asset="chair.obj", missing=("wood.png",)))
    clock[0] += 0.5
    assert told == []

    share.end()

    [(job, each)] = told
    assert (job, each.node, each.views, each.timed) == ("job", "w@host", 3, 2)
    assert (each.stages, each.spent_s) == ({"sample": 3.0}, 0.5)
    assert each.missing == {"chair.obj": ("wood.png",)}


def test_a_long_task_tells_now_and_then_and_nothing_twice(share, told, clock):
    share.begin("job")
    for _ in range(3):
        clock[0] += TELL_EVERY_S
        share.view_done(DoneView(stages={"sample": 1.0}))
    clock[0] += 0.25
    share.end()
    share.end()

    assert [(each.views, each.spent_s) for _, each in told] == [(1, 1.0)] * 3 + [(0, 0.25)]
    assert sum(each.stages.get("sample", 0.0) for _, each in told) == 3.0


def test_a_task_that_fails_took_time_too_and_the_next_job_is_another(share, told, clock):
    share.begin("job")
    clock[0] += 4
    share.end()
    clock[0] += 60
    share.begin("other")
    clock[0] += 1
    share.end()

    assert [(job, each.views, each.spent_s) for job, each in told] == [
        ("job", 0, 4.0),
        ("other", 0, 1.0),
    ]
