"""The end of a job on the farm: its datasets are merged, summed up and drawn."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

from farm import expand
from farm.dataset.additions import fold_datasets
from farm.dataset.finish import finish_dataset
from farm.dataset.reader import Dataset
from farm.dataset.records.collect import FinishedRun, RunFacts
from farm.dataset.records.conflicts import settle_conflicts
from farm.dataset.records.read import has_records
from farm.errors import DamagedLedgerError, StorageError, UnreachableError
from farm.job_store import FOLDER, LOST, JobStore, adding_to, end_of, prefix_of
from farm.ledger import JobState, JobStatus, Ledger, TaskState, TaskStory
from farm.serve.restore import restore
from farm.spec.counted import counted
from farm.spec.job import Job
from farm.spec.task import RenderTask
from farm.storage import Storage

log = logging.getLogger(__name__)

TOLD_FAILURES = 1000
"""Most failed tasks of a job that `dataset.json` lists."""
KNOWN_MISSING = 10_000
"""Most missing tasks with which record files are tidied away: finding more takes long."""
AGAIN_S = 60.0
"""Pause before a job that could not be finished, such as when storage is full, is tried again."""


class Closer:
    """A thread that finishes the datasets of jobs that are over, so that feeding continues."""

    def __init__(self, ledger: Ledger, storage: Storage, book: JobStore) -> None:
        self.ledger = ledger
        self.storage = storage
        self.book = book
        self.stopping = threading.Event()
        self.looking_back = threading.Event()
        self.waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.again: dict[str, float] = {}
        self.thread = threading.Thread(target=self._run, name="closer", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """End after the current dataset; the rest is done after the next start."""
        self.stopping.set()
        self.waiting.put(None)
        self.thread.join()

    def close(self, job_id: str) -> None:
        """Finish a job that is over, soon."""
        self.waiting.put(job_id)

    def look_back(self) -> None:
        """Catch up soon with what happened while no dispatcher ran, or to the ledger."""
        self.looking_back.set()
        self.waiting.put(None)

    def catch_up(self) -> None:
        """Restore the jobs of a lost ledger; finish jobs that ended while no dispatcher ran."""
        restore(self.ledger, self.storage, self.book)
        for job in self.ledger.jobs():
            if job.over and self.book.end(job.job_id) != end_of(job):
                self.close(job.job_id)

    def _run(self) -> None:
        while not self.stopping.is_set():
            if self.looking_back.is_set():
                self._look_back()
            for job_id in self._due():
                try:
                    self.finish(job_id)
                except DamagedLedgerError as error:
                    self.ledger.sparing.on_damage(error)
                except Exception:  # the door: one job must not keep the others from their end
                    log.exception("job cannot be finished now, trying again later job=%s", job_id)
                    self.again[job_id] = time.monotonic() + AGAIN_S

    def _look_back(self) -> None:
        self.looking_back.clear()
        try:
            self.catch_up()
        except (UnreachableError, StorageError) as error:
            log.warning("%s; jobs that ended meanwhile are finished later", error)
            self.stopping.wait(AGAIN_S / 60)
            self.look_back()
        except DamagedLedgerError as error:
            self.ledger.sparing.on_damage(error)
        except Exception:  # the door: what one job has must not end the thread for all
            log.exception("jobs that ended meanwhile could not all be checked")

    def _due(self) -> Iterator[str]:
        try:
            job_id = self.waiting.get(timeout=AGAIN_S / 4 if self.again else None)
        except queue.Empty:
            job_id = None
        if job_id is not None:
            yield job_id
        now_s = time.monotonic()
        for late in [name for name, due_s in self.again.items() if due_s <= now_s]:
            del self.again[late]
            yield late

    def finish(self, job_id: str) -> None:
        """Finish the datasets of a job, if it is over, in this thread."""
        job, status = self.book.load(job_id), self.ledger.job(job_id)
        if job is None or status is None or not status.over:
            return
        if job.stream is not None:  # nothing of it is stored
            self.book.save_end(job_id, end_of(status))
            return
        if job.adds is not None:
            finish_additions(self.ledger, self.storage, self.book, job, status)
            return
        is_added_to = any(adding_to(self.ledger, self.book, job_id))
        if not is_added_to and self._reopen_broken(job):
            return  # it is finished when they are done
        self._finish_datasets(
            job, status, nothing if is_added_to else completeness(job, status, self.ledger)
        )

    def _finish_datasets(
        self, job: Job, status: JobStatus, is_complete: Callable[[str], bool]
    ) -> None:
        job_id = job.job_id
        log.info("finishing datasets job=%s", job_id)
        self.storage.sweep(f"{FOLDER}/{job_id}")
        for dataset, facts in dataset_facts(job, status, self.ledger):
            if self.stopping.is_set() or self.ledger.job(job_id) is None:
                return
            if facts.failures or facts.left_out or has_records(self.storage, dataset):
                run = FinishedRun(facts, is_complete, report=log.warning)
                finish_dataset(self.storage, dataset, run)
        if self.ledger.job(job_id) is not None:
            self.book.save_size(job_id, own_bytes(self.storage, self.book, job, of=job_id))
            self.book.save_end(job_id, end_of(status))
            log.info("datasets finished job=%s", job_id)

    def _reopen_broken(self, job: Job) -> bool:
        """Put back tasks with a view that two attempts have written; say whether there are any."""
        broken: set[str] = set()
        for dataset in expand.datasets(job):
            broken |= settle_conflicts(self.storage, dataset, log.warning)
        tasks = [task for task in expand.expand(job) if task.task_id in broken] if broken else []
        for task in tasks:
            self.ledger.reopen(job.job_id, task.index, views=len(task.views))
        return bool(tasks)


def nothing(_task_id: str) -> bool:
    """Say that no task is complete: another job still works on the records that lie there."""
    return False


def finish_additions(
    ledger: Ledger, storage: Storage, book: JobStore, job: Job, status: JobStatus
) -> None:
    """Fold what a job has added to views of another into the lists of its datasets."""
    assert job.adds is not None
    source = job.adds.source
    if book.load(source) is None:  # it was deleted with its datasets
        return
    log.info("folding added passes job=%s source=%s", job.job_id, source)
    storage.sweep(f"{FOLDER}/{job.job_id}")
    data = Dataset(storage, job.adds.datasets, broken=log.warning)
    done = completeness(job, status, ledger)
    over = status.state is not JobState.COMPLETED  # then nobody tries its tasks again
    fold_datasets(
        data.summaries,
        storage,
        job.adds.datasets,
        log.warning,
        is_complete=lambda task_id: over or done(task_id),
    )
    if ledger.job(job.job_id) is not None:
        book.save_size(job.job_id, own_bytes(storage, book, job, of=source))
        book.save_end(job.job_id, end_of(status))
        log.info("added passes folded job=%s source=%s", job.job_id, source)


def own_bytes(storage: Storage, book: JobStore, job: Job, *, of: str) -> int:
    """Return the bytes that a job itself has in datasets which others may have added to.

    Args:
        storage: Where they are.
        book: Knows what others take.
        job: Whose share is asked for.
        of: The job that rendered their views.
    """
    taken = sum(entry.size_bytes for entry in storage.entries(prefix_of(of)))
    others = [name for name in (of, *book.additions(of)) if name != job.job_id]
    return max(taken - sum(book.size(name) or 0 for name in others), 0)


def dataset_facts(job: Job, status: JobStatus, ledger: Ledger) -> Iterator[tuple[str, RunFacts]]:
    """Yield every dataset of a job with the facts that only the ledger has."""
    failures: dict[str, dict[str, None]] = defaultdict(dict)
    for story in ledger.tasks(status, LOST, start=0, limit=TOLD_FAILURES):
        dataset = expand.render_task(job, story.index).dataset
        failures[dataset][story.attempts[-1].sentence] = None
    left_out = defaultdict[str, list[str]](list)
    for story in ledger.tasks(status, [TaskState.LEFT_OUT], start=0, limit=TOLD_FAILURES):
        task = expand.render_task(job, story.index)
        left_out[task.dataset].append(left_out_words(task, story))
    spec = job.spec.model_dump(mode="json")
    seconds = ledger.now_s() - status.created_s
    for dataset in expand.datasets(job):
        yield (
            dataset,
            RunFacts(
                name=dataset_name(job, dataset),
                spec=spec,
                tasks=status.tasks,
                failures=tuple(failures.get(dataset, ())),
                left_out=tuple(left_out.get(dataset, ())),
                seconds=seconds,
            ),
        )


def left_out_words(task: RenderTask, story: TaskStory) -> str:
    """Say which task was left out, and what had gone wrong with it, if anything."""
    why = f": {story.attempts[-1].sentence}" if story.attempts else ""
    return f"{task.title}, {counted(len(task.views), 'view')} left out{why}"


def dataset_name(job: Job, dataset: str) -> str:
    """Return a dataset's name for people."""
    inner = dataset.removeprefix(job.prefix).strip("/")
    return inner or job.spec.dataset_name or job.job_id


def completeness(job: Job, status: JobStatus, ledger: Ledger) -> Callable[[str], bool]:
    """Return a function that says whether all views of a task id are done."""
    missing = status.tasks - status.counts[TaskState.DONE]
    if missing > KNOWN_MISSING:
        return lambda task_id: False
    not_done = frozenset(TaskState) - {TaskState.DONE}
    stories = ledger.tasks(status, not_done, start=0, limit=missing) if missing else []
    waiting = {expand.render_task(job, story.index).task_id for story in stories}
    return lambda task_id: task_id not in waiting
