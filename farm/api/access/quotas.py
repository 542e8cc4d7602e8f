"""How much of a farm one user may take, and what to delete where that is used up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from farm.api.problems import ApiProblem
from farm.api.settings import ApiSettings
from farm.errors import StorageError
from farm.holdings import Holdings
from farm.job_store import JobStore, prefix_of
from farm.ledger import JobStatus, Ledger
from farm.spec.amounts import file_size
from farm.spec.counted import coarse, counted
from farm.spec.job import Job
from farm.spec.role import allows
from farm.spec.view_sizes import view_bytes
from farm.spec.wire import TokenInfo
from farm.storage import Storage

MEASURED_EVERY_S = 60.0
"""Shortest time between two measurements of a job that is still rendered."""
TOLD_JOBS = 3


@dataclass(frozen=True)
class Usage:
    """What one user takes."""

    jobs: tuple[tuple[JobStatus, int], ...]
    """The user's jobs and the bytes of their datasets, those that are still to come included."""
    uploads_bytes: int

    @property
    def datasets_bytes(self) -> int:
        return sum(size for _, size in self.jobs)

    @property
    def total_bytes(self) -> int:
        return self.datasets_bytes + self.uploads_bytes


class Measured(NamedTuple):
    """How large a job's datasets were at a moment."""

    time_s: float
    size_bytes: int
    views: int
    over: bool


class Sizes:
    """How many bytes the datasets of jobs have; measured anew only where views were added."""

    def __init__(
        self, storage: Storage, book: JobStore, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.storage = storage
        self.book = book
        self.clock = clock
        self.known: dict[str, Measured] = {}
        self.lock = threading.Lock()

    def of(self, status: JobStatus) -> int:
        """Return the bytes of a job's datasets; of one that is not over, with what is to come."""
        measured, views = self._measured(status)
        try:
            job = None if status.over else self.book.load(status.job_id)
        except StorageError:  # nobody here can render it either
            job = None
        if job is None:
            return measured
        each = measured / views if views and measured else view_bytes(job)
        return measured + round(each * max(status.views - views, 0))

    def _measured(self, status: JobStatus) -> tuple[int, int]:
        """Return the bytes of a job's datasets, and of how many views they are."""
        now_s = self.clock()
        known = self.known.get(status.job_id)
        if known and known.over == status.over:
            new = not status.over and now_s - known.time_s < MEASURED_EVERY_S
            if new or known.views == status.views_done:
                return known.size_bytes, known.views
        size = self.book.size(status.job_id) if status.over else None
        if size is None:
            listed = self.storage.entries(prefix_of(status.job_id))
            size = sum(entry.size_bytes for entry in listed)
        with self.lock:
            self.known[status.job_id] = Measured(now_s, size, status.views_done, status.over)
        return size, status.views_done

    def keep(self, jobs: Mapping[str, object]) -> None:
        """Forget all other jobs."""
        with self.lock:
            for gone in self.known.keys() - jobs.keys():
                del self.known[gone]


@dataclass
class Quotas:
    """What users may take, and what they do."""

    ledger: Ledger
    holdings: Holdings
    sizes: Sizes
    settings: ApiSettings

    def bytes_of(self, caller: TokenInfo) -> int | None:
        """Return how many bytes somebody may have; None: as many as there is room for."""
        if caller.quota_bytes is not None or allows(caller.role, "admin"):
            return caller.quota_bytes
        return self.settings.quota_bytes

    def views_of(self, caller: TokenInfo) -> int | None:
        """Return how many views somebody may submit a day; None: any number."""
        if caller.views_per_day is not None or allows(caller.role, "admin"):
            return caller.views_per_day
        return self.settings.views_per_day

    def usage(self, owner: str) -> Usage:
        """Return what somebody takes."""
        jobs = self.ledger.jobs()
        self.sizes.keep({job.job_id: job for job in jobs})
        uploads = self.holdings.uploads(owner)
        return Usage(
            jobs=tuple((job, self.sizes.of(job)) for job in jobs if job.owner == owner),
            uploads_bytes=sum(upload.size_bytes for upload in uploads.values()),
        )

    def check_bytes(self, caller: TokenInfo, more_bytes: int, *, what: str) -> None:
        """Make sure that so many bytes more are within somebody's quota.

        Raises:
            ApiProblem: They are not; the sentence says what to delete.
        """
        most = self.bytes_of(caller)
        if most is None:
            return
        usage = self.usage(caller.name)
        if usage.total_bytes + more_bytes > most:
            raise ApiProblem(507, too_much(usage, most, more_bytes, what), remedy(usage, caller))

    def check_job(self, caller: TokenInfo, job: Job, *, views: int, upload_bytes: int = 0) -> None:
        """Make sure that a new job is within somebody's quotas.

        Raises:
            ApiProblem: It is not.
        """
        self._check_views(caller, views)
        size = round(view_bytes(job) * views) + upload_bytes
        self.check_bytes(caller, size, what="this job")

    def _check_views(self, caller: TokenInfo, views: int) -> None:
        most = self.views_of(caller)
        if most is None:
            return
        ask = "ask the farm's operator for more "
        ask += f"(farm token change {caller.token_id} --views-per-day N)"
        asked = f"this job has {counted(views, 'view')}"
        if views > most:
            detail = f"{asked}; you may submit {most:,} a day"
            raise ApiProblem(403, detail, f"make it smaller, or {ask}")
        today = self.holdings.views_today(caller.name)
        if today + views > most:
            detail = f"{asked}; you may submit {most:,} a day, and have submitted {today:,} today"
            wait = f"submit it tomorrow (UTC: in {coarse(left_of_day_s(self.holdings.now_s()))})"
            raise ApiProblem(403, detail, f"{wait}, or {ask}")


def too_much(usage: Usage, most: int, more_bytes: int, what: str) -> str:
    """Say how much of a quota is used, and by what."""
    return (
        f"your quota is {file_size(most)}: {file_size(usage.total_bytes)} are taken "
        f"({file_size(usage.datasets_bytes)} by datasets, {file_size(usage.uploads_bytes)} by "
        f"uploads), and {what} takes {file_size(more_bytes)}"
    )


def remedy(usage: Usage, caller: TokenInfo) -> str:
    """Say what to delete."""
    over = sorted((job for job in usage.jobs if job[0].over and job[1]), key=lambda job: -job[1])
    told = [f"`farm delete {job.job_id}` ({file_size(size)})" for job, size in over[:TOLD_JOBS]]
    told += (
        ["`farm tidy --recent` (uploads that none of your jobs needs)"]
        if usage.uploads_bytes
        else []
    )
    ask = f"ask the farm's operator for more (farm token change {caller.token_id} --quota SIZE)"
    return f"make room: {', '.join(told)}; or {ask}" if told else ask


def left_of_day_s(now_s: float) -> float:
    """Return how many seconds are left of this day (UTC)."""
    now = datetime.fromtimestamp(now_s, UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - now).total_seconds()
