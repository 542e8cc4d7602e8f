"""Why a stream is silent, in a sentence that names the worker or the job at fault."""

from __future__ import annotations

from farm.feeding.book import StreamBook
from farm.ledger import JobState, JobStatus, Ledger, TaskState
from farm.ledger.model import node_of
from farm.ledger.waiting import Steps, waits_for
from farm.spec.counted import counted
from farm.spec.stream import StreamState

TOLD_FAILURES = 3
TOLD_WORKERS = 3


def told_state(
    ledger: Ledger, book: StreamBook, job_id: str, steps: Steps | None = None
) -> StreamState | None:
    """Return how a stream stands, with why a consumer gets nothing; None where there is none."""
    status, state = ledger.job(job_id), book.state(job_id)
    if status is None or state is None:
        return None
    failures = failures_of(ledger, status)
    told = {"why": why(ledger, status, state, steps), "failures": failures}
    return state.model_copy(update=told)


def why(ledger: Ledger, job: JobStatus, state: StreamState, steps: Steps | None = None) -> str:
    """Say why consumers of a stream get nothing; most likely reasons first."""
    if job.state in (JobState.CANCELLING, JobState.CANCELLED):
        return f"job {job.job_id} was cancelled after {of_all(state)}"
    if state.handed >= state.length:
        return f"all of its {counted(state.length, 'sample')} were given to consumers"
    if job.over:
        return ended(ledger, job, state)
    return (
        waits_for(ledger, job, steps)
        or too_full(book_bytes=state.size_bytes, state=state)
        or at_work(ledger, job)
        or failing(ledger, job)
        or unasked(state)
        or f"job {job.job_id} is {job.state.value}, and its tasks wait for a worker"
    )


def of_all(state: StreamState) -> str:
    """Say how much of a stream was given out."""
    return f"{state.handed} of {counted(state.length, 'sample')}"


def ended(ledger: Ledger, job: JobStatus, state: StreamState) -> str:
    """Say how a job ended that could not make all samples."""
    lost = "; ".join(failures_of(ledger, job)) or f"job {job.job_id} is {job.state.value}"
    return f"it ended after {of_all(state)}: {lost}"


def too_full(*, book_bytes: int, state: StreamState) -> str:
    """Say that samples take all the room that they may take."""
    if not state.ready and state.lent and book_bytes * (1 + 1 / state.lent) > state.bound_bytes:
        return (
            f"there is no room for another sample: {counted(state.lent, 'sample')} that "
            f"{counted(state.consumers, 'consumer')} took and did not acknowledge yet, take "
            f"{book_bytes / 2**20:.1f} of {state.bound_bytes / 2**20:.1f} MB; ask for smaller "
            "batches, fewer workers of the loader or a shorter queue, or raise FARM_STREAM_BYTES"
        )
    if book_bytes < state.bound_bytes / 2 or state.ready < 1:
        return ""
    return (
        f"{counted(state.ready, 'sample')} wait for consumers and take {book_bytes >> 20} of "
        f"{state.bound_bytes >> 20} MB: read faster, or raise FARM_STREAM_BYTES"
    )


def at_work(ledger: Ledger, job: JobStatus) -> str:
    """Say which workers render for how long."""
    if not job.counts[TaskState.RUNNING]:
        return ""
    now_s = ledger.now_s()
    held = sorted(ledger.running(job.job_id), key=lambda task: task.since_s)
    told = [
        f"worker {node_of(task.worker)} has had task {task.ticket.index} for "
        f"{now_s - task.since_s:.0f} s ({counted(task.views_done, 'view')} done)"
        for task in held[:TOLD_WORKERS]
    ]
    also = failing(ledger, job)
    return "; ".join(told) + (f"; {also}" if also else "")


def failing(ledger: Ledger, job: JobStatus) -> str:
    """Say what went wrong last."""
    return "; ".join(failures_of(ledger, job))


def failures_of(ledger: Ledger, job: JobStatus) -> tuple[str, ...]:
    """Return the newest failures, a sentence each."""
    found = [
        (attempt.time_s, f"task {story.index}: {attempt.sentence}")
        for story in ledger.failures(job.job_id)
        for attempt in story.attempts[-1:]
    ]
    return tuple(sentence for _, sentence in sorted(found, reverse=True)[:TOLD_FAILURES])


def unasked(state: StreamState) -> str:
    """Say that nobody asks for samples."""
    if state.credits <= state.lent:
        return (
            f"{counted(state.consumers, 'consumer')} took {counted(state.lent, 'sample')} without "
            "acknowledging them, and asked for no more"
        )
    return ""
