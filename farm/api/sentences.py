"""How a farm and its jobs stand, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from farm.spec.amounts import duration
from farm.spec.counted import counted
from farm.spec.wire import JobInfo, Tone, WorkerInfo

OVER = ("completed", "cancelled", "failed")
BARS = (
    ("done", "finished"),
    ("running", "running"),
    ("failed", "failed"),
    ("set aside", "set aside"),
    ("left out", "left out"),
    ("cancelled", "cancelled"),
)
"""States of tasks that a bar shows, and their words; the rest is to come."""


def farm_sentence(jobs: Sequence[JobInfo], workers: Sequence[WorkerInfo]) -> str:
    """Say in one sentence how a farm stands."""
    running = [job for job in jobs if job.state == "running"]
    resting = sum(worker.quarantine is not None for worker in workers)
    crew = counted(len(workers), "worker") if workers else "no worker"
    parts = [
        f"{counted(len(running), 'job')} running on {crew}"
        if running
        else f"nothing is running; {crew} {'is' if len(workers) < 2 else 'are'} here",
    ]
    if resting:
        parts.append(f"{resting} in quarantine")
    if drained := sum(worker.drained is not None for worker in workers):
        parts.append(f"{drained} drained")
    if rate := sum(job.views_per_s or 0.0 for job in running):
        parts.append(f"{rate:.3g} views per second")
    if ends := [job.eta_s for job in running if job.eta_s is not None]:
        parts.append(f"all done in about {duration(max(ends))}")
    if failed := sum(lost(job) > 0 for job in jobs):
        parts.append(f"{counted(failed, 'job')} with failures")
    sentence = ", ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def farm_title(jobs: Sequence[JobInfo]) -> str:
    """Return the title of a farm's page, as a tab shows it: `2 running · Viewfarm`."""
    running = sum(job.state == "running" for job in jobs)
    return f"{running:,} running · Viewfarm" if running else "Viewfarm"


def farm_tone(jobs: Sequence[JobInfo]) -> Tone:
    """Return how a farm stands, in a word: what is over and looked at is no trouble any more."""
    open_ = [job for job in jobs if job.state not in OVER]
    if any(lost(job) for job in open_):
        return "troubled"
    return "runs" if any(job.state == "running" for job in open_) else "rests"


def job_sentence(job: JobInfo) -> str:
    """Say in one sentence how a job stands, and why."""
    parts = [state_of(job), f"{job.views_done:,} of {counted(job.views, 'view')}"]
    if job.views and job.state != "completed":
        parts[-1] += f" ({percent(job)} %)"
    if job.eta_s is not None:
        parts.append(f"about {duration(job.eta_s)} left")
    if count := lost(job):
        parts.append(f"{counted(count, 'task')} failed")
    if count := job.counts.get("left out", 0):
        parts.append(f"{counted(count, 'task')} left out")
    if job.waits_for:
        parts.append(f"waits: {job.waits_for}")
    if job.added_by:
        parts.append(f"passes are being added by job {', '.join(job.added_by)}")
    sentence = ", ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def with_words(job: JobInfo) -> JobInfo:
    """Add to a job how it stands, in a sentence and in a title."""
    words = {"sentence": job_sentence(job), "title": tab_title(job), "tone": tone_of(job)}
    return job.model_copy(update=words)


def tone_of(job: JobInfo) -> Tone:
    """Return how a job stands, in a word."""
    if lost(job) or job.state == "failed":
        return "troubled"
    if job.state in ("running", "completed"):
        return "runs" if job.state == "running" else "done"
    return "rests"


def state_of(job: JobInfo) -> str:
    """Return the word for a job's state."""
    if job.finishing:
        return "being finished"
    return "complete" if job.state == "completed" else job.state


def percent(job: JobInfo) -> int:
    """Return how much of a job is rendered, a whole number of per cent that is 100 at the end."""
    return int(100 * job.views_done / job.views) if job.views else 0


def lost(job: JobInfo) -> int:
    """Return how many tasks of a job have failed for good."""
    return job.counts.get("failed", 0) + job.counts.get("set aside", 0)


def shares(job: JobInfo) -> list[tuple[str, str, float]]:
    """Return the parts of a job's bar: state, words, per cent."""
    total = max(job.tasks, 1)
    return [
        (state, f"{job.counts.get(state, 0):,} {word}", 100 * job.counts.get(state, 0) / total)
        for state, word in BARS
        if job.counts.get(state)
    ]


def tab_title(job: JobInfo) -> str:
    """Return the title of a job's page, as a tab shows it: `61 % chairs`."""
    state = "" if job.state in ("running", "queued") else f"{state_of(job)} · "
    return f"{state}{percent(job)} % {job.name}"
