"""The page of a job, its parts, and what is pressed there."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response

from farm.api import jobs, streams
from farm.api.access.owners import seen_jobs
from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking, Pressing
from farm.api.problems import ApiProblem, not_found
from farm.api.routes.jobs import Change, change_job, steered
from farm.api.routes.parameters import JobId
from farm.api.sentences import shares, tab_title
from farm.api.services import FarmServices, Services
from farm.api.tasks import steering
from farm.api.tasks.numbers import numbers_of
from farm.api.tasks.remarks import remarks
from farm.spec.base import first_reason
from farm.spec.job import Job
from farm.spec.wire import JobInfo, JobNumbers, TaskRetry

router = APIRouter(include_in_schema=False)

OTHERS = 200
"""Most jobs that are offered for a comparison."""
VERBS = ("pause", "resume", "cancel", "retry")
DIGITS = 12
"""Most of them that the number of a task has."""


@router.get("/jobs/{job_id}")
def show_job(services: FarmServices, who: Looking, job_id: JobId, task: str = "") -> Response:
    """Show a job."""
    info = services.job_feed.info(jobs.find_status(services.ledger, job_id))
    return job_page(services, who, streams.with_state(services, info), task)


@router.get("/jobs/{job_id}/parts/{name}")
def show_part(
    services: FarmServices, who: Looking, job_id: JobId, name: str, task: str = ""
) -> Response:
    """Show a part of the page of a job again."""
    info = services.job_feed.info(jobs.find_status(services.ledger, job_id), whole=False)
    given: dict[str, Any] = {}
    if name == "trouble":
        given = wrong_with(services, services.book.load(job_id), job_id)
    elif name == "task":
        given = looked_at(services, services.book.load(job_id), job_id, task)
    elif name == "numbers":
        given = {"numbers": told_in_numbers(services, job_id)}
    elif name != "actions":
        raise not_found(f"part {name[:40]!r}", "load the page again")
    may_change = who.may_change(info.owner)
    return page(f"job/parts/{name}", who=who, job=info, may_change=may_change, **given)


@router.post("/jobs/{job_id}/priority")
def change_priority(
    services: FarmServices, fields: Pressing, job_id: JobId, request: Request
) -> Response:
    """Change the priority of a job."""
    info = change_job(services, job_id, change_in(fields))
    return answered(request, job_id, f"the priority is {info.priority} now")


@router.post("/jobs/{job_id}/tasks/{verb}")
def steer_tasks(
    services: FarmServices, fields: Pressing, job_id: JobId, verb: str, request: Request
) -> Response:
    """Try some tasks of a job again, or leave them out."""
    choice = choice_in(fields)
    if verb == "retry":
        told = steering.retry(services, job_id, choice)
    elif verb == "leave-out":
        told = steering.leave_out(services, job_id, choice)
    else:
        raise ApiProblem(404, f"tasks cannot be told to {verb[:20]!r}", "retry or leave-out")
    return answered(request, job_id, told.sentence, tasks=told.tasks, next=told.next)


@router.post("/jobs/{job_id}/{verb}")
def steer_job(
    services: FarmServices, _fields: Pressing, job_id: JobId, verb: str, request: Request
) -> Response:
    """Pause, resume, cancel or retry a job."""
    if verb not in VERBS:
        raise ApiProblem(404, f"a job cannot be told to {verb[:20]!r}", f"one of {VERBS}")
    info = steered(services, job_id, verb)
    return answered(request, job_id, info.sentence)


def change_in(fields: dict[str, str]) -> Change:
    """Return the change that a form asks for.

    Raises:
        ApiProblem: Its number is not one.
    """
    text = fields.get("priority", "")
    try:
        return Change.model_validate({"priority": text})
    except ValidationError:
        raise ApiProblem(
            422, f"priority: {text[:20]!r} is not a whole number from -100 to 100", "correct it"
        ) from None


def answered(request: Request, job_id: str, sentence: str, **told: Any) -> Response:
    """Answer what was pressed: a script in words, a form with the page."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"sentence": sentence, **told})
    return RedirectResponse(f"/jobs/{job_id}", 303)


def choice_in(fields: dict[str, str]) -> TaskRetry:
    """Return the tasks that a form means.

    Raises:
        ApiProblem: It does not say which.
    """
    given: dict[str, Any] = {name: fields.get(name, "") for name in ("cause", "group", "asset")}
    if fields.get("index"):
        given["indices"] = [fields["index"]]
    given |= {"cursor": fields.get("cursor") or 0, "elsewhere": bool(fields.get("elsewhere"))}
    try:
        return TaskRetry.model_validate(given)
    except ValidationError as error:
        raise ApiProblem(422, first_reason(error), "load the page again") from error


def job_page(services: FarmServices, who: Looking, info: JobInfo, task: str = "") -> Response:
    """Return the page of a job."""
    others = [
        status
        for status in seen_jobs(services, who.info)
        if status.views_done and status.job_id != info.job_id
    ]
    spec = services.book.load(info.job_id)
    return page(
        "job",
        who=who,
        job=info,
        may_change=who.may_change(info.owner),
        shares=shares(info),
        title=tab_title(info),
        others=[
            (status.job_id, status.name or services.book.name(status.job_id))
            for status in others[-OTHERS:]
        ],
        spec=spec,
        numbers=told_in_numbers(services, info.job_id),
        **wrong_with(services, spec, info.job_id),
        **looked_at(services, spec, info.job_id, task),
    )


def told_in_numbers(services: Services, job_id: str) -> JobNumbers | None:
    """Return what a page says of what a job took."""
    status = services.ledger.job(job_id)
    return numbers_of(services, status) if status else None


def wrong_with(services: Services, job: Job | None, job_id: str) -> dict[str, Any]:
    """Return what a page says of what went wrong in a job."""
    status = services.ledger.job(job_id)
    if job is None or status is None:
        return {"troubles": (), "remarks": ()}
    found = services.troubles.of(services.ledger, job, status)
    return {"troubles": found, "remarks": remarks(services, job)}


def looked_at(services: Services, job: Job | None, job_id: str, index: str) -> dict[str, Any]:
    """Return what a page says of the task that somebody looks at."""
    status = services.ledger.job(job_id)
    if not index or job is None or status is None:
        return {"task": None, "no_task": ""}
    if not (index.isascii() and index.isdigit() and len(index) <= DIGITS):
        return {"task": None, "no_task": f"{index[:20]!r} is not the number of a task."}
    try:
        return {
            "task": jobs.find_task(services.ledger, job, status, int(index)),
            "no_task": "",
        }
    except ApiProblem as problem:
        return {"task": None, "no_task": f"{problem.detail}: {problem.remedy}."}
