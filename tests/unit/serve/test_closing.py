from __future__ import annotations

import json

import pytest

from farm import expand
from farm.dataset.records.read import seed_records
from farm.job_store import JobStore
from farm.ledger import Ledger
from farm.ledger.stores.memory_store import MemoryStore
from farm.serve import closing
from farm.serve.closing import Closer, completeness
from farm.storage import FolderStorage
from tests.builders import a_job, a_record
from tests.support.waiting import wait_for


@pytest.fixture
def ledger():
    return Ledger(MemoryStore())


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


def a_submitted_job(ledger, storage, **spec):
    job = a_job(**spec)
    job = job.model_copy(update={"prefix": f"datasets/{job.job_id}"})
    JobStore(storage).save(job)
    count = expand.count(job)
    ledger.add_job(job.job_id, tasks=count.tasks, views=count.views)
    return job


def render(job, storage, ledger, index):
    """Leave records, but no pictures, of a task."""
    task = expand.render_task(job, index)
    seed_records(storage, task, [a_record(view).model_dump_json().encode() for view in task.views])
    (ticket,) = ledger.take(job.job_id, 1)
    ledger.claim(ticket, "w")
    ledger.complete(ticket)


def test_tasks_that_are_not_done_keep_their_records(ledger, storage, monkeypatch):
    job = a_submitted_job(ledger, storage, views_per_task=48)
    render(job, storage, ledger, 0)
    status = ledger.job(job.job_id)
    done, missing = (expand.render_task(job, index).task_id for index in (0, 1))

    is_complete = completeness(job, status, ledger)
    assert (is_complete(done), is_complete(missing)) == (True, False)
    monkeypatch.setattr(closing, "KNOWN_MISSING", 0)
    assert not completeness(job, status, ledger)(done), "nobody knows: nothing is tidied"


def test_a_job_that_could_not_be_finished_is_tried_again(ledger, storage, monkeypatch, caplog):
    monkeypatch.setattr(closing, "AGAIN_S", 0.01)
    job = a_submitted_job(ledger, storage, views_per_task=96, dataset_name="chairs")
    render(job, storage, ledger, 0)
    ledger.settle(job.job_id)
    in_the_way = storage.path(f"{job.prefix}/chairs/views.jsonl")
    in_the_way.mkdir()
    closer = Closer(ledger, storage, JobStore(storage))
    monkeypatch.setattr("farm.dataset.finish.contact_sheet", lambda *args, **more: b"a sheet")
    closer.start()
    closer.look_back()
    wait_for(lambda: "cannot be finished now" in caplog.text, "it failed once")
    in_the_way.rmdir()

    wait_for(lambda: closer.book.end(job.job_id), "it is finished")
    closer.stop()
    assert len(storage.get(f"{job.prefix}/chairs/views.jsonl").splitlines()) == 96
    assert storage.get(f"{job.prefix}/chairs/preview.jpg") == b"a sheet"


def test_a_job_that_goes_on_is_left_alone(ledger, storage):
    job = a_submitted_job(ledger, storage)
    closer = Closer(ledger, storage, JobStore(storage))
    closer.finish(job.job_id)
    closer.finish("0" * 12)

    assert closer.book.end(job.job_id) is None
    assert list(storage.keys("datasets")) == []


def test_a_dataset_says_what_was_left_out_and_no_more_once_it_is_there(
    ledger, storage, monkeypatch
):
    monkeypatch.setattr("farm.dataset.finish.contact_sheet", lambda *args, **more: b"a sheet")
    job = a_submitted_job(ledger, storage, views_per_task=48, dataset_name="chairs")
    render(job, storage, ledger, 0)
    (ticket,) = ledger.take(job.job_id, 1)
    ledger.claim(ticket, "w")
    ledger.fail(ticket, "asset", "chair.blend holds no surface")
    closer = Closer(ledger, storage, JobStore(storage))

    def finished():
        ledger.settle(job.job_id)
        closer.finish(job.job_id)
        told = json.loads(storage.get(f"{job.prefix}/chairs/dataset.json"))
        end = closer.book.end(job.job_id)
        return told["failures"], told.get("left_out"), (end.failed, end.left_out)

    title = expand.render_task(job, 1).title
    assert finished() == (["chair.blend holds no surface"], None, (1, 0))
    ledger.leave_out(job.job_id, [1])
    why = f"{title}, 48 views left out: chair.blend holds no surface"
    assert finished() == ([], [why], (0, 1))
    ledger.retry_these(job.job_id, [1])
    render(job, storage, ledger, 1)
    assert finished() == ([], None, (0, 0))
