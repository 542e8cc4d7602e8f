"""`/v1/jobs/{job}/tasks`: the state of each, and its logs."""

from __future__ import annotations

import zlib
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response

from farm.api import jobs, logs
from farm.api.problems import not_found
from farm.api.routes.parameters import NO_SNIFFING, Cursor, Index, JobId, Limit
from farm.api.services import FarmServices, Services
from farm.api.tasks import pictures, remarks, steering
from farm.ledger import TaskState
from farm.spec.wire import Page, Remark, TaskChoice, TaskInfo, TaskRetry, TasksChanged, TroubleGroup

router = APIRouter(prefix="/v1/jobs/{job_id}/tasks", tags=["tasks"])


@router.get("", summary="List the tasks of a job")
def list_tasks(
    services: FarmServices,
    job_id: JobId,
    state: TaskState | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[TaskInfo]:
    """By index, with the attempts that failed."""
    status = jobs.find_status(services.ledger, job_id)
    job = jobs.find_job(services.book, job_id)
    return jobs.list_tasks(services.ledger, job, status, state=state, cursor=cursor, limit=limit)


@router.get("/bitmap", summary="Show the state of every task", response_class=PlainTextResponse)
def bitmap(services: FarmServices, job_id: JobId) -> Response:
    """A letter for each task, by index: p pending, q queued, r running, d done, f failed,
    s set aside, l left out."""
    jobs.find_status(services.ledger, job_id)
    data = zlib.compress("".join(services.ledger.codes(job_id)).encode(), level=1)
    headers = {"Content-Encoding": "deflate", "Cache-Control": "no-store", "Vary": "Accept"}
    headers |= NO_SNIFFING
    return Response(data, 200, headers, "text/plain")


@router.get("/troubles", summary="Group what went wrong")
def troubles_of(services: FarmServices, job_id: JobId) -> tuple[TroubleGroup, ...]:
    """By cause and sentence, the most frequent first."""
    status = jobs.find_status(services.ledger, job_id)
    return services.troubles.of(services.ledger, jobs.find_job(services.book, job_id), status)


@router.get("/remarks", summary="List what is to be known of a job's assets")
def remarks_on(services: FarmServices, job_id: JobId) -> tuple[Remark, ...]:
    """Textures that lack, and licences that forbid something, though nothing has failed."""
    jobs.find_status(services.ledger, job_id)
    return remarks.remarks(services, jobs.find_job(services.book, job_id))


@router.post("/retry", summary="Try some tasks again")
def retry(services: FarmServices, job_id: JobId, choice: TaskRetry) -> TasksChanged:
    """Named, or all that share a cause, a group of troubles or an asset; also what was left out."""
    return steering.retry(services, job_id, choice)


@router.post("/leave-out", summary="Leave some tasks out of a job")
def leave_out(services: FarmServices, job_id: JobId, choice: TaskChoice) -> TasksChanged:
    """The job completes without these, and its dataset says so; a retry takes them back in."""
    return steering.leave_out(services, job_id, choice)


@router.get("/{index}", summary="Show a task")
def show_task(services: FarmServices, job_id: JobId, index: Index) -> TaskInfo:
    """Its state, and the attempts that failed."""
    return found(services, job_id, index)


@router.get("/{index}/picture", summary="Show a small picture of a task", response_class=Response,
            responses={200: {"content": {"image/webp": {}}}})  # fmt: skip
def picture(services: FarmServices, job_id: JobId, index: Index) -> Response:
    """A WebP of its newest view; where it has none, of another one of its first asset."""
    job = jobs.find_job(services.book, job_id)
    data = pictures.picture_of(services, job, found(services, job_id, index))
    if data is None:
        raise not_found(f"a picture of task {index} of job {job_id}", "wait for its first view")
    return Response(
        data, 200, {"Cache-Control": "private, max-age=60", **NO_SNIFFING}, "image/webp"
    )


@router.get("/{index}/log", summary="Read the log of an attempt", response_class=PlainTextResponse)
def read_log(
    services: FarmServices,
    job_id: JobId,
    index: Index,
    attempt: Annotated[
        int | None,
        Query(ge=1, le=1_000_000_000, description="Number of the attempt; left out: the newest."),
    ] = None,
) -> PlainTextResponse:
    """The log of one attempt; if it is very long, its end."""
    task = found(services, job_id, index)
    text = logs.read_log(services.storage, job_id, task, attempt)
    return PlainTextResponse(text.decode(errors="replace"), headers=NO_SNIFFING)


def found(services: Services, job_id: str, index: int) -> TaskInfo:
    """Return a task that exists."""
    status = jobs.find_status(services.ledger, job_id)
    return jobs.find_task(services.ledger, jobs.find_job(services.book, job_id), status, index)
