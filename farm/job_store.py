"""The specs of submitted jobs, on storage: with them any task can be made again."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Literal

from pydantic import ValidationError

from farm.errors import StorageError, UnreadableJobError
from farm.ledger import JobState, JobStatus, Ledger, TaskState
from farm.spec.base import Kept, first_reason
from farm.spec.job import Job
from farm.spec.job_name import JOB_ID_PATTERN
from farm.spec.recipes import RECIPES, unknown_recipe
from farm.spec.task import RenderTask
from farm.storage import Storage

FOLDER = "jobs"
CACHED_JOBS = 64
CONTROL_FILE_0_1 = "wish.json"
"""What the first release called `control.json`: read where the other is not there."""
JOB_ID = re.compile(JOB_ID_PATTERN)
RUNS = re.compile(r"([0-9]{1,12})-([0-9]{1,12})")
LOST = (TaskState.FAILED, TaskState.SET_ASIDE)
STOPPED: dict[JobState, Literal["paused", "cancelled"]] = {
    JobState.PAUSED: "paused",
    JobState.CANCELLING: "cancelled",
    JobState.CANCELLED: "cancelled",
}


class JobEnd(Kept):
    """How a job ended, when its datasets were finished last."""

    state: str
    done: int
    """Tasks."""
    failed: int
    """Tasks that failed or were set aside."""
    left_out: int = 0
    """Tasks that somebody left out."""


class JobControl(Kept):
    """What a user wants of a job beside its spec; it outlives the ledger."""

    priority: int = 0
    stopped: Literal["", "paused", "cancelled"] = ""
    owner: str = ""
    """Name of the token that submitted it; "" for jobs of before there were owners."""
    name: str = ""
    """What its owner calls it; "" where nobody gave it a name."""


class JobStore:
    """The jobs of a farm; recently used ones are kept in memory, since a job never changes."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.cache: OrderedDict[str, Job] = OrderedDict()
        self.names: dict[str, str] = {}
        self.recipes: dict[str, str] = {}
        self.owners: dict[str, str] = {}
        self.lock = threading.Lock()

    def save(self, job: Job) -> None:
        """Write a job down."""
        self.storage.put(spec_key(job.job_id), job.model_dump_json().encode())
        if job.adds is not None:
            job = job.with_added_tasks(partial(self.added_task, job.job_id))
        self._keep(job)

    def load(self, job_id: str) -> Job | None:
        """Return a job; None if it does not exist.

        Raises:
            UnreadableJobError: The stored job cannot be read here.
        """
        with self.lock:
            if job_id in self.cache:
                self.cache.move_to_end(job_id)
                return self.cache[job_id]
        key = spec_key(job_id)
        data = self.storage.get(key) if JOB_ID.fullmatch(job_id) else None
        if data is None:
            return None
        try:
            job = Job.model_validate_json(data)
        except ValidationError as error:
            reason = missing_recipe(data) or first_reason(error)
            raise UnreadableJobError(
                f"{key}: is not a job that this version can read: {reason}"
            ) from None
        if job.adds is not None:
            job = job.with_added_tasks(partial(self.added_task, job_id))
        self._keep(job)
        return job

    def save_added_task(self, job_id: str, task: RenderTask) -> None:
        """Write down a task that adds passes, which its job's spec alone does not make again."""
        self.storage.put(added_task_key(job_id, task.index), task.model_dump_json().encode())

    def added_task(self, job_id: str, index: int) -> RenderTask:
        """Return a task that adds passes.

        Raises:
            StorageError: It is not there, or another version wrote it.
        """
        key = added_task_key(job_id, index)
        data = self.storage.get(key)
        try:
            if data is not None:
                return RenderTask.model_validate_json(data)
            reason = "is missing"
        except ValidationError as error:
            reason = f"cannot be read by this version: {first_reason(error)}"
        raise StorageError(
            f"{self.storage.place}/{key}: {reason}; cancel the job and run farm add-passes again"
        )

    def note_addition(self, source: str, job_id: str) -> None:
        """Note that a job adds passes to the views of another."""
        self.storage.put(f"{additions_folder(source)}/{job_id}", b"\n")

    def additions(self, source: str) -> list[str]:
        """Return the jobs that have added passes to the views of a job, or are about to."""
        keys = self.storage.keys(additions_folder(source))
        return [job_id for key in keys if JOB_ID.fullmatch(job_id := key.rpartition("/")[2])]

    def name(self, job_id: str) -> str:
        """Return what a job is called that nobody gave a name: its dataset's name, or its id."""
        if job_id not in self.names:
            with contextlib.suppress(UnreadableJobError):  # the list shows it among the others
                self.load(job_id)
        return self.names.get(job_id, job_id)

    def recipe(self, job_id: str) -> str:
        """Return which recipe a job is of; "" where it cannot be read here."""
        if job_id not in self.recipes:
            with contextlib.suppress(UnreadableJobError):
                self.load(job_id)
        return self.recipes.get(job_id, "")

    def ids(self) -> Iterator[str]:
        """Yield the ids of all jobs."""
        after = ""
        while key := next(self.storage.keys(FOLDER, after=after), None):
            job_id = key.split("/")[1]
            if JOB_ID.fullmatch(job_id):
                yield job_id
            after = f"{FOLDER}/{job_id}0"  # sorts right after all that is under `<id>/`

    def delete(self, job_id: str) -> None:
        """Remove a job with its logs; its datasets stay."""
        if not JOB_ID.fullmatch(job_id):
            return
        self.storage.delete_tree(f"{FOLDER}/{job_id}")
        with self.lock:
            self.cache.pop(job_id, None)
            self.names.pop(job_id, None)
            self.recipes.pop(job_id, None)
            self.owners.pop(job_id, None)

    def end(self, job_id: str) -> JobEnd | None:
        """Return how a job ended when its datasets were finished last."""
        data = self.storage.get(end_key(job_id))
        try:
            return JobEnd.model_validate_json(data) if data else None
        except ValidationError:
            return None

    def save_end(self, job_id: str, end: JobEnd) -> None:
        """Note that a job's datasets are finished."""
        self.storage.put(end_key(job_id), end.model_dump_json().encode())

    def size(self, job_id: str) -> int | None:
        """Return the bytes of a job's datasets when they were finished last; None: not noted."""
        text = self.storage.get(size_key(job_id)) or b""
        return int(text) if text.isdigit() and len(text) < 20 else None

    def save_size(self, job_id: str, size_bytes: int) -> None:
        """Note how many bytes the datasets of a job have."""
        self.storage.put(size_key(job_id), str(size_bytes).encode())

    def control(self, job_id: str) -> JobControl:
        """Return what a user wants of a job; wishes that were never stated have their defaults."""
        data = self.storage.get(control_key(job_id))
        data = data or self.storage.get(f"{FOLDER}/{job_id}/{CONTROL_FILE_0_1}")
        try:
            return JobControl.model_validate_json(data) if data else JobControl()
        except ValidationError:
            return JobControl()

    def save_control(self, status: JobStatus) -> None:
        """Note what a user wants of a job, so that it is known when the ledger is lost."""
        said = {"priority": status.priority, "stopped": STOPPED.get(status.state, "")}
        said |= {"name": status.name} if status.name else {}  # an older ledger knows none
        self._update_control(status.job_id, said)

    def claim(self, job_id: str, owner: str) -> str:
        """Note whose a job is that is about to be saved; return whose it is.

        One that is on storage already, whatever the ledger knows, stays with whom it is.
        """
        if self.storage.size(spec_key(job_id)) is not None:
            return self.control(job_id).owner
        self._update_control(job_id, {"owner": owner})
        return owner

    def owner(self, job_id: str) -> str | None:
        """Return whose a job on storage is, "" for nobody; None where there is no such job."""
        if not JOB_ID.fullmatch(job_id):
            return None
        with self.lock:
            known = self.owners.get(job_id)
        if known is not None:
            return known
        if self.storage.size(spec_key(job_id)) is None:
            return None
        owner = self.control(job_id).owner
        with self.lock:
            self.owners[job_id] = owner
        return owner

    def _update_control(self, job_id: str, said: Mapping[str, object]) -> None:
        before = self.control(job_id)
        control = before.model_copy(update=said)
        if control != before:
            self.storage.put(control_key(job_id), control.model_dump_json().encode())

    def left_out(self, job_id: str) -> tuple[int, ...]:
        """Return the tasks that somebody left out of a job."""
        text = (self.storage.get(left_out_key(job_id)) or b"").decode("ascii", "replace")
        runs = RUNS.findall(text)
        return tuple(at for first, last in runs for at in range(int(first), int(last) + 1))

    def save_left_out(self, job_id: str, indices: Iterable[int]) -> None:
        """Note which tasks are left out of a job, so that it is known when the ledger is lost."""
        text = " ".join(f"{run[0]}-{run[-1]}" for run in runs_of(indices)).encode()
        if text != (self.storage.get(left_out_key(job_id)) or b""):
            self.storage.put(left_out_key(job_id), text)

    def count_restore(self, job_id: str) -> int:
        """Note that a job is restored to an emptied ledger; return how often it has been."""
        key = f"{FOLDER}/{job_id}/restored"
        text = self.storage.get(key) or b"0"
        count = int(text) + 1 if text.isdigit() else 1
        self.storage.put(key, str(count).encode())
        return count

    def _keep(self, job: Job) -> None:
        with self.lock:
            self.names[job.job_id] = job.spec.dataset_name or job.job_id
            self.recipes[job.job_id] = job.spec.recipe.kind
            self.cache[job.job_id] = job
            while len(self.cache) > CACHED_JOBS:
                self.cache.popitem(last=False)


def adding_to(ledger: Ledger, book: JobStore, source: str) -> Iterator[str]:
    """Yield the jobs that add passes to the views of a job and are not over and folded yet; one
    that a lost ledger does not know is among them.
    """
    for job_id in book.additions(source):
        status = ledger.job(job_id)
        if status is None:
            if book.load(job_id) is not None:
                yield job_id
        elif not status.over or book.end(job_id) != end_of(status):
            yield job_id


def end_of(job: JobStatus) -> JobEnd:
    """Return how a job that is over has ended."""
    return JobEnd(
        state=job.state.value,
        done=job.counts[TaskState.DONE],
        failed=sum(job.counts[state] for state in LOST),
        left_out=job.counts[TaskState.LEFT_OUT],
    )


def runs_of(indices: Iterable[int]) -> Iterator[range]:
    """Yield ascending numbers as what lies side by side."""
    run: range | None = None
    for index in indices:
        if run is not None and index == run.stop:
            run = range(run.start, index + 1)
            continue
        if run is not None:
            yield run
        run = range(index, index + 1)
    if run is not None:
        yield run


def spec_key(job_id: str) -> str:
    """Return the key of a job's spec and assets."""
    return f"{FOLDER}/{job_id}/spec.json"


def end_key(job_id: str) -> str:
    """Return the key of the note on how a job ended."""
    return f"{FOLDER}/{job_id}/end.json"


def size_key(job_id: str) -> str:
    """Return the key of the note on how large a job's datasets are."""
    return f"{FOLDER}/{job_id}/size"


def control_key(job_id: str) -> str:
    """Return the key of the note on what a user wants of a job."""
    return f"{FOLDER}/{job_id}/control.json"


def left_out_key(job_id: str) -> str:
    """Return the key of the note on which tasks are left out of a job."""
    return f"{FOLDER}/{job_id}/left-out"


def added_task_key(job_id: str, index: int) -> str:
    """Return the key of a task that adds passes."""
    return f"{FOLDER}/{job_id}/tasks/{index:010d}.json"


def additions_folder(job_id: str) -> str:
    """Return where it is noted which jobs add passes to the views of a job."""
    return f"{FOLDER}/{job_id}/additions"


def log_key(job_id: str, task_id: str, attempt: int) -> str:
    """Return the key of the log of an attempt."""
    return f"{FOLDER}/{job_id}/log/{task_id}.{attempt}.log"


def prefix_of(job_id: str) -> str:
    """Return the storage prefix of a job's datasets."""
    return f"datasets/{job_id}"


def missing_recipe(data: bytes) -> str | None:
    """Say which recipe a stored job is of, where that is not known here."""
    try:
        kind = json.loads(data)["spec"]["recipe"]["kind"]
    except (ValueError, LookupError, TypeError):
        return None
    if not isinstance(kind, str) or kind in RECIPES:
        return None
    return f"recipe.kind: {unknown_recipe(kind)}; install the package that brings it here, too"
