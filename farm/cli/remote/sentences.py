"""How jobs stand, and what was done to them, in sentences."""

from __future__ import annotations

from farm.cli.remote.farm_options import failed_tasks
from farm.client.lookup import label
from farm.spec.counted import counted
from farm.spec.wire import JobInfo

FAILURES_SHOWN = 5


def standing(job: JobInfo) -> str:
    """Say how a job stands: `is paused at 8 of 16 views: no further task starts until ...`."""
    return f"{'has' if job.state == 'failed' else 'is'} {state_words(job)}"


def state_words(job: JobInfo) -> str:
    """Return the state of a job, and what it means for its views."""
    match job.state:
        case "paused":
            return f"paused at {views(job)}: no further task starts until it is resumed"
        case "cancelling":
            return f"being cancelled: {running(job)} at the next view, what is rendered is kept"
        case "cancelled":
            return f"cancelled: {views(job)} are rendered and kept"
    lost = f", {counted(failed_tasks(job), 'task')} failed" if failed_tasks(job) else ""
    left_out = job.counts.get("left out", 0)
    lost += f", {counted(left_out, 'task')} left out" if left_out else ""
    state = "complete" if job.state == "completed" else job.state
    return f"{state}: {views(job)}{lost}"


def after(verb: str, job: JobInfo) -> str:
    """Say what a command has done to a job.

    Args:
        verb: `pause`, `resume`, `cancel`, `retry` or `priority`.
        job: As it stands after that.
    """
    if verb == "retry":
        return f"{label(job)}: {retried(job)}"
    if verb == "priority":
        return f"{label(job)} has the priority {job.priority} now; it {standing(job)}"
    if verb == "pause" and job.counts.get("running"):
        return f"{label(job)} {standing(job)}; {running(job, 'is', 'are')} finished first"
    return f"{label(job)} {standing(job)}"


def retried(job: JobInfo) -> str:
    """Say what a retry has put back, nothing included."""
    if job.retried is None:  # an older farm does not tell
        return f"its failed tasks are tried again; it {standing(job)}"
    if job.retried == 0:
        return f"nothing to retry: none of its {counted(job.tasks, 'task')} has failed"
    return (
        f"{counted(job.retried, 'failed task')} {'is' if job.retried == 1 else 'are'} tried again"
    )


def already_there(job: JobInfo) -> str:
    """Say that a submission asks for a job that the farm has."""
    again = "; to render it after all, delete it and submit it again"
    return f"{label(job)} is already there, {state_words(job)}{again * (job.state == 'cancelled')}"


def views(job: JobInfo) -> str:
    """Return how many views of a job are rendered: `8 of 16 views`."""
    return f"{job.views_done:,} of {counted(job.views, 'view')}"


def running(job: JobInfo, one: str = "stops", several: str = "stop") -> str:
    """Return how many tasks run, and what they do: `2 running tasks stop`."""
    count = job.counts.get("running", 0)
    return f"{counted(count, 'running task')} {one if count == 1 else several}"


def newest_failures(job: JobInfo) -> list[str]:
    """Return what failed last, the newest at the end; what failed alike more than once is one."""
    unlike = list(dict.fromkeys(reversed(job.failures)))[:FAILURES_SHOWN]
    return unlike[::-1]
