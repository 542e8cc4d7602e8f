"""`/v1/jobs`: submit, look, steer, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from farm.api import deletion, jobs, streams
from farm.api.access.owners import seen_jobs
from farm.api.datasets.last_picture import last_picture
from farm.api.problems import not_found
from farm.api.routes.parameters import NO_SNIFFING, Cursor, DryRun, JobId, Limit
from farm.api.services import Caller, FarmServices, Services
from farm.api.submission import additions, submit
from farm.api.tasks.numbers import numbers_of
from farm.glimpses import NumberedGlimpse
from farm.ledger import JobState
from farm.spec.base import Spec
from farm.spec.wire import (
    AdditionInfo,
    AdditionWish,
    Deletion,
    JobInfo,
    JobNumbers,
    Page,
    Submission,
)

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


class Change(Spec):
    """What may be changed in a job."""

    priority: int = Field(ge=-100, le=100)
    """Higher goes first."""


@router.post("", status_code=201, summary="Submit a spec with its assets", responses={
    200: {"model": JobInfo, "description": "The same job exists already, or this was only a "
    "validation"},
})  # fmt: skip
def submit_job(
    services: FarmServices,
    caller: Caller,
    submission: Submission,
    response: Response,
    *,
    validate_only: Annotated[bool, Query(description="Check everything, keep nothing.")] = False,
) -> JobInfo:
    """Every file must be in the library first: ask `/v1/assets/missing`, then upload."""
    if validate_only:
        response.status_code = 200
        return submit.validate(services, submission, caller)
    info, new = submit.submit(services, submission, caller)
    response.status_code = 201 if new else 200
    return info


@router.get("", summary="List jobs, the newest first")
def list_jobs(
    services: FarmServices,
    caller: Caller,
    state: JobState | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[JobInfo]:
    """To see what a job waits for and what failed last, ask for that job alone."""
    seen = seen_jobs(services, caller)
    page, after = jobs.list_jobs(seen, state=state, cursor=cursor, limit=limit)
    items = tuple(services.job_feed.info(status, whole=False) for status in page)
    return Page[JobInfo](items=items, next=after)


@router.get("/{job_id}", summary="Show a job")
def show_job(services: FarmServices, job_id: JobId) -> JobInfo:
    """Counts, speed, what it waits for, the newest failures."""
    info = services.job_feed.info(jobs.find_status(services.ledger, job_id))
    return streams.with_state(services, info)


@router.get("/{job_id}/numbers", summary="Show what a job took, in numbers")
def numbers(services: FarmServices, job_id: JobId) -> JobNumbers:
    """Speed over time, seconds by stage, failed attempts by cause, the time of workers."""
    return numbers_of(services, jobs.find_status(services.ledger, job_id))


@router.get("/{job_id}/newest", summary="List the newest pictures of a job")
def newest(services: FarmServices, job_id: JobId) -> tuple[NumberedGlimpse, ...]:
    """The newest first, two dozen at most; while a job renders, and a day after."""
    jobs.find_status(services.ledger, job_id)
    return services.glimpses.newest(job_id) if services.glimpses else ()


@router.get("/{job_id}/newest/{number}", summary="Show one of the newest pictures of a job",
            response_class=Response, responses={200: {"content": {"image/webp": {}}}})  # fmt: skip
def glimpse(
    services: FarmServices, job_id: JobId, number: Annotated[int, Path(ge=0, le=2**53)]
) -> Response:
    """A small WebP; gone when newer ones have taken its place."""
    data = services.glimpses.picture(job_id, number) if services.glimpses else None
    if data is None:
        raise not_found(f"picture {number} of job {job_id}", "ask again for the newest ones")
    headers = {"Cache-Control": "private, max-age=86400, immutable", **NO_SNIFFING}
    return Response(data, 200, headers, "image/webp")


@router.get("/{job_id}/picture", summary="Show the last picture of a job",
            response_class=Response, responses={200: {"content": {"image/webp": {}}}})  # fmt: skip
def show_last_picture(services: FarmServices, job_id: JobId) -> Response:
    """The newest one as a small WebP; of a job of long ago that of its first view."""
    data = last_picture(services, job_id)
    headers = {"Cache-Control": "private, max-age=60", **NO_SNIFFING}
    return Response(data, 200, headers, "image/webp")


@router.post("/{job_id}/pause", summary="Start no more tasks of a job")
def pause_job(services: FarmServices, job_id: JobId) -> JobInfo:
    """Running tasks are finished."""
    return steered(services, job_id, "pause")


@router.post("/{job_id}/resume", summary="Resume a paused job")
def resume_job(services: FarmServices, job_id: JobId) -> JobInfo:
    """It continues where it was."""
    return steered(services, job_id, "resume")


@router.post("/{job_id}/cancel", summary="Cancel what is left of a job")
def cancel_job(services: FarmServices, job_id: JobId) -> JobInfo:
    """Running tasks stop at their next view; rendered views are kept."""
    return steered(services, job_id, "cancel")


@router.post("/{job_id}/retry", summary="Try failed tasks again")
def retry_job(services: FarmServices, job_id: JobId) -> JobInfo:
    """Tasks that failed or were set aside start with a clean slate."""
    return steered(services, job_id, "retry")


@router.patch("/{job_id}", summary="Change a job's priority")
def change_job(services: FarmServices, job_id: JobId, change: Change) -> JobInfo:
    """Jobs of a higher priority are served first."""
    jobs.find_status(services.ledger, job_id)
    services.ledger.set_priority(job_id, change.priority)
    return remembered(services, job_id)


@router.delete("/{job_id}", summary="Delete a job with its logs and datasets")
def delete_job(services: FarmServices, job_id: JobId, *, dry_run: DryRun = False) -> Deletion:
    """The job must be over; its assets stay in the library."""
    return deletion.delete_job(services, job_id, dry_run=dry_run)


@router.post("/{job_id}/passes", status_code=201, summary="Add passes to the views of a job",
             responses={
    200: {"model": AdditionInfo, "description": "Nothing is missing, such a job runs already, or "
    "this was only a validation"},
})  # fmt: skip
def add_passes(  # noqa: PLR0913 - what a route takes
    services: FarmServices,
    caller: Caller,
    job_id: JobId,
    wish: AdditionWish,
    response: Response,
    *,
    validate_only: Annotated[bool, Query(description="Check everything, keep nothing.")] = False,
) -> AdditionInfo:
    """By a job of its own, from the records of the views, whichever release rendered them."""
    if validate_only:
        response.status_code = 200
        return additions.plan_of(services, job_id, wish)
    info, new = additions.add_passes(services, job_id, wish, caller)
    response.status_code = 201 if new else 200
    return info


def steered(services: Services, job_id: str, verb: str) -> JobInfo:
    """Steer a job and return its new state."""
    if verb == "retry":
        additions.check_retry(services, job_id)
    retried = jobs.steer(services.ledger, job_id, verb)
    return remembered(services, job_id).model_copy(update={"retried": retried})


def remembered(services: Services, job_id: str) -> JobInfo:
    """Return the state of a job, and note on storage what the user wants of it."""
    status = jobs.find_status(services.ledger, job_id)
    jobs.remember(services.book, status)
    return services.job_feed.info(status)
