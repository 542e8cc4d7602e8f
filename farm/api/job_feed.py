"""The one watch on the ledger that all listeners share; it knows how fast jobs progress."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from farm.api.jobs import job_info
from farm.errors import FarmError, StorageError, UnreachableError
from farm.glimpses import KEPT, GlimpseBook, NumberedGlimpse
from farm.job_store import JobStore
from farm.ledger import JobStatus, Ledger
from farm.spec.wire import JobInfo

log = logging.getLogger(__name__)

WATCHED_S = 0.25
UNWATCHED_S = 2.0
MOMENT = re.compile(r"([0-9a-f]{8})-([0-9]{1,15})")
AGAIN_S = 1.0
"""Time after which pictures are listened for again, where Redis was away."""
SHARE = 0.1
"""Largest share of time that the watch takes, however many jobs there are."""


class FeedSubscriber:
    """A listener for news of one job, or of all; only the newest of each job counts."""

    def __init__(
        self,
        job_id: str | None,
        may_see: Callable[[JobInfo], bool] = lambda _info: True,
        *,
        pictures: bool = False,
    ) -> None:
        self.job_id = job_id
        self.may_see = may_see
        self.wants_pictures = pictures
        self.news: dict[str, str] = {}
        """Of each job that has changed its newest event, as it is sent."""
        self.pictures: deque[NumberedGlimpse] = deque(maxlen=KEPT)
        """Those that came since the last ones were sent."""
        self.wake = asyncio.Event()
        self.over = asyncio.Event()

    def tell(self, info: JobInfo, event: str) -> None:
        if self.job_id in (None, info.job_id) and self.may_see(info):
            self.news[info.job_id] = event
            self.wake.set()

    def show(self, job_id: str, glimpse: NumberedGlimpse) -> None:
        if self.wants_pictures and self.job_id == job_id:
            self.pictures.append(glimpse)
            self.wake.set()

    @property
    def ended(self) -> bool:
        return self.over.is_set()

    def end(self) -> None:
        self.over.set()
        self.wake.set()


class Moment(NamedTuple):
    """How much of the news somebody has heard."""

    epoch: str
    """Of the server's process that told them."""
    version: int
    """Number of its last look that found something."""

    def __str__(self) -> str:
        return f"{self.epoch}-{self.version}"


def read_moment(text: str | None) -> Moment | None:
    """Return the moment that the id of an event names; None where it is none of ours."""
    found = MOMENT.fullmatch(text or "")
    return Moment(found[1], int(found[2])) if found else None


def job_event(info: JobInfo, moment: Moment) -> str:
    """Return a server-sent event with the state of a job."""
    return f"id: {moment}\nevent: job\ndata: {info.model_dump_json()}\n\n"


class JobFeed:
    """Looks at the ledger every so often, and tells subscribers what changed."""

    def __init__(self, ledger: Ledger, book: JobStore, glimpses: GlimpseBook | None = None) -> None:
        self.ledger = ledger
        self.glimpses = glimpses
        self.book = book
        self.speeds = Speeds()
        self.subscribers: set[FeedSubscriber] = set()
        self.seen: dict[str, tuple[JobStatus, tuple[bool, ...]]] = {}
        self.moment = Moment(secrets.token_hex(4), 0)
        self.changed_at: dict[str, int] = {}
        """Of each job the number of the last look that found it changed."""
        self.loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        self.loop = asyncio.get_running_loop()
        async with self._pictures():
            await self._watch()

    async def _watch(self) -> None:
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
        asked_before = set(self.subscribers)  # a job that came since may not be among those read
        changed = await run_in_threadpool(self._changes)
        for info in changed:
            event = job_event(info, self.moment)  # the same for all who hear of it
            for subscriber in self.subscribers:
                subscriber.tell(info, event)
        for subscriber in asked_before:
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
        changed = [job for job in jobs if before.get(job.job_id) != (job, alive)]
        self._note(changed)
        wanted = {subscriber.job_id for subscriber in set(self.subscribers)}
        return [self.info(job) for job in changed if wanted & {None, job.job_id}]

    def _note(self, changed: list[JobStatus]) -> None:
        """Number a look, if it found something."""
        if not changed:
            return
        version = self.moment.version + 1
        known = {job_id: at for job_id, at in self.changed_at.items() if job_id in self.seen}
        self.changed_at = known | {job.job_id: version for job in changed}
        self.moment = Moment(self.moment.epoch, version)

    def changed_since(self, job: JobStatus, moment: Moment) -> bool:
        """Say whether a job may have changed since somebody was told of it."""
        return self.changed_at.get(job.job_id, moment.version + 1) > moment.version

    @contextlib.asynccontextmanager
    async def _pictures(self) -> AsyncIterator[None]:
        """Listen for pictures meanwhile, in a thread of its own."""
        if self.glimpses is None:
            yield
            return
        over = threading.Event()
        given = (self.glimpses, asyncio.get_running_loop(), over)
        thread = threading.Thread(target=self._listen, args=given, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            await run_in_threadpool(thread.join)

    def _listen(
        self, book: GlimpseBook, loop: asyncio.AbstractEventLoop, over: threading.Event
    ) -> None:
        while not over.is_set():
            try:
                for heard in book.heard(self._is_looked_at):
                    if over.is_set():
                        return
                    if heard is not None:
                        loop.call_soon_threadsafe(self._show, *heard)
            except FarmError as error:
                log.warning("%s; new pictures are shown when it is back", error)
            over.wait(AGAIN_S)

    def _is_looked_at(self, job_id: str) -> bool:
        return any(each.job_id == job_id and each.wants_pictures for each in set(self.subscribers))

    def _show(self, job_id: str, glimpse: NumberedGlimpse) -> None:
        for subscriber in self.subscribers:
            subscriber.show(job_id, glimpse)

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
