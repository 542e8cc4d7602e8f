"""A ledger that was lost, written anew from the specs and records on storage."""

from __future__ import annotations

import logging

from farm import expand
from farm.dataset.resume import find_finished, seed_partial_tasks
from farm.errors import SpecError, StorageError
from farm.jobs import JobBook
from farm.ledger import JobState, Ledger
from farm.spec.job import Job
from farm.storage import Storage

log = logging.getLogger(__name__)


def restore(ledger: Ledger, storage: Storage, book: JobBook) -> int:
    """Write down the jobs that the ledger does not know; return how many.

    A job goes on with what is missing of it. One that had ended before does not by itself: it is
    cancelled again, or paused. Priorities are lost.
    """
    known = {job.job_id for job in ledger.jobs()}
    count = 0
    for job_id in book.ids():
        if job_id in known:
            continue
        try:
            job = book.load(job_id)
            count += job is not None and restore_job(ledger, storage, book, job)
        except (SpecError, StorageError) as error:
            log.warning("job cannot be restored job=%s: %s", job_id, error)
    return count


def restore_job(ledger: Ledger, storage: Storage, book: JobBook, job: Job) -> bool:
    """Write a job down with what is done of it; False if somebody else just did.

    Raises:
        SpecError: Its datasets hold other pictures under its names.
    """
    found, size, end = find_finished(job, storage, log.warning), expand.count(job), None
    if len(found.tasks) < size.tasks:
        end = book.end(job.job_id)
        seed_partial_tasks(job, storage, {at: told for at, told in found.partial.items() if told})
    new = ledger.add_job(
        job.job_id,
        tasks=size.tasks,
        views=size.views,
        done=found.tasks,
        views_done=found.views_of_tasks,  # workers count those of the others
    )
    if new and end is not None:
        stop = ledger.cancel if end.state == JobState.CANCELLED else ledger.pause
        stop(job.job_id)
    if new:
        log.warning("job restored job=%s done=%d of %d", job.job_id, len(found.tasks), size.tasks)
    return new
