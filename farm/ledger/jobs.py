"""The verbs of jobs: added, looked at, steered, settled, forgotten."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from farm.ledger.charges import clean
from farm.ledger.damage import Aside, Sparing
from farm.ledger.model import (
    CANCELLED_JOB,
    CODES,
    FED_JOB,
    STATES,
    JobState,
    JobStatus,
    TaskState,
)
from farm.ledger.picked import AGAIN, RETRIED, leave_out, put_back
from farm.ledger.reading import read_chunks, read_status
from farm.ledger.stores.store import Store, TaskMove, Transition

RENUMBERED = 1000
"""More attempts than a task has within the seconds that Redis may forget."""
ALIVE = (TaskState.PENDING, TaskState.QUEUED, TaskState.RUNNING)


class Jobs:
    """Every verb may be called twice and by anybody; what no longer applies changes nothing."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sparing = Sparing()

    def now_s(self) -> float:
        """Return the farm's one clock, seconds since 1970."""
        return self.store.now_s()

    def epoch(self) -> str:
        """Return a name that changes when the ledger's place was restarted or emptied."""
        return self.store.epoch()

    def add_job(  # noqa: PLR0913  (the facts of a job, each by its name)
        self,
        job_id: str,
        *,
        tasks: int,
        views: int,
        priority: int = 0,
        owner: str = "",
        name: str = "",
        recipe: str = "",
        done: Collection[int] = (),
        views_done: int = 0,
        attempts: int = 0,
        kept: Mapping[int, int] | None = None,
    ) -> bool:
        """Write down a new job, some of whose tasks may be done already; False if it is known.

        Args:
            job_id: The job.
            tasks: How many it has.
            views: How many these have.
            priority: Higher goes first.
            owner: Name of the token that submitted it.
            name: What its owner calls it.
            recipe: The kind of dataset.
            done: Indices of the tasks that are done.
            views_done: How many views those have.
            attempts: Tickets are numbered from the next number on, so that none is like one of a
                ledger before.
            kept: Task that is not done -> how many of its views are.
        """
        kept = kept or {}
        codes = [CODES[TaskState.PENDING]] * tasks
        for index in done:
            codes[index] = CODES[TaskState.DONE]
        meta: dict[str, str | int | float] = {
            "state": JobState.QUEUED.value,
            "priority": priority,
            "owner": owner,
            "name": name,
            "recipe": recipe,
            "created": self.now_s(),
            "tasks": tasks,
            "views": views,
            "views_done": views_done + sum(kept.values()),
            "attempts": attempts,
            "epoch": self.epoch(),
            CODES[TaskState.PENDING]: codes.count(CODES[TaskState.PENDING]),
            CODES[TaskState.DONE]: codes.count(CODES[TaskState.DONE]),
        }
        return self.store.create(job_id, meta, "".join(codes), kept)

    def job(self, job_id: str) -> JobStatus | None:
        """Return how a job stands; None where there is no such job, or it is damaged."""
        with self.sparing():
            meta = self.store.meta(job_id)
            return read_status(job_id, meta) if meta else None
        return None

    def jobs(self) -> list[JobStatus]:
        """Return how all jobs stand, in the order in which they are served."""
        found = [job for job_id in self.store.job_ids() if (job := self.job(job_id))]
        return sorted(found, key=lambda job: (-job.priority, job.created_s, job.job_id))

    def check(self, job_id: str) -> None:
        """Make sure that all that is kept of a job agrees.

        Raises:
            DamagedLedgerError: It does not.
        """
        self.store.check(job_id)

    def aside(self) -> Aside:
        """Return what was damaged and set aside."""
        return self.store.aside()

    def pause(self, job_id: str) -> bool:
        """Start no more tasks of a job; those that run continue."""
        return self.store.turn(job_id, FED_JOB, JobState.PAUSED)

    def resume(self, job_id: str) -> bool:
        """Resume a paused job."""
        return self.store.turn(job_id, {JobState.PAUSED}, JobState.RUNNING)

    def cancel(self, job_id: str) -> bool:
        """Give up what is left of a job; running tasks stop at their next view."""
        return self.store.turn(job_id, FED_JOB | {JobState.PAUSED}, JobState.CANCELLING)

    def set_priority(self, job_id: str, priority: int) -> bool:
        """Serve jobs of a higher priority first."""
        known = self.store.meta(job_id) is not None
        if known:
            self.store.set_meta(job_id, "priority", priority)
        return known

    def rename(self, job_id: str, name: str) -> bool:
        """Call a job something else."""
        known = self.store.meta(job_id) is not None
        if known:
            self.store.set_meta(job_id, "name", name)
        return known

    def retry(self, job_id: str) -> int:
        """Put failed and set-aside tasks back, with a clean slate; return how many."""
        count = 0
        for start, codes in read_chunks(self.store, job_id, start=0):
            indices = [start + at for at, code in enumerate(codes) if STATES[code] in RETRIED]
            records = self.store.records(job_id, indices)
            moves = [
                TaskMove(
                    index,
                    STATES[codes[index - start]],
                    record.attempt,
                    TaskState.PENDING,
                    clean(record),
                    record.edits,
                )
                for index, record in records.items()
            ]
            order = Transition(moves, frozenset(JobState) - CANCELLED_JOB, AGAIN)
            count += sum(self.store.shift(job_id, order)) if moves else 0
        return count

    def retry_these(
        self, job_id: str, indices: Collection[int], *, elsewhere: bool = False, steps: bool = False
    ) -> list[int]:
        """T: failed, set aside, left out > pending. Put these back; return which were.

        Args:
            job_id: The job.
            indices: Tasks of it.
            elsewhere: The nodes on which each failed are to leave it to others, if there are some.
            steps: Tasks of the job wait for others: what failed or was left out because of these
                is put back, too.
        """
        return put_back(self.store, job_id, indices, elsewhere=elsewhere, steps=steps)

    def leave_out(self, job_id: str, indices: Collection[int], *, steps: bool = False) -> list[int]:
        """T: all but done > left out. The job completes without these; return which were left out.

        One that runs stops at its next view. A retry takes it back.
        """
        return leave_out(self.store, job_id, indices, steps=steps)

    def reopen(self, job_id: str, index: int, *, views: int) -> bool:
        """T: done > pending, J: completed > running. Take back a task that is not done after all.

        Args:
            job_id: The job.
            index: The task.
            views: How many it has; they count as done no more.
        """
        if self.job(job_id) is None:
            return False
        self.store.add_meta(job_id, "attempts", RENUMBERED)  # its numbers are not known any more
        move = TaskMove(index, TaskState.DONE, 0, TaskState.PENDING, None)
        order = Transition([move], frozenset(JobState) - CANCELLED_JOB, AGAIN)
        if not self.store.shift(job_id, order)[0]:
            return False
        self.store.add_meta(job_id, "views_done", -views)
        return True

    def settle(self, job_id: str) -> JobState | None:
        """Finish a job of which nothing is left to do; return its last state if this did it."""
        job = self.job(job_id)
        if job is None or job.over:
            return None
        if job.state is JobState.CANCELLING:
            done = self.store.turn(
                job_id, {job.state}, JobState.CANCELLED, empty=(TaskState.RUNNING,)
            )
            return JobState.CANCELLED if done else None
        worthless = job.counts[TaskState.FAILED] and not job.counts[TaskState.DONE]
        target = JobState.FAILED if worthless else JobState.COMPLETED
        return target if self.store.turn(job_id, {job.state}, target, empty=ALIVE) else None

    def forget(self, job_id: str) -> bool:
        """Keep nothing of a job that is over; False where it is not, or is not known."""
        job = self.job(job_id)
        if job is None or not job.over:
            return False
        self.store.remove(job_id)
        return True
