"""What must be true of a farm after its jobs, whatever happened: one check, one sentence."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from farm import expand
from farm.dataset.records.collect import DATASET_FILE
from farm.dataset.records.read import RECORDS_FOLDER, VIEWS_FILE
from farm.job_store import JobStore
from farm.ledger import JobState, JobStatus, Ledger, TaskState
from farm.spec.job import Job
from farm.spec.passes import PASS_FOLDERS
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask, view_id
from farm.storage import PARTIAL_PREFIX, FolderStorage
from tests.chaos.renderer import REAL, name_stamp, read_stamp

SHOWN = 5
"""So many examples of a violation are told."""


@dataclass
class Evidence:
    """What a run has left behind."""

    storage: FolderStorage
    ledger: Ledger
    jobs: Sequence[Job]
    queue_length: int = 0
    leases: Sequence[str] = ()
    """Names of the leases that are held, of workers and devices."""
    processes: Sequence[str] = ()
    """Command lines of the run's processes that live still."""
    datasets: list[Dataset] = field(init=False)

    def __post_init__(self) -> None:
        self.datasets = [Dataset(self, job) for job in self.jobs]

    @cached_property
    def statuses(self) -> dict[str, JobStatus | None]:
        return {job.job_id: self.ledger.job(job.job_id) for job in self.jobs}

    @cached_property
    def files(self) -> list[Path]:
        return [path for path in self.storage.root.rglob("*") if path.is_file()]


class Dataset:
    """The one dataset of a job, as it lies on storage."""

    def __init__(self, evidence: Evidence, job: Job) -> None:
        self.job = job
        (self.key,) = expand.datasets(job)
        self.folder = evidence.storage.root / self.key
        self.status = evidence.statuses[job.job_id]

    @cached_property
    def tasks(self) -> list[RenderTask]:
        return list(expand.expand(self.job))

    @cached_property
    def expected(self) -> dict[str, str]:
        """View id -> name."""
        return {view_id(task, view): view.name for task in self.tasks for view in task.views}

    @cached_property
    def records(self) -> list[ViewRecord]:
        path = self.folder / VIEWS_FILE
        lines = path.read_bytes().splitlines() if path.exists() else []
        return [ViewRecord.model_validate_json(line) for line in lines]

    @cached_property
    def summary(self) -> dict:
        path = self.folder / DATASET_FILE
        return json.loads(path.read_text()) if path.exists() else {}

    def bytes_of(self, path: str) -> bytes | None:
        full = self.folder / path
        return full.read_bytes() if full.exists() else None


class Check(NamedTuple):
    """One invariant: what it is called, what it says, and what finds where it does not hold."""

    name: str
    sentence: str
    find: Callable[[Evidence], Iterator[str]]


class Violation(NamedTuple):
    """An invariant that does not hold."""

    name: str
    sentence: str
    examples: tuple[str, ...]
    count: int

    def __str__(self) -> str:
        shown = "; ".join(self.examples)
        return f"{self.name}: {self.sentence} But {self.count} times not: {shown}"


CHECKS: list[Check] = []


def check(sentence: str) -> Callable[[Callable[[Evidence], Iterator[str]]], object]:
    """Make a function that yields what is wrong a check with a sentence."""

    def keep(find: Callable[[Evidence], Iterator[str]]) -> Callable[[Evidence], Iterator[str]]:
        CHECKS.append(Check(find.__name__, sentence, find))
        return find

    return keep


def audit(evidence: Evidence) -> list[Violation]:
    """Check every invariant; return those that do not hold."""
    found = {each: list(each.find(evidence)) for each in CHECKS}
    return [
        Violation(each.name, each.sentence, tuple(wrong[:SHOWN]), len(wrong))
        for each, wrong in found.items()
        if wrong
    ]


@check("Every view that was asked for is in the dataset exactly once, and no other view is.")
def every_view_once(evidence: Evidence) -> Iterator[str]:
    for dataset in evidence.datasets:
        times = Counter(record.view_id for record in dataset.records)
        for view, name in dataset.expected.items():
            if times[view] != 1:
                yield f"{dataset.key}/{name} is there {times[view]} times"
        for record in dataset.records:
            if record.view_id not in dataset.expected:
                yield f"{dataset.key}/{record.view.name} was not asked for"


@check("Every file of a record is there and has the size and the SHA-256 that the record says.")
def hashes_match(evidence: Evidence) -> Iterator[str]:
    for dataset in evidence.datasets:
        for record in dataset.records:
            for file in record.files.values():
                data = dataset.bytes_of(file.path)
                if data is None:
                    yield f"{dataset.key}/{file.path} is not there"
                elif (len(data), hashlib.sha256(data).hexdigest()) != (
                    file.size_bytes,
                    file.sha256,
                ):
                    yield f"{dataset.key}/{file.path} is not what attempt {record.attempt} wrote"


@check("No view is mixed from two attempts: all of its files and its record are from one render.")
def one_attempt_per_view(evidence: Evidence) -> Iterator[str]:
    for dataset in evidence.datasets:
        if dataset.job.assets[0].id.startswith(REAL):
            continue  # a picture says nothing of its render; its hashes do
        for record in dataset.records:
            found = {
                name: read_stamp(data)
                for name, file in record.files.items()
                if (data := dataset.bytes_of(file.path))
            }
            known = {(name_stamp(record.view.name), record.attempt)}
            told = {(stamp.view, stamp.attempt) for stamp in found.values()}
            if len(set(found.values())) > 1 or not told <= known:
                words = ", ".join(f"{name} of {stamp.attempt}" for name, stamp in found.items())
                yield f"{dataset.key}/{record.view.name}: {words}, record of {record.attempt}"


@check("Every picture and mask belongs to a record.")
def no_orphan(evidence: Evidence) -> Iterator[str]:
    for dataset in evidence.datasets:
        known = {file.path for record in dataset.records for file in record.files.values()}
        for folder in PASS_FOLDERS.values():
            for path in (dataset.folder / folder).rglob("*"):
                name = path.relative_to(dataset.folder).as_posix()
                partial = path.name.startswith(PARTIAL_PREFIX)
                if path.is_file() and not partial and name not in known:
                    yield f"{dataset.key}/{name}"


@check("No partial file is left on the storage.")
def no_partial_file(evidence: Evidence) -> Iterator[str]:
    for path in evidence.files:
        if path.name.startswith(PARTIAL_PREFIX):
            yield str(path.relative_to(evidence.storage.root))


@check("All records are folded: none is left beside `views.jsonl`.")
def all_folded(evidence: Evidence) -> Iterator[str]:
    for dataset in evidence.datasets:
        for path in (dataset.folder / RECORDS_FOLDER).rglob("*.jsonl"):
            yield str(path.relative_to(evidence.storage.root))


@check("The counts add up: tasks and views in the ledger, in `dataset.json` and in the records.")
def counts_add_up(evidence: Evidence) -> Iterator[str]:
    for dataset in evidence.datasets:
        size, status = expand.count(dataset.job), dataset.status
        job = dataset.job.job_id
        told = {
            "records": (len(dataset.records), size.views),
            "views of dataset.json": (dataset.summary.get("views"), size.views),
            "tasks of dataset.json": (dataset.summary.get("tasks"), size.tasks),
            "failures of dataset.json": (len(dataset.summary.get("failures", ())), 0),
            "bytes of dataset.json": (
                dataset.summary.get("size_bytes"),
                sum(file.size_bytes for each in dataset.records for file in each.files.values()),
            ),
        }
        if status is not None:
            told |= {
                "views of the ledger": (status.views, size.views),
                "views done of the ledger": (status.views_done, size.views),
                "tasks done of the ledger": (status.counts[TaskState.DONE], size.tasks),
                "tasks of all states": (sum(status.counts.values()), size.tasks),
            }
        for what, (is_, must) in told.items():
            if is_ != must:
                yield f"job {job}: {what}: {is_}, not {must}"


@check("Every job is completed, and how it ended is written on the storage.")
def jobs_completed(evidence: Evidence) -> Iterator[str]:
    book = JobStore(evidence.storage)
    for job_id, status in evidence.statuses.items():
        end = book.end(job_id)
        if status is None or status.state is not JobState.COMPLETED:
            yield f"job {job_id} is {status.state.value if status else 'unknown'} in the ledger"
        if end is None or end.state != JobState.COMPLETED:
            yield f"job {job_id} is {end.state if end else 'not ended'} on the storage"


@check("Nobody holds a task: nothing is queued or running, and no lease is held.")
def nothing_held(evidence: Evidence) -> Iterator[str]:
    for job_id, status in evidence.statuses.items():
        if status is None:
            continue
        held = [*evidence.ledger.running(job_id), *evidence.ledger.queued(job_id)]
        yield from (f"{each.ticket} by {each.worker or 'the queue'}" for each in held)
    yield from evidence.leases


@check("The queue is empty.")
def queue_empty(evidence: Evidence) -> Iterator[str]:
    if evidence.queue_length:
        yield f"{evidence.queue_length} messages wait"


@check("No process of the run is left.")
def no_process_left(evidence: Evidence) -> Iterator[str]:
    yield from evidence.processes


def processes_with(marker: str, *, but: Iterable[int] = ()) -> list[str]:
    """Return the processes whose environment holds `marker`."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) in but:
            continue
        try:
            if marker.encode() in (folder / "environ").read_bytes():
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found.append(f"{folder.name} {words[:120]}")
        except OSError:  # gone meanwhile
            continue
    return found
