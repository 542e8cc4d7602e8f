"""The audit must be able to fail: each way to break a farm's results is named by its check."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from farm import expand
from farm.dataset.records.collect import DATASET_FILE
from farm.dataset.records.read import VIEWS_FILE
from farm.job_store import JobStore, prefix_of
from farm.ledger import Ledger
from farm.ledger.stores.memory_store import MemoryStore
from farm.serve.closing import Closer
from farm.spec.job import Job
from farm.spec.recipes.sod import SodAugmented
from farm.storage import PARTIAL_PREFIX, FolderStorage
from tests.builders import a_job
from tests.chaos.audit import CHECKS, Dataset, Evidence, audit
from tests.chaos.journal import Journal
from tests.chaos.renderer import NotedLease, Stamp, paint, picture
from worker.attempt.lease import LedgerLease


class Run:
    """A small farm that is done with its one job, before somebody breaks what it has left."""

    def __init__(self, folder: Path) -> None:
        self.storage = FolderStorage(folder / "storage")
        self.ledger = Ledger(MemoryStore())
        book = JobStore(self.storage)
        job = a_job(recipe=SodAugmented(pitch=1, yaw_per_pitch=4), views_per_task=2)
        self.job: Job = job.model_copy(update={"prefix": prefix_of(job.job_id)})
        book.save(self.job)
        self.ledger.add_job(job.job_id, tasks=2, views=4)
        journal = Journal(folder / "journal")
        for ticket in self.ledger.take(job.job_id, 2):
            self.ledger.claim(ticket, "w")
            task = expand.render_task(self.job, ticket.index)
            lease = NotedLease(LedgerLease(self.ledger, ticket), journal, task, 1, "w")
            paint(task, self.storage, attempt=1, worker="w", lease=lease)
            self.ledger.complete(ticket)
        journal.close()
        self.ledger.settle(job.job_id)
        Closer(self.ledger, self.storage, book).finish(job.job_id)

    def evidence(self, **told) -> Evidence:
        return Evidence(self.storage, self.ledger, [self.job], **told)

    @property
    def dataset(self) -> Dataset:
        return self.evidence().datasets[0]

    def file(self, name: str = "rgb", view: int = 0) -> Path:
        return self.dataset.folder / self.dataset.records[view].files[name].path

    def rewrite(self, change: Callable[[list[dict]], None]) -> None:
        path = self.dataset.folder / VIEWS_FILE
        records = [json.loads(line) for line in path.read_text().splitlines()]
        change(records)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def names(evidence: Evidence) -> set[str]:
    return {violation.name for violation in audit(evidence)}


def test_a_run_without_faults_passes(run):
    assert audit(run.evidence()) == []


def test_every_check_has_a_sentence_of_its_own():
    assert len({each.sentence for each in CHECKS}) == len(CHECKS)
    assert all(each.sentence.endswith(".") for each in CHECKS)


def test_a_view_that_is_missing_or_there_twice_is_named(run):
    run.rewrite(lambda records: records.pop())
    assert {"every_view_once", "counts_add_up"} <= names(run.evidence())

    run.rewrite(lambda records: records.append(records[0]))
    assert "every_view_once" in names(run.evidence())


def test_a_view_that_nobody_asked_for_is_named(run):
    run.rewrite(lambda records: records[0].update(view_id="another"))
    assert "every_view_once" in names(run.evidence())


def test_a_file_that_is_gone_or_differs_is_named(run):
    run.file().write_bytes(run.file("rgb", 1).read_bytes())
    assert "hashes_match" in names(run.evidence())

    run.file().unlink()
    assert "hashes_match" in names(run.evidence())


def test_a_view_of_two_attempts_is_named(run):
    run.file("mask").write_bytes(picture(Stamp(b"12345678", 2, b"abcdefgh"), 0))
    assert names(run.evidence()) == {"hashes_match", "one_attempt_per_view"}


def test_a_view_of_two_renders_of_one_attempt_is_named(run):
    run.file("mask").write_bytes(picture(Stamp(b"12345678", 1, b"abcdefgh"), 0))
    assert "one_attempt_per_view" in names(run.evidence())


def test_a_record_of_another_attempt_is_named(run):
    run.rewrite(lambda records: records[0].update(attempt=2))
    assert names(run.evidence()) == {"one_attempt_per_view"}


def test_a_picture_without_a_record_is_named(run):
    run.file().with_name("other.png").write_bytes(run.file().read_bytes())
    assert names(run.evidence()) == {"no_orphan"}


def test_a_partial_file_is_named(run):
    run.file().with_name(f"{PARTIAL_PREFIX}1234-x.png").write_bytes(b"half")
    assert names(run.evidence()) == {"no_partial_file"}


def test_a_record_that_was_never_folded_is_named(run):
    run.storage.put(f"{run.dataset.key}/.records/late.jsonl", b"")
    assert names(run.evidence()) == {"all_folded"}


def test_a_summary_that_counts_otherwise_is_named(run):
    path = run.dataset.folder / DATASET_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"views": 5}))
    assert names(run.evidence()) == {"counts_add_up"}


def test_a_ledger_that_counts_otherwise_is_named(run):
    run.ledger.store.add_meta(run.job.job_id, "views_done", 1)
    assert names(run.evidence()) == {"counts_add_up"}


def test_a_job_that_has_not_ended_is_named(run):
    run.storage.delete(f"jobs/{run.job.job_id}/end.json")
    assert names(run.evidence()) == {"jobs_completed"}


def test_a_job_that_nobody_remembers_is_named(run):
    run.ledger.forget(run.job.job_id)
    assert names(run.evidence()) == {"jobs_completed"}


def test_a_task_in_somebodys_hands_is_named(run):
    run.ledger.forget(run.job.job_id)
    run.ledger.add_job(run.job.job_id, tasks=2, views=4, done=[1], views_done=2)
    (ticket,) = run.ledger.take(run.job.job_id, 1)
    run.ledger.claim(ticket, "w")
    assert "nothing_held" in names(run.evidence())


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"leases": ["farm:worker:w0"]}, "nothing_held"),
        ({"queue_length": 1}, "queue_empty"),
        ({"processes": ["123 python"]}, "no_process_left"),
    ],
)
def test_what_goes_on_after_the_end_is_named(run, told, name):
    assert names(run.evidence(**told)) == {name}
