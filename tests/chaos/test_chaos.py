"""Faults drawn from a seed hit a whole farm; afterwards nothing is lost, and nothing is mixed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.spec.job import Job
from farm.spec.recipes.sod import SodAugmented
from tests.builders import a_job
from tests.chaos.farm import ChaosFarm
from tests.chaos.net import ProxyNet
from tests.chaos.report import shortcomings, table
from tests.chaos.schedule import KINDS, first_faults

SEEDS = sorted({1, int(os.environ.get("CHAOS_SEED", "1"))})
WORKERS = 3


def small_job(number: int) -> Job:
    recipe = SodAugmented(pitch=5, yaw_per_pitch=9)
    return a_job(models=4, hdrs=2, recipe=recipe, views_per_task=3, seed=number, dataset_name="x")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="it finds processes by /proc")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_whatever_dies(seed: int, tmp_path: Path) -> None:
    """Every kind of fault once, in the order of the seed, some while others are not over."""
    with ChaosFarm(tmp_path, ProxyNet(), workers=WORKERS, lease_ttl_s=2.5) as farm:
        farm.supply, farm.low_tasks = small_job, 60
        farm.submit(small_job(0))
        for fault in first_faults(seed, len(KINDS), workers=WORKERS, views_between=40):
            goal = farm.reader.views + fault.after_views
            farm.wait_for(lambda goal=goal: farm.reader.views >= goal, f"views before {fault.kind}")
            injection = farm.inject(fault)
            if fault.alone:
                farm.wait_for(lambda it=injection: it.recovered_s, f"recovery from {fault}")
        violations = farm.finish()
        print("\n".join(table(farm, violations, seed=seed)))
        wrong = shortcomings(farm, violations)

    assert not wrong, "\n".join(wrong)
