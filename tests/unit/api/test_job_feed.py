from __future__ import annotations

import asyncio

import pytest

from farm.api.job_feed import FeedSubscriber, JobFeed, Speeds
from farm.api.jobs import job_info, newest_failures
from farm.errors import SpecError
from farm.expand import recipe
from farm.expand.sod import SodExpansion
from farm.job_store import JobStore
from farm.ledger import Ledger
from farm.ledger.stores.memory_store import MemoryStore
from farm.storage import FolderStorage
from tests.builders import a_job


@pytest.fixture
def ledger():
    found = Ledger(MemoryStore())
    found.add_job("job", tasks=10, views=100)
    return found


def status(ledger, views_done):
    return ledger.job("job").model_copy(update={"views_done": views_done})


def test_the_speed_is_that_of_the_last_minute(ledger):
    speeds = Speeds()
    assert speeds.note(status(ledger, 0), now_s=0) is None
    assert speeds.note(status(ledger, 50), now_s=10) == 5
    for second in range(11, 200):
        rate = speeds.note(status(ledger, 50 + (second - 10)), now_s=second)

    assert rate == pytest.approx(1, rel=0.05)


def test_views_that_are_taken_back_make_no_negative_speed(ledger):
    speeds = Speeds()
    speeds.note(status(ledger, 10), now_s=0)
    speeds.note(status(ledger, 20), now_s=5)

    assert speeds.note(status(ledger, 12), now_s=10) is None
    assert speeds.note(status(ledger, 22), now_s=15) == 2


def test_jobs_that_are_gone_are_forgotten(ledger):
    speeds = Speeds()
    speeds.note(status(ledger, 0), now_s=0)
    speeds.keep([])

    assert speeds.samples == {}


def test_the_time_left_leaves_out_what_will_never_come(ledger, tmp_path):
    (ticket,) = ledger.take("job", 1)
    ledger.claim(ticket, "w")
    ledger.fail(ticket, "asset", "empty")
    book = JobStore(FolderStorage(tmp_path))
    info = job_info(ledger, book, ledger.job("job"), views_per_s=2.0)

    assert info.eta_s == 45
    assert info.failures == ("task 0: empty",)


def test_of_very_many_failures_some_are_read(ledger, monkeypatch):
    monkeypatch.setattr("farm.api.jobs.READ_FAILURES", 2)
    for ticket in ledger.take("job", 5):
        ledger.claim(ticket, "w")
        ledger.fail(ticket, "asset", f"empty {ticket.index}")
    monkeypatch.setattr(ledger, "failures", lambda job_id: pytest.fail("there are too many"))

    told = newest_failures(ledger, ledger.job("job"))

    assert told == ("task 1: empty 1", "task 0: empty 0")


def test_a_job_that_cannot_be_read_here_is_told_of_like_the_others(ledger, tmp_path):
    storage = FolderStorage(tmp_path)
    storage.put("jobs/job/spec.json", b'{"spec": {"recipe": {"kind": "bench"}}}')

    info = job_info(ledger, JobStore(storage), ledger.job("job"))

    assert (info.name, info.tasks) == ("job", ledger.job("job").tasks)


def test_a_job_whose_recipe_fails_is_told_of_like_the_others(ledger, tmp_path, monkeypatch):
    class Broken(SodExpansion):
        def makers(self, job):
            raise SpecError("recipe 'bench': ZeroDivisionError: division by zero")

    monkeypatch.setattr(recipe, "expansion_of", lambda _recipe: Broken())
    book, job = JobStore(FolderStorage(tmp_path)), a_job()
    book.save(job.model_copy(update={"job_id": "job"}))

    assert job_info(ledger, book, ledger.job("job")).state == "queued"


def test_a_listener_whose_job_came_while_all_were_read_stays(ledger, tmp_path, monkeypatch):
    feed, late, read = JobFeed(ledger, JobStore(FolderStorage(tmp_path))), [], ledger.jobs

    def jobs():
        found = read()
        if not late:
            ledger.add_job("late", tasks=1, views=1)
            late.append(FeedSubscriber("late"))
            feed.subscribers.add(late[0])
        return found

    monkeypatch.setattr(ledger, "jobs", jobs)
    asyncio.run(feed._look())
    assert not late[0].ended
    asyncio.run(feed._look())
    assert list(late[0].news) == ["late"]
    ledger.store.remove("late")
    asyncio.run(feed._look())
    assert late[0].ended
