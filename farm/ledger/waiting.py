"""Why a job waits, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from farm.ledger.ledger import Ledger
from farm.ledger.model import (
    FED_JOB,
    Drain,
    JobState,
    JobStatus,
    Quarantine,
    TaskState,
    WorkerStatus,
)
from farm.ledger.shortage import shortage
from farm.ledger.steps import WaitsFor, find_pending, states_of
from farm.spec.counted import counted

OPEN_TASKS = (TaskState.PENDING, TaskState.QUEUED)
IN_HAND = (TaskState.QUEUED, TaskState.RUNNING)
NO_WORKER = "no worker is alive: start one with `farm worker` on a machine that renders"
FEW = 20
TOLD_WORKERS = 5
TOLD_MAKERS = 3


class Steps(NamedTuple):
    """What only a job's recipe knows of the order of its tasks."""

    waits_for: WaitsFor
    title_of: Callable[[int], str]
    """What people call a task."""


def waits_for(ledger: Ledger, job: JobStatus, steps: Steps | None = None) -> str | None:
    """Return what a job waits for; None where it proceeds, or has nothing to wait for."""
    if job.over or job.state is JobState.CANCELLING:
        return None
    if job.state is JobState.PAUSED:
        return f"it is paused: farm resume {job.job_id}"
    if lack := held_back(ledger, job):
        return lack
    if any(job.counts[state] for state in OPEN_TASKS) and not ledger.workers():
        return NO_WORKER
    if steps and (told := behind_makers(ledger, job, steps)):
        return told
    if job.counts[TaskState.PENDING] and not any(job.counts[state] for state in IN_HAND):
        return behind_others(ledger, job) or kept_for_others(ledger, job)
    return None


def held_back(ledger: Ledger, job: JobStatus) -> str | None:
    """Return what all tasks of a job would meet now: a shortage, or nobody fit to render."""
    if lack := shortage(ledger, job):
        return f"held back: {lack}; resumes at {clock(job.held_until_s)}"
    if not any(job.counts[state] for state in OPEN_TASKS):
        return None  # a drained worker finishes what is left
    workers = ledger.workers()
    if workers and not any(worker.takes_tasks for worker in workers):
        return shut_words(workers, ledger.now_s())
    return None


def shut_words(workers: Sequence[WorkerStatus], now_s: float) -> str:
    """Say which workers are drained or in quarantine, and why."""
    told = [f"{name_of(worker)}: {shut_reason(worker, now_s)}" for worker in workers[:TOLD_WORKERS]]
    more = [f"and {len(workers) - TOLD_WORKERS} more"] if len(workers) > TOLD_WORKERS else []
    one = len(workers) == 1
    what = f"{'is' if one else 'are'} in quarantine"
    if not all(worker.quarantine for worker in workers):
        what = f"{'takes' if one else 'take'} no tasks"
    return f"{counted(len(workers), 'worker')} {what}: {'; '.join(told + more)}"


def shut_reason(worker: WorkerStatus, now_s: float) -> str:
    """Say why a worker gets no tasks; empty where it does."""
    if worker.drain:
        return drain_words(worker.drain)
    if worker.quarantine:
        return quarantine_words(worker.quarantine, now_s)
    return "warming: its driver compiles kernels" if worker.is_warming else ""


def drain_words(drain: Drain) -> str:
    """Say who has drained a worker, and when."""
    by = f" by {drain.by}" if drain.by else ""
    return f"drained{by} since {moment(drain.since_s)}" if drain.since_s else f"drained{by}"


def moment(time_s: float) -> str:
    """Return a moment with its day, the same wherever that is read."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


def quarantine_words(quarantine: Quarantine, now_s: float) -> str:
    """Say why a worker gets no tasks, and what it does about it."""
    rests = quarantine.try_from_s > now_s
    then = f"warms up at {clock(quarantine.try_from_s)}" if rests else "warming up"
    return f"{quarantine.sentence}, {then}"


def behind_others(ledger: Ledger, job: JobStatus) -> str | None:
    """Say that other jobs are served first, where they are."""
    count = 0
    for other in ledger.jobs():
        if other.job_id == job.job_id:
            break
        if other.state in FED_JOB and other.held_until_s <= ledger.now_s():
            count += sum(other.counts[state] for state in OPEN_TASKS)
    if not count:
        return None
    wait = "waits" if count == 1 else "wait"
    return f"other jobs go first: {counted(count, 'task')} of theirs {wait} for a worker"


def behind_makers(ledger: Ledger, job: JobStatus, steps: Steps) -> str | None:
    """Say which tasks the others wait for, where all that are looked at do."""
    if not job.counts[TaskState.PENDING]:
        return None
    waiting, _, more = find_pending(ledger.store, job.job_id, 0)
    found = Counter(steps.waits_for(index) for index in waiting)
    makers = [index for index in found if index is not None]
    done = TaskState.DONE in states_of(ledger.store, job.job_id, makers).values()
    if None in found or done or not makers:
        return None
    told = [
        f"{count_words(found[index], at_least=more)} for task {index} ({steps.title_of(index)})"
        for index in makers[:TOLD_MAKERS]
    ]
    rest = [f"and {len(makers) - TOLD_MAKERS} more"] if len(makers) > TOLD_MAKERS else []
    return "; ".join(told + rest)


def count_words(count: int, *, at_least: bool) -> str:
    """Say how many tasks wait."""
    if at_least:
        return f"at least {counted(count, 'task')} wait"
    return f"{counted(count, 'task')} {'waits' if count == 1 else 'wait'}"


def kept_for_others(ledger: Ledger, job: JobStatus) -> str | None:
    """Say that what is left failed on one worker and waits for another, where it does."""
    if job.counts[TaskState.PENDING] > FEW:
        return None
    waiting = ledger.tasks(job, {TaskState.PENDING}, start=0, limit=FEW)
    records = ledger.store.records(job.job_id, [story.index for story in waiting])
    now_s = ledger.now_s()
    if not records:  # none has failed, or none waits since `job` was read
        return None
    if len(records) < len(waiting) or any(r.not_before_s < now_s for r in records.values()):
        return None
    index, record = next(iter(records.items()))
    others = f", like {len(records) - 1} more" if len(records) > 1 else ""
    node = record.story[-1].worker.partition("@")[0] if record.story else "one worker"
    return f"task {index} failed on {node} and is kept for another worker for a while{others}"


def name_of(worker: WorkerStatus) -> str:
    """Return what a person calls a worker."""
    return worker.info.get("name") or worker.worker


def clock(time_s: float) -> str:
    """Return a moment as a person reads it, the same wherever that is."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%H:%M:%S UTC")
