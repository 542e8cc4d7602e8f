"""What the ledger's fields say: from stored text to models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

from farm.errors import DamagedLedgerError
from farm.ledger.damage import known_codes
from farm.ledger.model import (
    CANCELLED_JOB,
    CODES,
    STATES,
    Drain,
    HeldTask,
    JobState,
    JobStatus,
    Quarantine,
    TaskRecord,
    TaskState,
    TaskStory,
    WorkerStatus,
)
from farm.ledger.stores.store import Meta, Store
from farm.spec.task import Ticket

CANCELLED = TaskState.CANCELLED
CAUSE = "failed by "
"""Beginning of the names of a job's fields that count failed attempts by cause."""
CHUNK = 16384
"""State codes that are read at a time."""


def read_status(job_id: str, meta: Meta) -> JobStatus:
    """Read a job's fields.

    Raises:
        DamagedLedgerError: They are not those of a job.
    """
    try:
        return status_of(job_id, meta)
    except (KeyError, ValueError) as error:  # somebody wrote into Redis by hand
        raise DamagedLedgerError(
            "job", job_id, f"its fields are not those of a job: {error!r}"
        ) from None


def status_of(job_id: str, meta: Meta) -> JobStatus:
    """Read a job's fields, whatever they are."""
    state = JobState(meta["state"])
    counts = {task: int(meta.get(code, 0)) for task, code in CODES.items()}
    counts[TaskState.CANCELLED] = 0
    if state in CANCELLED_JOB:
        given_up = counts[TaskState.PENDING] + counts[TaskState.QUEUED]
        counts |= {TaskState.PENDING: 0, TaskState.QUEUED: 0, TaskState.CANCELLED: given_up}
    return JobStatus(
        job_id=job_id,
        state=state,
        priority=int(meta["priority"]),
        created_s=float(meta["created"]),
        tasks=int(meta["tasks"]),
        counts=counts,
        views=int(meta["views"]),
        views_done=int(meta["views_done"]),
        dropped=int(meta.get("dropped", 0)),
        held_until_s=float(meta.get("hold", 0)),
        owner=meta.get("owner", ""),
        name=meta.get("name", ""),
        recipe=meta.get("recipe", ""),
        causes={
            name.removeprefix(CAUSE): int(count)
            for name, count in sorted(meta.items())
            if name.startswith(CAUSE)
        },
    )


def read_worker(
    name: str,
    said: str,
    work: str | None,
    quarantine: Quarantine | None,
    drain: Drain | None = None,
) -> WorkerStatus:
    """Read what a worker says of itself.

    Raises:
        DamagedLedgerError: It cannot be read.
    """
    try:
        facts = json.loads(work or "{}") | json.loads(said)
        known = {"worker": name, "quarantine": quarantine, "drain": drain}
        return WorkerStatus(**(facts | known))
    except (TypeError, ValueError, RecursionError) as error:
        raise DamagedLedgerError("worker", name, " ".join(str(error).split())[:200]) from error


def held_task(job_id: str, index: int, record: TaskRecord, *, views_done: int) -> HeldTask:
    """Describe a task that is in somebody's hands."""
    ticket = Ticket(job_id=job_id, index=index, attempt=record.attempt)
    return HeldTask(
        ticket=ticket, worker=record.worker, since_s=record.since_s, views_done=views_done
    )


def read_chunks(
    store: Store, job_id: str, *, start: int, stop: int | None = None
) -> Iterator[tuple[int, str]]:
    """Yield a job's state codes from `start` on, each piece with the index of its first."""
    end = float("inf") if stop is None else stop
    while start < end and (codes := store.states(job_id, start, int(min(CHUNK, end - start)))):
        yield start, known_codes(job_id, codes)
        start += len(codes)


def find_codes(
    store: Store, job_id: str, wanted: str, *, start: int, stop: int | None = None
) -> Iterator[tuple[int, str]]:
    """Yield the tasks from `start` on whose state has one of the codes `wanted`, and which."""
    pattern = re.compile(f"[{wanted}]" if wanted else "(?!)")
    for first, codes in read_chunks(store, job_id, start=start, stop=stop):
        for found in pattern.finditer(codes):
            yield first + found.start(), found[0]


def read_tasks(  # noqa: PLR0913 - where the tasks are, and which of them
    store: Store,
    job: JobStatus,
    states: frozenset[TaskState],
    *,
    start: int,
    limit: int,
    stop: int | None = None,
) -> list[TaskStory]:
    """Return the first `limit` tasks from `start` on, up to `stop`, that are in one of `states`."""
    called = dict(STATES)
    if job.state in CANCELLED_JOB:
        called |= dict.fromkeys((CODES[TaskState.PENDING], CODES[TaskState.QUEUED]), CANCELLED)
    wanted = "".join(code for code, state in called.items() if state in states)
    codes = find_codes(store, job.job_id, wanted, start=start, stop=stop)
    found = dict(islice(codes, max(limit, 0)))
    records = store.records(job.job_id, list(found))
    return [
        TaskStory(
            job_id=job.job_id,
            index=index,
            state=called[code],
            attempts=records[index].story if index in records else (),
            worker=records[index].worker if index in records else "",
            since_s=records[index].since_s if index in records else 0.0,
        )
        for index, code in found.items()
    ]


def find_fresh(
    store: Store, job_id: str, *, cursor: int, limit: int, skip: set[int]
) -> tuple[list[int], int]:
    """Return the first pending tasks from the cursor on, and where to look next time."""
    found: list[int] = []
    if limit < 1:
        return found, cursor
    for start, codes in read_chunks(store, job_id, start=cursor):
        for index, code in enumerate(codes, start):
            if len(found) == limit:
                return found, index
            if code == CODES[TaskState.PENDING] and index not in skip:
                found.append(index)
        cursor = start + len(codes)
    return found, cursor
