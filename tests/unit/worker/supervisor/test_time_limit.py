"""How long an attempt may take."""

from __future__ import annotations

import os

from farm.settings import Settings
from tests.builders import a_task
from worker.supervisor.time_limit import FLOOR_S, START_S, TimeLimits


def limit_s(*, warm: bool = True, task=None, **settings: object) -> float:
    time_limits = TimeLimits(Settings(**({"device": "optix:0"} | settings)))
    if warm:
        time_limits.warm(os.getpid())
    return time_limits.limit_s(task or a_task(views=1))


def a_long_task(views: int = 10):
    task = a_task(views=views)
    render = {"resolution_px": (4000, 2500), "samples": 100}
    return task.model_copy(update={"render": task.render.model_copy(update=render)})


def test_a_small_task_has_time_to_load():
    assert FLOOR_S <= limit_s() < FLOOR_S + 10


def test_a_long_task_has_long_by_its_pixels_samples_and_views():
    one, ten = limit_s(task=a_long_task(1)), limit_s(task=a_long_task(10))

    assert one - FLOOR_S > 100
    assert 9.9 < (ten - FLOOR_S) / (one - FLOOR_S) < 10.1


def test_a_cpu_has_longer_by_its_cores():
    assert limit_s(task=a_long_task(), device="cpu", threads=2) > limit_s(
        task=a_long_task(), device="cpu", threads=16
    )


def test_the_first_task_of_a_process_has_longer():
    assert limit_s(warm=False) - limit_s() == START_S


def test_a_process_that_is_gone_is_not_warm():
    time_limits = TimeLimits(Settings(device="cpu"))
    before = time_limits.limit_s(a_task())
    time_limits.warm(None)

    assert time_limits.limit_s(a_task()) == before


def test_a_farm_may_be_more_patient_and_has_a_ceiling():
    assert limit_s(task_timeout_scale=3.0) == 3 * limit_s()
    assert limit_s(task_timeout_s=5.0, warm=False) == 5.0
