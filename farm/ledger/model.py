"""The ledger's view of jobs, tasks, attempts and workers."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from farm.spec.base import Kept, Spec
from farm.spec.task import Ticket


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


class TaskState(StrEnum):
    """Where a task stands."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SET_ASIDE = "set aside"
    LEFT_OUT = "left out"
    """Somebody wants the job without it."""
    CANCELLED = "cancelled"


CODES: dict[TaskState, str] = {
    TaskState.PENDING: "p",
    TaskState.QUEUED: "q",
    TaskState.RUNNING: "r",
    TaskState.DONE: "d",
    TaskState.FAILED: "f",
    TaskState.SET_ASIDE: "s",
    TaskState.LEFT_OUT: "l",
}
"""The byte of each state. `cancelled` has none: it is what pending and queued tasks of a cancelled
job are called, so that cancelling a million tasks is one write."""

STATES = {code: state for state, code in CODES.items()}

CANCELLED_JOB = frozenset({JobState.CANCELLING, JobState.CANCELLED})
FED_JOB = frozenset({JobState.QUEUED, JobState.RUNNING})
OPEN_JOB = FED_JOB | {JobState.PAUSED, JobState.CANCELLING}
"""Jobs of which something may still happen by itself."""


class FailedAttempt(Kept):
    """One attempt that did not end well."""

    attempt: int
    cause: str
    """Key of `farm.ledger.policy.CAUSES`."""
    sentence: str
    """What happened, for a person."""
    worker: str
    time_s: float
    """Seconds since 1970, by the ledger's clock."""
    charge: Literal["counts", "free", "refunded"] = "counts"
    """Whether it counts against the task; `refunded` where its node was found bad."""


class TaskRecord(Kept):
    """What is kept of a task that has been tried and is not done."""

    attempt: int = 0
    """Number of the newest ticket."""
    worker: str = ""
    """Who holds the newest attempt, or held it."""
    since_s: float = 0.0
    """When the task was queued or claimed."""
    charges: dict[str, int] = Field(default_factory=dict)
    """Failed attempts that count, by what too many of them lead to."""
    story: tuple[FailedAttempt, ...] = ()
    """The newest failures, oldest first."""
    not_before_s: float = 0.0
    """Not given out again before this moment: the worker that had it was not to."""
    avoid: tuple[str, ...] = ()
    """Nodes that are not to have it while there are others: somebody asked for another one."""
    edits: int = 0
    """Changes of this record while the task stood still, so that nobody undoes them unaware."""


class TaskStory(Spec):
    """A task, with what went wrong so far; nothing where it is done."""

    job_id: str
    index: int
    state: TaskState
    attempts: tuple[FailedAttempt, ...]
    worker: str = ""
    """Who holds the newest attempt, or held it; "" while that waits for one."""
    since_s: float = 0.0
    """When it was queued or claimed last; 0 where it never was."""


class HeldTask(Spec):
    """A ticket in somebody's hands: a worker's when running, the queue's when queued."""

    ticket: Ticket
    worker: str
    since_s: float
    views_done: int = 0


class JobStatus(Spec):
    """A job at one moment."""

    job_id: str
    state: JobState
    priority: int
    """Higher goes first."""
    created_s: float
    tasks: int
    counts: dict[TaskState, int]
    views: int
    views_done: int
    """Views of done tasks, and those that others have so far: running, waiting or failed."""
    dropped: int
    """Finished attempts that came too late: somebody else held the task by then."""
    held_until_s: float
    """Not fed before this moment, because storage was away; 0 when it never was."""
    owner: str = ""
    """Name of the token that submitted it; "" for jobs of before there were owners."""
    name: str = ""
    """What its owner calls it; "" where nobody gave it a name."""
    recipe: str = ""
    """The kind of dataset; "" for jobs of before that was noted here."""
    causes: dict[str, int] = Field(default_factory=dict)
    """How many attempts failed by each cause so far, those of tasks that are done included."""

    @property
    def active_tasks(self) -> int:
        """Tasks that are in somebody's hands."""
        return self.counts[TaskState.QUEUED] + self.counts[TaskState.RUNNING]

    @property
    def over(self) -> bool:
        """Nothing more happens by itself."""
        return self.state not in OPEN_JOB


SAMPLED_LATELY_S = 300.0
"""Time of which a worker tells how much Cycles sampled in it."""


class Work(Kept):
    """What a worker says of its work, about once a second while it renders."""

    task: str | None = None
    """`<job>/<index>` that it holds now."""
    views_per_s: float | None = None
    """Over its recent tasks, loading included."""
    view_megasamples: float | None = None
    """Million samples that those views took, each of them on average."""
    title: str = ""
    """What people call what it renders: `vase · studio`."""
    sampling_share: float | None = None
    """Of the last minutes before the newest view was finished, the part in which Cycles traced
    paths, 0..1; None where no view was finished lately."""
    told_s: float = 0.0
    """When it said so, by the ledger's clock."""


class Suspect(Kept):
    """An attempt whose failure may be its node's fault."""

    job_id: str
    index: int
    attempt: int
    cause: str
    time_s: float


class Quarantine(Kept):
    """Why a node gets no tasks, and until when."""

    sentence: str
    since_s: float
    try_from_s: float
    """It may warm up from this moment on."""
    times: int = 1
    """Quarantines and warm-ups that failed since it last did a task."""
    failed_proofs: int = 0
    """Of these, the warm-ups that failed now."""
    on_trial: bool = False
    """Nobody else could show that the tasks are fine: the warm-up decides who is to blame."""
    owed: tuple[Suspect, ...] = ()
    """Attempts whose charges are to be given back."""
    over: bool = False
    """It passed; kept until it has done a task."""


class Conduct(Kept):
    """What speaks for a node and against it: a worker's name and host, also across restarts."""

    suspects: tuple[Suspect, ...] = ()
    """Since it last did a task."""
    done: dict[str, float] = Field(default_factory=dict)
    """Job -> when it last did a task of it."""
    quarantine: Quarantine | None = None

    @property
    def shut(self) -> bool:
        """It gets no tasks."""
        return self.quarantine is not None and not self.quarantine.over


class Drain(Kept):
    """Why a node takes no more tasks: a person wants it so."""

    by: str = ""
    """Name of the token."""
    since_s: float = 0.0


class Gauges(Kept):
    """What the driver measures of a worker's GPU; None for what it does not tell."""

    temperature_c: float | None = None
    power_w: float | None = None
    memory_used_bytes: int | None = None
    """By all processes on the GPU."""
    memory_total_bytes: int | None = None


def node_of(worker: str) -> str:
    """Return the node of a worker: its name and host, which stay when it is started again."""
    return worker.partition("#")[0]


WARMING = "warming"
"""What a worker tells of itself while its driver compiles kernels."""


class WorkerStatus(Work):
    """A worker whose heartbeat lasts, or has ended not long ago."""

    worker: str
    info: dict[str, str]
    seen_s: float = 0.0
    """When it was last heard of, by the ledger's clock."""
    up_s: float | None = None
    """For how long it runs; None: it is of a release that does not tell, and cannot be drained."""
    gauges: Gauges = Gauges()
    quarantine: Quarantine | None = None
    drain: Drain | None = None

    @property
    def takes_tasks(self) -> bool:
        """It is given tasks."""
        return self.quarantine is None and self.drain is None and not self.is_warming

    @property
    def is_warming(self) -> bool:
        """Its driver compiles kernels; it takes tasks after that."""
        return bool(self.info.get(WARMING))

    def sampled_lately(self, now_s: float) -> float | None:
        """Return the part of the last minutes in which Cycles sampled; rest counts as none."""
        if self.sampling_share is None or self.task is not None:
            return self.sampling_share
        rest = max(now_s - self.told_s, 0.0) / SAMPLED_LATELY_S
        return self.sampling_share * max(1.0 - rest, 0.0)
