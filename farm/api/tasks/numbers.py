"""What a job took, in numbers: bounded, and without a look at the storage."""

from __future__ import annotations

from farm.api.services import Services
from farm.job_store import LOST
from farm.ledger import JobState, JobStatus, TaskState
from farm.spec.wire import JobInfo, JobNumbers, SpeedPoint, StageTime, WorkerTime
from farm.tallies.model import STAGES, LinePoint, Tally


def numbers_of(services: Services, status: JobStatus) -> JobNumbers:
    """Return what a job took so far."""
    info = services.job_feed.info(status, whole=False)
    tally = services.tallies.read(status.job_id) if services.tallies else Tally()
    stages = stages_of(tally)
    return JobNumbers(
        views=status.views,
        views_done=status.views_done,
        views_lost=views_lost(status),
        **speed_of(info, status),
        line=tuple(map(speed_at, tally.line)),
        step_s=tally.line[0].seconds if tally.line else None,
        timed_views=tally.timed,
        stages=stages,
        sampling_share=next((each.share for each in stages if each.name == "sample"), None),
        causes=status.causes,
        workers=tuple(
            WorkerTime(worker=each.node, seconds=each.seconds, views=each.views)
            for each in tally.workers
        ),
        workers_s=sum(each.seconds for each in tally.workers),
    )


def speed_of(info: JobInfo, status: JobStatus) -> dict[str, float | None]:
    """Return how fast a job is now, and how long it still takes."""
    if status.over:
        return {"views_per_s": None, "eta_s": None}
    return {"views_per_s": info.views_per_s, "eta_s": info.eta_s}


def views_lost(status: JobStatus) -> int:
    """Return how many views a job goes without, by failures and what was left out."""
    gone = sum(status.counts[state] for state in (*LOST, TaskState.LEFT_OUT))
    if not gone or status.state in (JobState.CANCELLING, JobState.CANCELLED):
        return 0
    if status.over:
        return max(status.views - status.views_done, 0)
    return round(gone * status.views / max(status.tasks, 1))  # roughly: tasks differ


def stages_of(tally: Tally) -> tuple[StageTime, ...]:
    """Return where the time of a job's views goes."""
    total = sum(tally.stages.values())
    if not tally.timed or not total:
        return ()
    return tuple(
        StageTime(
            name=name,
            seconds_per_view=tally.stages[name] / tally.timed,
            share=tally.stages[name] / total,
        )
        for name in STAGES
    )


def speed_at(point: LinePoint) -> SpeedPoint:
    """Return how fast a job was in a step of time."""
    return SpeedPoint(start_s=point.start_s, views_per_s=point.views / point.seconds)
