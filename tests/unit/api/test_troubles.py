from __future__ import annotations

import pytest

from farm import expand
from farm.api.troubles import AGAIN_S, FEW_ASSETS, Troubles, troubles
from farm.ledger import Ledger
from farm.ledger.stores.memory_store import MemoryStore
from tests.builders import a_job


@pytest.fixture
def ledger():
    return Ledger(MemoryStore())


def submitted(ledger, **spec):
    job = a_job(**spec)
    count = expand.count(job)
    ledger.add_job(job.job_id, tasks=count.tasks, views=count.views)
    return job


def fail(ledger, job, index, cause="asset", sentence="it is broken"):
    [ticket] = ledger.take_these(job.job_id, [index])
    ledger.claim(ticket, "w@host#1")
    ledger.fail(ticket, cause, sentence)


def told(ledger, job):
    return [
        (each.cause, each.asset, each.tasks)
        for each in troubles(ledger, job, ledger.job(job.job_id))
    ]


def test_what_failed_alike_is_told_apart_by_few_assets_and_not_by_many(ledger):
    job = submitted(ledger, models=FEW_ASSETS + 1, views_per_task=96)
    for index in range(FEW_ASSETS):
        fail(ledger, job, index)
    names = [asset.name for asset in job.of("models")]
    assert told(ledger, job) == [("asset", name, 1) for name in names[:-1]]

    fail(ledger, job, FEW_ASSETS)

    assert told(ledger, job) == [("asset", None, FEW_ASSETS + 1)]


def test_the_asset_that_a_sentence_names_is_to_blame(ledger):
    job = submitted(ledger, hdrs=2, views_per_task=96)
    sky = job.of("hdrs")[1].name
    fail(ledger, job, 0, sentence="it is black")
    fail(ledger, job, 1, sentence=f"{sky} is black")

    assert {asset for _, asset, _ in told(ledger, job)} == {job.of("models")[0].name, sky}


def test_what_was_left_out_comes_last_though_it_was_never_tried(ledger):
    job = submitted(ledger, models=2, views_per_task=96)
    ledger.leave_out(job.job_id, [1])
    fail(ledger, job, 0)

    names = [asset.name for asset in job.of("models")]
    assert told(ledger, job) == [("asset", names[0], 1), ("left out", names[1], 1)]


def test_troubles_are_grouped_again_when_some_came_or_went_or_after_a_while(ledger, monkeypatch):
    job = submitted(ledger, models=3, views_per_task=96)
    now, asked = [0.0], []
    kept = Troubles(clock=lambda: now[0])

    def count(*args):
        asked.append(args)
        return troubles(*args)

    monkeypatch.setattr("farm.api.troubles.troubles", count)

    def look():
        return len(kept.of(ledger, job, ledger.job(job.job_id)))

    fail(ledger, job, 0)
    assert (look(), look(), len(asked)) == (1, 1, 1)
    fail(ledger, job, 1, "render", "another")
    assert (look(), look(), len(asked)) == (2, 2, 2)
    ledger.retry_these(job.job_id, [0])
    assert look() == 2, "what is tried again is told until it is done"
    assert len(asked) == 3
    now[0] += AGAIN_S
    look()
    assert len(asked) == 4
