"""The bytes that unfinished jobs will still write."""

from __future__ import annotations

import threading

from farm.errors import StorageError
from farm.job_store import JobStore
from farm.ledger import JobState, JobStatus, Ledger
from farm.spec.view_sizes import view_bytes


class Promises:
    """What the farm's storage must still have room for; safe between threads."""

    def __init__(self, ledger: Ledger, book: JobStore) -> None:
        self.ledger = ledger
        self.book = book
        self.sizes: dict[str, float] = {}
        self.lock = threading.Lock()

    def total_bytes(self) -> int:
        """Estimate the files of all views that are not rendered yet."""
        unfinished = [job for job in self.ledger.jobs() if is_unfinished(job)]
        with self.lock:
            self.sizes = {job.job_id: self._view_bytes(job.job_id) for job in unfinished}
            return round(sum(left(job) * self.sizes[job.job_id] for job in unfinished))

    def _view_bytes(self, job_id: str) -> float:
        """Estimate the files of one view of a job, whose spec is read once."""
        if job_id in self.sizes:
            return self.sizes[job_id]
        try:
            job = self.book.load(job_id)
        except StorageError:  # nobody here can render it either
            return 0.0
        return view_bytes(job) if job else 0.0


def is_unfinished(job: JobStatus) -> bool:
    """Say whether more views of a job will be rendered, now or once it is resumed."""
    return not job.over and job.state is not JobState.CANCELLING


def left(job: JobStatus) -> int:
    """Return how many views of a job are not rendered yet."""
    return max(job.views - job.views_done, 0)
