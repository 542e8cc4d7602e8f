"""Passes for the views of a farm's job: planned from its records, written down as a job."""

from __future__ import annotations

import pytest

from farm.api.submission import additions
from farm.dataset.additions import adding_tasks
from farm.dataset.records.read import read_file
from farm.job_store import JobStore
from farm.ledger import Ledger, TaskState
from farm.ledger.stores.memory_store import MemoryStore
from farm.library import blob_key
from farm.serve.closing import Closer
from farm.serve.restore import restore
from farm.storage import open_storage
from tests.builders import a_record
from tests.integration.api.test_owners import Owned
from tests.integration.api.test_requests import problem
from tests.support.farms.rendered import render
from tests.support.leafing import leafed
from worker.render.writers.record_book import AdditionBook

VIEWS = 8
DEPTH = b"how far it is"


class Adding(Owned):
    """A farm on which `ann` has a job of four tasks, whose views are rendered and folded."""

    def __enter__(self):
        super().__enter__()
        for index in range(4):
            render(self, self.job, index)
        self.finish(self.job)
        return self

    def finish(self, job_id):
        """Do what the dispatcher does when a job has no task left."""
        self.ledger.settle(job_id)
        Closer(self.ledger, self.storage, self.services.book).finish(job_id)

    def ask(self, *passes, client=None, **more):
        wish = {"passes": passes, **more}
        return (client or self.ann).post(f"/v1/jobs/{self.job}/passes", json=wish)

    def begun(self, *passes, **more):
        answer = self.ask(*passes, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()["job"]["job_id"]

    def add(self, job_id, index=0):
        """Do what a worker does with a task: write what its views lack, extend their records."""
        task = self.services.book.added_task(job_id, index)
        [ticket] = self.ledger.take_these(job_id, [index])
        assert self.ledger.claim(ticket, "w0")
        book = AdditionBook(task, self.storage, ticket.attempt)
        for count, view in enumerate(task.views, 1):
            record = book.record_of(view)
            made = a_record(view, files=dict.fromkeys(task.adds.passes, DEPTH))
            for file in made.files.values():
                self.storage.put(f"{task.dataset}/{file.path}", DEPTH)
            book.add(record.model_copy(update={"files": record.files | made.files}))
            self.ledger.progress(ticket, count)
        assert self.ledger.complete(ticket)

    def passes(self):
        """Return which passes the views of the folded list have."""
        lines = read_file(self.storage, f"datasets/{self.job}/chairs/views.jsonl", print)
        return [set(line.record.files) for line in lines]


@pytest.fixture
def farm(redis_url, tmp_path, place):
    with Adding(redis_url, tmp_path, storage=open_storage(place)) as server:
        yield server


@pytest.fixture
def private(redis_url, tmp_path):
    with Adding(redis_url, tmp_path, shared=False) as server:
        yield server


def test_what_is_missing_is_a_job_whose_tasks_are_made_of_records(farm):
    plan = farm.ann.post(
        f"/v1/jobs/{farm.job}/passes", json={"passes": ["depth"]}, params={"validate_only": True}
    )
    before = farm.stored()

    job_id = farm.begun("depth")
    again = farm.ask("depth")

    assert (plan.status_code, plan.json()["job"]) == (200, None)
    assert (plan.json()["views"], plan.json()["missing"], plan.json()["tasks"]) == (VIEWS, VIEWS, 4)
    assert plan.json()["proofs"] == ["mask"]
    assert not any(job_id in key for key in before), "a plan keeps nothing"
    assert again.status_code == 200
    assert again.json()["job"]["job_id"] == job_id, "the same wish is the same job"
    task = farm.services.book.added_task(job_id, 0)
    assert task.job_id == job_id
    assert task.dataset == f"datasets/{farm.job}/chairs"
    assert (task.adds.passes, task.adds.proof) == (("depth",), ("mask",))
    assert [asset.role for asset in task.assets] == ["models"]
    info = farm.ann.get(f"/v1/jobs/{job_id}").json()
    assert (info["name"], info["owner"], info["views"]) == ("chairs+depth", "ann", VIEWS)
    assert info["adds_to"] == farm.job
    source = farm.ann.get(f"/v1/jobs/{farm.job}").json()
    assert source["added_by"] == [job_id]
    assert job_id in source["sentence"]


def test_others_go_on_while_all_records_of_a_job_are_read(farm, monkeypatch):
    def read(*args, **named):
        found = list(adding_tasks(*args, **named))
        assert farm.services.library_lock.acquire(timeout=120), "nobody could submit anything"
        farm.services.library_lock.release()
        assert farm.ann.delete(f"/v1/jobs/{farm.job}").status_code == 200
        return iter(found)

    monkeypatch.setattr(additions, "adding_tasks", read)
    answer = farm.ask("depth")

    assert answer.status_code == 404
    assert not list(farm.services.book.ids())


def test_what_is_added_is_folded_into_the_dataset_and_nothing_is_added_twice(farm):
    job_id = farm.begun("depth")
    for index in range(4):
        farm.add(job_id, index)
    farm.finish(job_id)

    assert farm.passes() == [{"rgb", "mask", "depth"}] * VIEWS
    nothing = farm.ask("depth", "mask")
    assert not any(".records" in key for key in farm.storage.keys(f"datasets/{farm.job}"))
    assert farm.ann.get(f"/v1/jobs/{job_id}").json()["state"] == "completed"
    assert "added_by" not in farm.ann.get(f"/v1/jobs/{farm.job}").json()
    assert (nothing.status_code, nothing.json()["missing"]) == (200, 0)
    assert nothing.json()["job"] is None
    assert farm.ask("index").json()["proofs"] == ["depth"], "what was added proves what comes next"
    assert farm.services.book.size(job_id) >= VIEWS * len(DEPTH)


def test_while_it_is_added_each_view_is_told_once_by_either_job(farm):
    job_id = farm.begun("depth")
    farm.add(job_id, 1)

    for name in (job_id, farm.job):
        cards = leafed(farm.ann, name)
        files = farm.ann.get(f"/v1/datasets/{name}/files").json()["items"]
        assert len({card["name"] for card in cards}) == len(cards) == VIEWS
        assert len({file["path"] for file in files}) == len(files)
        deep = [file["path"] for file in files if "/depth/" in file["path"]]
        assert len(deep) == 2
        assert farm.ann.get(f"/v1/datasets/{name}/files/{deep[0]}").content == DEPTH


def test_what_failed_or_was_cancelled_is_asked_for_anew(farm):
    first = farm.begun("depth")
    farm.add(first, 0)
    farm.ann.post(f"/v1/jobs/{first}/cancel")
    farm.finish(first)
    assert [("depth" in passes) for passes in farm.passes()].count(True) == 2

    second = farm.begun("depth")

    assert second != first
    assert farm.ledger.job(second).views == VIEWS - 2


def test_tasks_that_failed_are_retried_until_another_job_has_added_something(farm):
    first = farm.begun("depth")
    [ticket] = farm.ledger.take_these(first, [0])
    farm.ledger.claim(ticket, "w0")
    farm.ledger.fail(ticket, "changed", "its mask differs at 3 of 4,096 pixels")
    for index in (1, 2, 3):
        farm.add(first, index)
    farm.finish(first)
    assert farm.ledger.job(first).counts[TaskState.FAILED] == 1

    retried = farm.ann.post(f"/v1/jobs/{first}/retry")
    farm.add(first, 0)
    farm.finish(first)

    assert retried.json()["retried"] == 1
    assert farm.passes() == [{"rgb", "mask", "depth"}] * VIEWS
    farm.begun("index")
    told = problem(farm.ann.post(f"/v1/jobs/{first}/retry"), 409)
    assert f"farm add-passes farm:{farm.job} depth" in told["remedy"]


def test_one_job_at_a_time_adds_and_meanwhile_nothing_else_changes_the_views(farm):
    job_id = farm.begun("depth")

    other = problem(farm.ask("index"), 409)
    blender = problem(farm.ask("depth", any_blender=True), 409)
    retry = problem(farm.ann.post(f"/v1/jobs/{farm.job}/retry"), 409)
    tasks = problem(farm.ann.post(f"/v1/jobs/{farm.job}/tasks/retry", json={"indices": [0]}), 409)
    gone = problem(farm.ann.delete(f"/v1/jobs/{farm.job}"), 409)
    itself = problem(farm.ann.post(f"/v1/jobs/{job_id}/passes", json={"passes": ["uv"]}), 409)

    for told in (other, blender, retry, tasks, gone):
        assert job_id in told["detail"]
        assert f"farm cancel {job_id}" in told["remedy"]
    assert farm.job in itself["remedy"]
    farm.ann.post(f"/v1/jobs/{job_id}/cancel")
    farm.finish(job_id)
    assert farm.ann.delete(f"/v1/jobs/{farm.job}").status_code == 200
    assert farm.ann.get(f"/v1/jobs/{job_id}").status_code == 404, "it was nothing without it"
    assert not any(key.startswith(("jobs/", "datasets/")) for key in farm.storage.keys(""))


def test_what_cannot_be_added_is_refused_in_a_sentence(farm):
    running = farm.submit(farm.ann, seed=7)

    unknown = problem(farm.ask("depht"), 422)
    flow = problem(farm.ask("flow"), 422)
    early = problem(farm.ann.post(f"/v1/jobs/{running}/passes", json={"passes": ["depth"]}), 409)
    nobody = problem(farm.ann.post("/v1/jobs/abc/passes", json={"passes": ["depth"]}), 404)
    sha256 = farm.services.book.load(farm.job).assets[0].sha256
    farm.storage.delete(blob_key(sha256))
    lost = problem(farm.ask("depth"), 422)

    assert "'depht' is not one of" in unknown["detail"]
    assert "no neighbouring frames" in flow["detail"]
    assert "is queued" in early["detail"]
    assert "does not exist" in nobody["detail"]
    assert "chair.blend" in lost["detail"]
    assert sha256 in lost["detail"]
    assert "submit its job again" in lost["detail"]


def test_a_record_cannot_make_a_worker_take_what_its_owner_has_not_submitted(farm):
    """Renderers write records, and a stranger's file may have taken one over."""
    key = f"datasets/{farm.job}/chairs/views.jsonl"
    known = farm.services.book.load(farm.job).assets[0].sha256
    text = farm.storage.get(key)
    farm.storage.put(key, text.replace(known.encode(), b"5" * 64))

    told = problem(farm.ask("depth"), 422)

    assert f"is no asset of job {farm.job}" in told["detail"]


def test_only_its_owner_and_admins_add_to_a_job_within_the_owner_s_quota(private):
    hidden = private.ask("depth", client=private.bob)
    by_admin = private.ask("depth", client=private.admin)

    assert hidden.status_code == 404
    assert by_admin.json()["job"]["owner"] == "ann"
    listed = [job["job_id"] for job in private.ann.get("/v1/jobs").json()["items"]]
    assert by_admin.json()["job"]["job_id"] in listed


def test_views_of_a_day_count_these_too(redis_url, tmp_path):
    with Adding(redis_url, tmp_path, views_per_day=VIEWS) as farm:
        told = problem(farm.ask("depth"), 403)

        assert f"have submitted {VIEWS} today" in told["detail"]
        assert not farm.services.book.additions(farm.job)


def test_a_lost_ledger_gets_the_job_back_with_what_it_has_done(farm):
    job_id = farm.begun("depth")
    farm.add(job_id, 2)
    ledger, book = Ledger(MemoryStore()), JobStore(farm.storage)

    restore(ledger, farm.storage, book)
    Closer(ledger, farm.storage, book).finish(farm.job)

    found = ledger.job(job_id)
    assert (found.counts[TaskState.DONE], found.counts[TaskState.PENDING]) == (1, 3)
    assert (found.views_done, found.owner) == (2, "ann")
    left = AdditionBook(book.added_task(job_id, 0), farm.storage)
    assert left.record_of(book.added_task(job_id, 0).views[0]), "its records were not tidied away"


def test_the_pages_of_both_jobs_lead_to_each_other(farm):
    job_id = farm.begun("depth")
    farm.add(job_id, 0)
    browser = farm.client(None)
    code = farm.ann.get("/v1/sign-in-code").json()["code"]

    browser.get(f"/enter/{code}")
    source, adding = browser.get(f"/jobs/{farm.job}").text, browser.get(f"/jobs/{job_id}").text

    assert f'href="/jobs/{job_id}"' in source
    assert f'href="/jobs/{farm.job}"' in adding
    assert browser.get(f"/datasets/{job_id}").headers["location"] == f"/datasets/{farm.job}"
    names = [item["job_id"] for item in farm.ann.get("/v1/datasets").json()["items"]]
    assert names == [farm.job], "its dataset is that of the other"
