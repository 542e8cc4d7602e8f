"""The one watch on the ledger that all listeners share; it knows how fast jobs progress."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from starlette.concurrency import run_in_threadpool

from farm.api.jobs import job_info
from farm.errors import StorageError, UnreachableError
from farm.job_store import JobStore
from farm.ledger import JobStatus, Ledger
from farm.spec.wire import JobInfo

log = logging.getLogger(__name__)

WATCHED_S = 0.25
UNWATCHED_S = 2.0
SHARE = 0.1
"""Largest share of time that the watch takes, however many jobs there are."""


class FeedSubscriber:
    """A listener for news of one job, or of all; only the newest of each job counts."""

    def __init__(
        self, job_id: str | None, may_see: Callable[[JobInfo], bool] = lambda _info: True
    ) -> None:
        self.job_id = job_id
        self.may_see = may_see
        self.news: dict[str, JobInfo] = {}
        self.wake = asyncio.Event()
        self.ended = False

    def tell(self, info: JobInfo) -> None:
        if self.job_id in (None, info.job_id) and self.may_see(info):
            self.news[info.job_id] = info
            self.wake.set()

    def end(self) -> None:
        self.ended = True
        self.wake.set()


class JobFeed:
    """Looks at the ledger every so often, and tells subscribers what changed."""

    def __init__(self, ledger: Ledger, book: JobStore) -> None:
        self.ledger = ledger
        self.book = book
        self.speeds = Speeds()
        self.subscribers: set[FeedSubscriber] = set()
        self.seen: dict[str, tuple[JobStatus, tuple[bool, ...]]] = {}
        self.loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        self.loop = asyncio.get_running_loop()
        while True:
            started = time.monotonic()
            try:
                await self._look()
            except (UnreachableError, StorageError) as error:
                log.warning("%s; news of jobs is delayed", error)
            cost_s = time.monotonic() - started
            await asyncio.sleep(max(WATCHED_S if self.subscribers else UNWATCHED_S, cost_s / SHARE))

    def close(self) -> None:
        """Dismiss all listeners; from any thread."""
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._end_all)

    def info(self, status: JobStatus, *, whole: bool = True) -> JobInfo:
        """Return the state of a job, with its speed."""
        rate = self.speeds.note(status)
        return job_info(self.ledger, self.book, status, views_per_s=rate, whole=whole)

    async def _look(self) -> None:
        changed = await run_in_threadpool(self._changes)
        for info in changed:
            for subscriber in self.subscribers:
                subscriber.tell(info)
        for subscriber in self.subscribers:
            if subscriber.job_id is not None and subscriber.job_id not in self.seen:
                subscriber.end()

    def _changes(self) -> list[JobInfo]:
        """Return the jobs with listeners that have changed."""
        jobs = self.ledger.jobs()
        alive = tuple(worker.takes_tasks for worker in self.ledger.workers())
        before, self.seen = self.seen, {job.job_id: (job, alive) for job in jobs}
        self.speeds.keep(self.seen)
        for job in jobs:
            self.speeds.note(job)
        wanted = {subscriber.job_id for subscriber in set(self.subscribers)}
        return [
            self.info(job)
            for job in jobs
            if wanted & {None, job.job_id} and before.get(job.job_id) != (job, alive)
        ]

    def _end_all(self) -> None:
        for subscriber in self.subscribers:
            subscriber.end()


class Speeds:
    """Views per second of each job over its last minute; safe between threads."""

    WINDOW_S = 60.0
    STEP_S = 1.0

    def __init__(self) -> None:
        self.samples: dict[str, deque[tuple[float, int]]] = {}
        self.lock = threading.Lock()

    def note(self, job: JobStatus, now_s: float | None = None) -> float | None:
        """Take a sample of a job; return its views per second, None while unknown."""
        now_s = time.monotonic() if now_s is None else now_s
        with self.lock:
            if job.over:
                self.samples.pop(job.job_id, None)
                return None
            kept = self.samples.setdefault(job.job_id, deque())
            if kept and kept[-1][1] > job.views_done:
                kept.clear()  # views were taken back: what was measured means nothing now
            if not kept or now_s - kept[-1][0] >= self.STEP_S:
                kept.append((now_s, job.views_done))
            while len(kept) > 2 and now_s - kept[0][0] > self.WINDOW_S:
                kept.popleft()
            spent_s, done = now_s - kept[0][0], job.views_done - kept[0][1]
            return done / spent_s if done > 0 and spent_s >= self.STEP_S else None

    def keep(self, job_ids: Iterable[str]) -> None:
        """Forget all other jobs."""
        known = set(job_ids)
        with self.lock:
            for gone in self.samples.keys() - known:
                del self.samples[gone]
