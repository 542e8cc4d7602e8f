"""Tasks that somebody picks: tried again, at another worker if need be, or left out."""

from __future__ import annotations

from collections.abc import Callable, Collection

from farm.ledger.charges import clean
from farm.ledger.model import CANCELLED_JOB, JobState, TaskRecord, TaskState, node_of
from farm.ledger.steps import put_waiting_back, states_of
from farm.ledger.stores.store import Store, TaskMove, Transition

AGAIN = {JobState.COMPLETED: JobState.RUNNING, JobState.FAILED: JobState.RUNNING}
"""Where a job that is over goes when somebody changes what is left of it."""
RETRIED = (TaskState.FAILED, TaskState.SET_ASIDE)
"""States that a retry of a whole job puts back; what was left out stays so."""
PUT_BACK = (*RETRIED, TaskState.LEFT_OUT)
LEFT_OUT = (TaskState.PENDING, TaskState.QUEUED, TaskState.RUNNING, *RETRIED)
TRIES = 5
"""Looks at tasks that change their state at the very moment in which they are picked."""

Change = Callable[[TaskRecord], TaskRecord]


def put_back(
    store: Store, job_id: str, indices: Collection[int], *, elsewhere: bool, steps: bool
) -> list[int]:
    """T: failed, set aside, left out > pending. Put tasks back with a clean slate."""
    change = elsewhere_from if elsewhere else clean
    moved = moved_to(store, job_id, indices, PUT_BACK, TaskState.PENDING, change)
    if moved and steps:
        put_waiting_back(store, job_id, (TaskState.FAILED, TaskState.LEFT_OUT))
    return moved


def leave_out(store: Store, job_id: str, indices: Collection[int], *, steps: bool) -> list[int]:
    """T: all but done > left out. What waits for one of these is left out when it is looked at."""
    moved = moved_to(store, job_id, indices, LEFT_OUT, TaskState.LEFT_OUT, lambda record: record)
    if moved and steps:
        put_waiting_back(store, job_id)
    return moved


def elsewhere_from(record: TaskRecord) -> TaskRecord:
    """Return a clean record of a task that is kept from the nodes on which it failed."""
    nodes = sorted({node_of(each.worker) for each in record.story if each.worker})
    return clean(record).model_copy(update={"avoid": tuple(nodes)})


def moved_to(  # noqa: PLR0913 - what moves, from where, to where
    store: Store,
    job_id: str,
    indices: Collection[int],
    sources: Collection[TaskState],
    target: TaskState,
    change: Change,
) -> list[int]:
    """Move those of some tasks that are in one of `sources`; return which."""
    moved: list[int] = []
    for _ in range(TRIES):
        states = states_of(store, job_id, set(indices) - set(moved))
        standing = {index: states[index] for index in sorted(states) if states[index] in sources}
        if not standing:
            break
        records = store.records(job_id, list(standing))
        moves = [
            move_of(index, state, records.get(index, TaskRecord()), target, change)
            for index, state in standing.items()
        ]
        order = Transition(moves, frozenset(JobState) - CANCELLED_JOB, AGAIN)
        done = store.shift(job_id, order)
        moved += [move.index for move, ok in zip(moves, done, strict=True) if ok]
    return sorted(moved)


def move_of(
    index: int, source: TaskState, record: TaskRecord, target: TaskState, change: Change
) -> TaskMove:
    """Return the move of one task, as it stands."""
    after = change(record).model_copy(update={"edits": record.edits + 1})
    return TaskMove(index, source, record.attempt, target, after, record.edits)
