"""A lost ledger, rebuilt from the specs and records on storage."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

from farm import expand
from farm.dataset.additions import find_added
from farm.dataset.records.resume import find_finished, seed_partial_tasks
from farm.errors import SpecError, StorageError
from farm.job_store import JobStore
from farm.ledger import JobState, Ledger, TaskState
from farm.spec.job import Job
from farm.storage import Storage

log = logging.getLogger(__name__)

GENERATION = 10_000_000
"""More attempts than a task ever has: no ticket of a lost ledger equals a restored one."""


class Found(NamedTuple):
    """A job on storage, and the result of restoring it."""

    job_id: str
    name: str
    state: str
    """State in the ledger now; empty if it cannot be restored."""
    done: int = 0
    """Tasks."""
    tasks: int = 0
    restored: bool = False
    problem: str = ""


def restore(ledger: Ledger, storage: Storage, book: JobStore) -> int:
    """Restore the jobs that the ledger does not know; return how many."""
    count = 0
    for found in restore_each(ledger, storage, book):
        count += found.restored
        if found.problem:
            log.warning("job cannot be restored job=%s: %s", found.job_id, found.problem)
        elif found.restored:
            log.warning("job restored job=%s done=%d of %d", found.job_id, found.done, found.tasks)
    return count


def restore_each(ledger: Ledger, storage: Storage, book: JobStore) -> Iterator[Found]:
    """Restore the jobs that the ledger does not know; yield all jobs on storage, one by one.

    An unfinished job continues with its missing views. One that had ended does not by itself: it is
    cancelled again, or paused. Why tasks had failed is lost; their logs are on storage.
    """
    for job_id in book.ids():
        new, problem = False, ""
        try:
            if ledger.job(job_id) is None and (job := book.load(job_id)) is not None:
                new = restore_job(ledger, storage, book, job)
        except (SpecError, StorageError) as error:
            problem = str(error)
        status = ledger.job(job_id)
        if status is None:
            if problem:
                yield Found(job_id, job_id, state="", problem=problem)
            continue
        done = status.counts[TaskState.DONE]
        yield Found(
            job_id, status.name or book.name(job_id), status.state.value, done, status.tasks, new
        )


def restore_job(ledger: Ledger, storage: Storage, book: JobStore, job: Job) -> bool:
    """Write a job down with its finished tasks; False if another process just did.

    Raises:
        SpecError: Its datasets hold different pictures under its names.
    """
    if job.stream is not None:
        return give_up_stream(ledger, book, job)
    if job.adds is not None:
        found = find_added(job, storage, log.warning)
    else:
        found = find_finished(job, storage, log.warning)
    size, end = expand.count(job), None
    if len(found.tasks) < size.tasks:
        end = book.end(job.job_id)
        seed_partial_tasks(job, storage, {at: told for at, told in found.partial.items() if told})
    control = book.control(job.job_id)
    new = ledger.add_job(
        job.job_id,
        tasks=size.tasks,
        views=size.views,
        priority=control.priority,
        owner=control.owner,
        name=control.name,
        recipe=job.spec.recipe.kind,
        done=found.tasks,
        views_done=found.views_of_tasks,
        kept=found.kept,
        attempts=GENERATION * book.count_restore(job.job_id),
    )
    if new and (left_out := book.left_out(job.job_id)):
        ledger.leave_out(job.job_id, [at for at in left_out if at < size.tasks])
    if new and (end is not None or control.stopped):
        cancelled = end.state == JobState.CANCELLED if end else control.stopped == "cancelled"
        stop = ledger.cancel if cancelled else ledger.pause
        stop(job.job_id)
    return new


def give_up_stream(ledger: Ledger, book: JobStore, job: Job) -> bool:
    """Write down that a stream was lost: its samples, and who had which, were in Redis alone."""
    size = expand.count(job)
    new = ledger.add_job(
        job.job_id,
        tasks=size.tasks,
        views=size.views,
        attempts=GENERATION * book.count_restore(job.job_id),
        owner=book.control(job.job_id).owner,
        recipe=job.spec.recipe.kind,
    )
    if new:
        ledger.cancel(job.job_id)
    return new
