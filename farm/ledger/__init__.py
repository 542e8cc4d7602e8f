"""The state of jobs and tasks: `Ledger`, kept in Redis or, for tests, in memory."""

from __future__ import annotations

from farm.errors import needing
from farm.ledger.ledger import Ledger
from farm.ledger.model import (
    FailedAttempt,
    Gauges,
    HeldTask,
    JobState,
    JobStatus,
    Quarantine,
    TaskState,
    TaskStory,
    Work,
    WorkerStatus,
)

__all__ = [
    "FailedAttempt",
    "Gauges",
    "HeldTask",
    "JobState",
    "JobStatus",
    "Ledger",
    "Quarantine",
    "TaskState",
    "TaskStory",
    "Work",
    "WorkerStatus",
    "open_ledger",
]


def open_ledger(redis_url: str) -> Ledger:
    """Return the ledger kept in the Redis at `redis_url`."""
    with needing("the ledger needs", "pip install 'viewfarm[server]'"):  # a laptop has no redis
        from farm.ledger.stores.redis_store import RedisStore, connect

    return Ledger(RedisStore(connect(redis_url)))
