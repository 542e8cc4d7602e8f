"""Tasks of a job that are tried again, at another worker if need be, or left out."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from farm import expand
from farm.api.jobs import find_job, find_status, way_out
from farm.api.problems import ApiProblem
from farm.api.services import Services
from farm.api.submission.additions import check_retry
from farm.api.tasks.choice import Picked, pick
from farm.errors import StorageError
from farm.ledger import Ledger, TaskStory
from farm.ledger.model import CANCELLED_JOB, CODES, JobStatus, TaskState, node_of
from farm.ledger.picked import LEFT_OUT, PUT_BACK
from farm.ledger.reading import find_codes
from farm.spec.counted import counted
from farm.spec.job import Job
from farm.spec.wire import TaskChoice, TaskRetry, TasksChanged

log = logging.getLogger(__name__)

TOLD = 100
"""Most tasks that an answer names."""


def retry(services: Services, job_id: str, choice: TaskRetry) -> TasksChanged:
    """Try tasks again that are given up or left out.

    Raises:
        ApiProblem: The job is cancelled, has no such tasks, or there is no other worker.
    """
    job, status = steerable(services, job_id, "retry tasks of")
    check_retry(services, job_id)
    picked = pick(services.ledger, job, status, choice, PUT_BACK)
    if choice.elsewhere:
        check_elsewhere(services.ledger, picked.stories)
    moved = services.ledger.retry_these(
        job_id,
        [story.index for story in picked.stories],
        elsewhere=choice.elsewhere,
        steps=has_steps(job),
    )
    note_left_out(services, job_id, moved)
    where = " at another worker" if choice.elsewhere else ""
    return changed(moved, picked, f"tried again{where}", "has failed or was left out")


def leave_out(services: Services, job_id: str, choice: TaskChoice) -> TasksChanged:
    """Leave tasks out of a job: it completes without these.

    Raises:
        ApiProblem: The job is cancelled, or has no such tasks.
    """
    job, status = steerable(services, job_id, "leave tasks out of")
    picked = pick(services.ledger, job, status, choice, LEFT_OUT)
    indices = [story.index for story in picked.stories]
    moved = services.ledger.leave_out(job_id, indices, steps=has_steps(job))
    note_left_out(services, job_id, moved)
    return changed(moved, picked, "left out", "is still to be done")


def steerable(services: Services, job_id: str, verb: str) -> tuple[Job, JobStatus]:
    """Return a job whose tasks may be picked.

    Raises:
        ApiProblem: There is none, or it is cancelled.
    """
    status = find_status(services.ledger, job_id)
    if status.state in CANCELLED_JOB:
        detail = f"job {job_id} is {status.state}: you cannot {verb} it"
        raise ApiProblem(409, detail, way_out(job_id, status.state))
    return find_job(services.book, job_id), status


def check_elsewhere(ledger: Ledger, stories: Sequence[TaskStory]) -> None:
    """Make sure that there is a worker on which one of these has not failed.

    Raises:
        ApiProblem: There is none.
    """
    fit = {node_of(each.worker) for each in ledger.workers() if each.takes_tasks}
    tried = [{node_of(each.worker) for each in story.attempts if each.worker} for story in stories]
    if stories and not any(fit - nodes for nodes in tried):
        raise ApiProblem(
            409,
            "there is no other worker: every one that takes tasks has failed at these already",
            "start a worker on another machine, or retry them without asking for another one",
        )


def has_steps(job: Job) -> bool:
    """Say whether tasks of a job wait for others."""
    return expand.waits_for(job) is not None


def note_left_out(services: Services, job_id: str, moved: Sequence[int]) -> None:
    """Save on storage which tasks are left out now; if that fails, only the ledger knows."""
    if not moved:
        return
    code = CODES[TaskState.LEFT_OUT]
    found = (index for index, _ in find_codes(services.ledger.store, job_id, code, start=0))
    try:
        services.book.save_left_out(job_id, found)
    except StorageError as error:
        log.warning("what is left out is not saved on storage yet job=%s: %s", job_id, error)


def changed(moved: Sequence[int], picked: Picked, done: str, missing: str) -> TasksChanged:
    """Say what was done to tasks."""
    are = "is" if len(moved) == 1 else "are"
    nothing = f"nothing to do: none of these {missing}"
    return TasksChanged(
        tasks=len(moved),
        indices=tuple(moved[:TOLD]),
        sentence=f"{counted(len(moved), 'task')} {are} {done}" if moved else nothing,
        next=picked.next,
    )
