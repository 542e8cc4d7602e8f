"""The workers that live, as the ledger knows them."""

from __future__ import annotations

from farm.ledger import Ledger, TaskState
from farm.spec.wire import WorkerInfo


def list_workers(ledger: Ledger) -> tuple[WorkerInfo, ...]:
    """Return every worker whose heart beats, with the task that it holds."""
    living = ledger.workers()
    held = tasks_held(ledger) if living else {}
    now_s = ledger.now_s()
    return tuple(
        WorkerInfo(
            worker=one.worker,
            name=one.info.get("name", one.worker),
            host=one.info.get("host", ""),
            device=one.info.get("device", ""),
            task=held.get(one.worker),
            views_per_s=number(one.info.get("views_per_s")),
            last_seen_s=max(round(now_s - one.seen_s, 3), 0.0),
        )
        for one in living
    )


def tasks_held(ledger: Ledger) -> dict[str, str]:
    """Return `<job>/<index>` by worker."""
    return {
        task.worker: f"{task.ticket.job_id}/{task.ticket.index}"
        for job in ledger.jobs()
        if job.counts[TaskState.RUNNING]
        for task in ledger.running(job.job_id)
    }


def number(text: str | None) -> float | None:
    """Return the number that a worker says, if it says one."""
    try:
        return float(text) if text else None
    except ValueError:
        return None
