"""What the ledger asks of the place where it is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from farm.ledger.damage import Aside
from farm.ledger.model import JobState, Suspect, TaskRecord, TaskState

VANISHED_S = 86_400.0
"""Time for which a worker that was lost is remembered."""
MOST_SUSPECTS, MOST_JOBS = 20, 8
"""Most suspects and jobs that are noted of a node, the newest."""

Meta = Mapping[str, str]
"""A job's fields, as text: state, priority, created, tasks, views, views_done, dropped, hold,
cursor, ahead; and one count per task state, named by its code."""


@dataclass(frozen=True)
class TaskMove:
    """One task from one state to another, if it still stands where the mover saw it."""

    index: int
    source: TaskState
    attempt: int
    """The attempt that the mover saw: (state, attempt) never comes back once left."""
    target: TaskState
    record: TaskRecord | None
    """What to keep of the task from now on."""
    edits: int | None = None
    """Edits of the record that the mover saw and changes; None: it does not look at it."""


class Glance(NamedTuple):
    """A task as it stands, with the state of its job."""

    job_state: JobState
    code: str
    """Of the task's state; empty where there is no such task."""
    record: TaskRecord


@dataclass(frozen=True)
class AttemptOutcome:
    """How an attempt ended, as it speaks for or against its node."""

    node: str
    job_id: str
    index: int
    attempt: int
    time_s: float
    cause: str | None = None
    """None: it was done."""


def suspect_of(outcome: AttemptOutcome) -> Suspect | None:
    """Return what an outcome says against its node."""
    if outcome.cause is None:
        return None
    return Suspect(
        job_id=outcome.job_id,
        index=outcome.index,
        attempt=outcome.attempt,
        cause=outcome.cause,
        time_s=outcome.time_s,
    )


@dataclass(frozen=True)
class Transition:
    """Moves of tasks of one job, and what they mean for the job itself."""

    moves: Sequence[TaskMove]
    job_states: Collection[JobState] = frozenset(JobState)
    """Nothing moves unless the job is in one of these."""
    ripple: Mapping[JobState, JobState] = field(default_factory=dict)
    """Where the job goes when one of its tasks has moved."""
    hold_until_s: float = 0.0
    """Do not feed the job before this moment."""
    outcome: AttemptOutcome | None = None
    """What is noted of a node when the first move applies."""
    counter: str = ""
    """Field of the job that counts how often a first move of this kind applied; "" for none."""
    given: Mapping[int, TaskState] = field(default_factory=dict)
    """Nothing moves unless these tasks are in these states."""


class Store(Protocol):
    """Where the ledger is kept; every verb is one atomic step.

    Raises `UnreachableError` while the place is away, `DamagedLedgerError` where others wrote into
    it what cannot be.
    """

    def now_s(self) -> float:
        """Return the one clock that all of the farm shares."""

    def epoch(self) -> str:
        """Return a name that changes when the place was restarted."""

    def create(
        self,
        job_id: str,
        meta: Mapping[str, str | int | float],
        states: str,
        kept: Mapping[int, int],
    ) -> bool:
        """Write a new job; False where there is one of this name."""

    def job_ids(self) -> list[str]: ...

    def meta(self, job_id: str) -> Meta | None: ...

    def set_meta(self, job_id: str, name: str, value: str | int) -> None: ...

    def add_meta(self, job_id: str, name: str, amount: int) -> None: ...

    def states(self, job_id: str, start: int, count: int) -> str:
        """Return the state codes of `count` tasks from `start`."""

    def returned(self, job_id: str, limit: int) -> list[int]:
        """Return the lowest indices of the tasks that were given back."""

    def kept(self, job_id: str) -> dict[int, int]:
        """Return the tasks that neither run nor are done and have views, and how many."""

    def records(self, job_id: str, indices: Sequence[int] | None = None) -> dict[int, TaskRecord]:
        """Return the records of these tasks, or of all that have one."""

    def glance(self, job_id: str, index: int) -> Glance | None:
        """Return how one task stands, all of one moment; None where there is no such job."""

    def running(self, job_id: str) -> dict[int, int]:
        """Return the running tasks and how many of their views are done."""

    def shift(self, job_id: str, order: Transition) -> list[bool]:
        """Make the moves that still apply; say which."""

    def turn(
        self,
        job_id: str,
        sources: Collection[JobState],
        target: JobState,
        *,
        empty: Collection[TaskState] = (),
    ) -> bool:
        """Put a job from one of `sources` to `target`, if it has no task in the states `empty`."""

    def remove(self, job_id: str) -> None:
        """Keep nothing of a job."""

    def check(self, job_id: str) -> None:
        """Make sure that all that is kept of a job agrees; costs a reading of all its states.

        Raises:
            DamagedLedgerError: It does not.
        """

    def move_aside(self, kind: str, name: str) -> None:
        """Keep a damaged `job`, what a `worker` says or a `key` under another name; count it."""

    def keep_kinds(self, kinds: Mapping[str, str]) -> list[str]:
        """Set aside what is not of its kind, by full name of a key; return which."""

    def keep_aside(self, kind: str, name: str, text: str | bytes) -> None:
        """Keep a text that is damaged under a name that tells what it is; count it."""

    def aside(self) -> Aside:
        """Return what was set aside."""

    def progress(self, job_id: str, index: int, attempt: int, views_done: int) -> bool:
        """Set how many views of a running attempt are done; False if it no longer runs."""

    def beat(self, worker: str, info: str, ttl_s: float) -> None: ...

    def still(self, worker: str) -> None:
        """End a worker's heartbeat at once."""

    def beating(self) -> dict[str, str]:
        """Return the workers whose heartbeat lasts, and what they say of themselves."""

    def vanished(self) -> dict[str, str]:
        """Return the workers whose heartbeat ran out within the last day, and what they said."""

    def drained(self) -> dict[str, str]:
        """Return the nodes that are drained, each with a note as JSON."""

    def drained_node(self, node: str) -> str:
        """Return the note of one node that is drained; empty where it is not."""

    def set_drained(self, node: str, note: str) -> None:
        """Keep the note of a node that is drained; empty: it is not."""

    def conducts(self) -> dict[str, str]:
        """Return what is noted of each node, as JSON."""

    def conduct(self, node: str) -> str:
        """Return what is noted of one node, as JSON; empty where nothing is."""

    def swap_conduct(self, node: str, before: str, after: str) -> bool:
        """Write what is noted of a node, if it still is what it was; empty: nothing."""

    def tell_work(self, worker: str, text: str, ttl_s: float) -> None:
        """Keep what a worker says of its work until it says more or its heartbeat ends."""

    def told_work(self, workers: Sequence[str]) -> list[str | None]:
        """Return what these workers said of their work last."""

    def lease(self, name: str, holder: str, ttl_s: float) -> str:
        """Take or renew a lease, unless somebody else holds it; return who holds it now."""

    def unlease(self, name: str, holder: str) -> None:
        """Give a lease back, if `holder` holds it."""
