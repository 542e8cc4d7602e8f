from __future__ import annotations

import json

import pytest

from farm.errors import StorageError, UnreadableJobError
from farm.job_store import CACHED_JOBS, JobEnd, JobStore
from farm.storage import FolderStorage
from tests.builders import a_job


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


def test_a_job_is_found_again_by_any_process(storage):
    job = a_job(dataset_name="chairs")
    JobStore(storage).save(job)

    assert JobStore(storage).load(job.job_id) == job
    assert JobStore(storage).name(job.job_id) == "chairs"


def test_a_job_without_a_name_is_called_by_its_id(storage):
    job = a_job()
    JobStore(storage).save(job)

    assert JobStore(storage).name(job.job_id) == job.job_id


def test_jobs_that_were_asked_for_are_not_read_again(storage, monkeypatch):
    job = a_job()
    book = JobStore(storage)
    book.save(job)
    monkeypatch.setattr(storage, "get", lambda key: pytest.fail("it was known"))

    assert book.load(job.job_id) == job


def test_memory_does_not_grow_with_the_jobs(storage):
    book = JobStore(storage)
    for seed in range(CACHED_JOBS + 5):
        book.save(a_job(seed=seed))

    assert len(book.cache) == CACHED_JOBS
    assert len(list(book.ids())) == CACHED_JOBS + 5


def test_every_job_is_listed_once_whatever_lies_beside_its_spec(storage):
    book = JobStore(storage)
    jobs = [a_job(seed=seed) for seed in range(3)]
    for job in jobs:
        book.save(job)
        storage.put(f"jobs/{job.job_id}/log/a.1.log", b"")
    storage.put("jobs/README", b"")

    assert sorted(book.ids()) == sorted(job.job_id for job in jobs)


def test_a_deleted_job_is_forgotten_with_its_logs(storage):
    book, job = JobStore(storage), a_job()
    book.save(job)
    storage.put(f"jobs/{job.job_id}/log/a.1.log", b"")
    book.delete(job.job_id)

    assert book.load(job.job_id) is None
    assert list(storage.keys("jobs")) == []


@pytest.mark.parametrize("job_id", ["..", "../auth", "", "x"])
def test_an_id_that_is_none_leads_nowhere(storage, job_id):
    storage.put("auth/spec.json", b"{}")
    book = JobStore(storage)
    book.delete(job_id)

    assert book.load(job_id) is None
    assert storage.get("auth/spec.json") == b"{}"


def test_a_spec_of_another_version_is_said_to_be_one(storage):
    storage.put(f"jobs/{'0' * 12}/spec.json", b'{"version": 9}')

    with pytest.raises(StorageError, match="is not a job that this version can read"):
        JobStore(storage).load("0" * 12)


def test_how_a_job_ended_is_kept(storage):
    book, end = JobStore(storage), JobEnd(state="completed", done=3, failed=1)
    assert book.end("0" * 12) is None
    book.save_end("0" * 12, end)

    assert book.end("0" * 12) == end


def test_a_job_of_a_recipe_that_is_gone_has_its_id_for_a_name_and_says_what_to_install(storage):
    """A list of jobs shows it among the others."""
    book, job = JobStore(storage), a_job()
    data = job.model_dump(mode="json")
    data["spec"]["recipe"] = {"kind": "bench", "rows": 3}
    storage.put(f"jobs/{job.job_id}/spec.json", json.dumps(data).encode())

    assert book.name(job.job_id) == job.job_id
    with pytest.raises(
        UnreadableJobError, match=r"'bench' is not one of 'script', 'sequence', 'sod', 'tabletop'"
    ):
        book.load(job.job_id)


def test_a_job_belongs_to_whom_it_was_saved_for_first(storage):
    job = a_job()
    book = JobStore(storage)

    assert book.claim(job.job_id, "ann") == "ann"
    book.save(job)

    assert JobStore(storage).claim(job.job_id, "bob") == "ann", "the ledger may have been lost"
    assert book.control(job.job_id).owner == "ann"


def test_a_job_of_before_there_were_owners_gets_none_by_being_submitted_again(storage):
    job = a_job()
    JobStore(storage).save(job)

    assert JobStore(storage).claim(job.job_id, "bob") == ""


def test_a_deleted_job_may_be_anybodys(storage):
    job, book = a_job(), JobStore(storage)
    book.claim(job.job_id, "ann")
    book.save(job)
    book.delete(job.job_id)

    assert book.claim(job.job_id, "bob") == "bob"


@pytest.mark.parametrize("indices", [(), (0,), (3, 4, 5), (0, 2, 3, 9, 11, 12)])
def test_what_is_left_out_of_a_job_is_kept_in_few_bytes(storage, indices):
    book = JobStore(storage)

    book.save_left_out("0123456789ab", indices)

    assert JobStore(storage).left_out("0123456789ab") == indices
    book.save_left_out("0123456789ab", range(1_000_000))
    assert storage.size("jobs/0123456789ab/left-out") < 20


def test_nothing_is_left_out_of_a_job_of_which_nothing_is_known(storage):
    storage.put("jobs/0123456789ab/left-out", b"\xff rubbish 7")

    assert JobStore(storage).left_out("0123456789ab") == ()
    assert JobStore(storage).left_out("ffffffffffff") == ()
