"""Tasks that wait for other tasks: which may be given out, and which never can be.

The ledger keeps nothing of it: what a task waits for is asked when the task is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from farm.ledger.charges import charged, clean
from farm.ledger.damage import known_codes
from farm.ledger.model import (
    CANCELLED_JOB,
    CODES,
    FED_JOB,
    STATES,
    FailedAttempt,
    JobState,
    TaskRecord,
    TaskState,
)
from farm.ledger.policy import policy_of
from farm.ledger.reading import read_chunks
from farm.ledger.stores.store import Store, TaskMove, Transition

WaitsFor = Callable[[int], int | None]
"""Returns the task, of a lower index, that must be done before a task; None where none must."""

NEEDS = "needs"
"""Cause of a task that failed because the one that it waits for did."""
ENDED = (TaskState.FAILED, TaskState.SET_ASIDE)
GIVEN_UP = (*ENDED, TaskState.LEFT_OUT)
"""States of a task for which nobody need wait: it will not be done by itself."""
HOW = {
    TaskState.FAILED: "failed",
    TaskState.SET_ASIDE: "was set aside",
    TaskState.LEFT_OUT: "was left out",
}
LOOK_AHEAD = 2048
"""Pending tasks that are looked at in one place."""
CHUNKS = 8
"""Pieces of the job's states that are read in one place."""


class PendingWindow(NamedTuple):
    """What is pending in one place of a job."""

    first: int
    """The first pending task, or where the search ended."""
    ready: list[int]
    """Tasks that wait for nothing, or for what is done."""
    lost: dict[int, list[int]]
    """Task that has ended without success -> those that wait for it."""
    then: int
    """Where the search ended."""
    more: bool
    """Something lies behind."""


def look(store: Store, job_id: str, start: int, waits_for: WaitsFor) -> PendingWindow:
    """Return which of the first pending tasks from `start` on may be given out."""
    pending, then, more = find_pending(store, job_id, start)
    waits = {at: waited for at in pending if (waited := waits_for(at)) is not None}
    states = states_of(store, job_id, set(waits.values()))
    lost: dict[int, list[int]] = {}
    for at, waited in waits.items():
        if states[waited] in GIVEN_UP:
            lost.setdefault(waited, []).append(at)
    ready = [at for at in pending if at not in waits or states[waits[at]] is TaskState.DONE]
    return PendingWindow(pending[0] if pending else then, ready, lost, then, more)


def find_pending(store: Store, job_id: str, start: int) -> tuple[list[int], int, bool]:
    """Return the first pending tasks, where the search ended, and whether more lies behind."""
    found: list[int] = []
    end = start
    for count, (first, codes) in enumerate(read_chunks(store, job_id, start=start), 1):
        found += [first + at.start() for at in re.finditer(CODES[TaskState.PENDING], codes)]
        end = first + len(codes)
        if len(found) >= LOOK_AHEAD:
            return found[:LOOK_AHEAD], found[LOOK_AHEAD - 1] + 1, True
        if count == CHUNKS:
            return found, end, True
    return found, end, False


def states_of(store: Store, job_id: str, indices: Collection[int]) -> dict[int, TaskState]:
    """Return the states of some tasks, in one question."""
    if not indices:
        return {}
    low, high = min(indices), max(indices)
    codes = known_codes(job_id, store.states(job_id, low, high - low + 1))
    codes += CODES[TaskState.PENDING] * (high - low + 1)  # short where the job was just removed
    return {index: STATES[codes[index - low]] for index in indices}


def fail_waiting(store: Store, job_id: str, waited: int, indices: Sequence[int]) -> None:
    """T: pending > failed, left out. End tasks that wait for one that has ended, while it is so."""
    state = states_of(store, job_id, [waited])[waited]
    if state not in GIVEN_UP:
        return
    records, now_s = store.records(job_id, [waited, *indices]), store.now_s()
    story = records.get(waited, TaskRecord()).story
    why = f": {story[-1].sentence}" if story else ""
    sentence = f"task {waited}, which it waits for, {HOW[state]}{why}"
    moves = []
    for index in indices:
        record = records.get(index, TaskRecord())
        failure = FailedAttempt(
            attempt=record.attempt, cause=NEEDS, sentence=sentence, worker="", time_s=now_s
        )
        target, after = charged(record, failure, policy_of(NEEDS))
        target = state if state is TaskState.LEFT_OUT else target
        moves.append(
            TaskMove(index, TaskState.PENDING, record.attempt, target, after, record.edits)
        )
    store.shift(job_id, Transition(moves, FED_JOB, given={waited: state}))


def put_waiting_back(
    store: Store, job_id: str, sources: Sequence[TaskState] = (TaskState.FAILED,)
) -> int:
    """T: failed > pending. Put back what failed because another task had; return how many.

    Where that other one still counts as failed, they fail again when they are looked at.
    """
    moves = [
        TaskMove(index, source, record.attempt, TaskState.PENDING, clean(record), record.edits)
        for index, record in store.records(job_id).items()
        if record.story and record.story[-1].cause == NEEDS
        for source in sources
    ]
    again = {JobState.COMPLETED: JobState.RUNNING, JobState.FAILED: JobState.RUNNING}
    order = Transition(moves, frozenset(JobState) - CANCELLED_JOB, again)
    return sum(store.shift(job_id, order)) if moves else 0
