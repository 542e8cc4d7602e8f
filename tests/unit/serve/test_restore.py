from __future__ import annotations

import pytest

from farm import expand
from farm.expand import recipe
from farm.job_store import JobEnd, JobStore
from farm.ledger import JobState, Ledger, TaskState
from farm.ledger.stores.memory_store import MemoryStore
from farm.serve.restore import restore, restore_each
from farm.spec.recipes.sod import SodGrid
from farm.spec.task import records_key
from farm.storage import FolderStorage
from tests.builders import a_job
from tests.support.baking import BakingExpansion, keep
from tests.unit.dataset.records.test_resume import render


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


@pytest.fixture
def book(storage):
    return JobStore(storage)


@pytest.fixture
def job(book):
    """Two tasks of three views each."""
    job = a_job(recipe=SodGrid(yaw=6, pitch=1), views_per_task=3)
    job = job.model_copy(update={"prefix": f"datasets/{job.job_id}"})
    book.save(job)
    return job


def restored(storage, book):
    ledger = Ledger(MemoryStore())
    return ledger, restore(ledger, storage, book)


def test_a_lost_ledger_is_written_anew_from_storage(storage, book, job):
    first, second = expand.expand(job)
    render(storage, first, first.views)
    render(storage, second, second.views[:1])

    ledger, count = restored(storage, book)

    assert count == 1
    status = ledger.job(job.job_id)
    assert status.state is JobState.QUEUED
    assert (status.counts[TaskState.DONE], status.counts[TaskState.PENDING]) == (1, 1)
    assert (status.tasks, status.views, status.views_done) == (2, 6, 4)
    assert storage.get(records_key(second)), "the worker skips the view that is there"
    assert restore(ledger, storage, book) == 0, "twice is once"


def test_what_a_user_wants_of_a_job_outlives_the_ledger(storage, book, job):
    ledger, _ = restored(storage, book)
    ledger.set_priority(job.job_id, 50)
    ledger.pause(job.job_id)
    book.save_control(ledger.job(job.job_id))
    status = restored(storage, book)[0].job(job.job_id)
    assert (status.state, status.priority) == (JobState.PAUSED, 50)

    ledger.resume(job.job_id)
    book.save_control(ledger.job(job.job_id))
    status = restored(storage, book)[0].job(job.job_id)
    assert (status.state, status.priority) == (JobState.QUEUED, 50)

    ledger.cancel(job.job_id)
    book.save_control(ledger.job(job.job_id))
    assert restored(storage, book)[0].job(job.job_id).state is JobState.CANCELLING


def test_whose_a_job_is_outlives_the_ledger(storage, book):
    job = a_job(seed=7)
    book.claim(job.job_id, "ann")
    book.save(job)
    ledger, _ = restored(storage, book)
    assert ledger.job(job.job_id).owner == "ann"

    ledger.pause(job.job_id)
    book.save_control(ledger.job(job.job_id))
    assert restored(storage, book)[0].job(job.job_id).owner == "ann"


def test_what_a_job_is_called_outlives_the_ledger(storage, book, job):
    ledger, _ = restored(storage, book)
    ledger.rename(job.job_id, "office chairs")
    book.save_control(ledger.job(job.job_id))

    assert restored(storage, book)[0].job(job.job_id).name == "office chairs"
    assert not ledger.rename("0" * 12, "nobody")


def test_a_control_file_that_cannot_be_read_is_none(storage, book, job):
    storage.put(f"jobs/{job.job_id}/control.json", b"{")

    assert restored(storage, book)[0].job(job.job_id).state is JobState.QUEUED


def test_what_the_first_release_wrote_of_a_users_wishes_holds(storage, book, job):
    storage.put(f"jobs/{job.job_id}/wish.json", b'{"priority": 7, "stopped": "paused"}')

    status = restored(storage, book)[0].job(job.job_id)
    assert (status.state, status.priority) == (JobState.PAUSED, 7)


def test_no_ticket_is_like_one_of_a_ledger_before(storage, book, job):
    ledgers = [restored(storage, book)[0] for _ in range(2)]

    (first,), (second,) = (ledger.take(job.job_id, 1) for ledger in ledgers)

    assert first.index == second.index
    assert 1 < first.attempt < second.attempt
    assert ledgers[1].claim(second, "new")
    assert not ledgers[1].confirm(first)
    assert not ledgers[1].complete(first)
    ledgers[1].release(second)
    (again,) = ledgers[1].take(job.job_id, 1)
    assert again.attempt == second.attempt + 1


def test_what_was_found_is_told_job_by_job(storage, book, job):
    storage.put(f"jobs/{'0' * 12}/spec.json", b"{")
    render(storage, expand.render_task(job, 0), expand.render_task(job, 0).views)
    ledger = Ledger(MemoryStore())

    unreadable, found = restore_each(ledger, storage, book)

    assert "is not a job that this version can read" in unreadable.problem
    assert (found.restored, found.state, found.done, found.tasks) == (True, "queued", 1, 2)
    assert [each.restored for each in restore_each(ledger, storage, book)] == [False, False]


def test_a_job_that_was_done_is_done(storage, book, job):
    for task in expand.expand(job):
        render(storage, task, task.views)
    book.save_end(job.job_id, JobEnd(state="completed", done=2, failed=0))

    ledger, _count = restored(storage, book)

    assert ledger.settle(job.job_id) is JobState.COMPLETED


@pytest.mark.parametrize(
    ("ended", "state"),
    [
        ("cancelled", JobState.CANCELLING),
        ("completed", JobState.PAUSED),
        ("failed", JobState.PAUSED),
    ],
)
def test_a_job_that_had_ended_does_not_start_by_itself(storage, book, job, ended, state):
    book.save_end(job.job_id, JobEnd(state=ended, done=0, failed=2))

    ledger, _count = restored(storage, book)

    assert ledger.job(job.job_id).state is state


def test_a_spec_that_cannot_be_read_does_not_keep_others_from_it(storage, book, job):
    storage.put(f"jobs/{'0' * 12}/spec.json", b"{")

    ledger, count = restored(storage, book)

    assert count == 1
    assert ledger.job(job.job_id)


def test_a_restored_job_knows_what_is_made(storage, book, monkeypatch, tmp_path):
    expansion = BakingExpansion()
    monkeypatch.setattr(recipe, "expansion_of", lambda name: expansion)
    job = a_job(models=2)
    book.save(job)
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "poses.json").write_text("[1]")
    keep(storage, next(expand.products(job)), tmp_path / "made")

    ledger, _ = restored(storage, book)

    assert ledger.job(job.job_id).counts[TaskState.DONE] == 1
    given = ledger.take(job.job_id, 9, waits_for=expand.waits_for(job))
    assert [ticket.index for ticket in given] == list(range(1, 10)), "the first one's views, too"
