"""The page of a job, and what is pressed there."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from farm.api import jobs, streams
from farm.api.access.owners import seen_jobs
from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking, Pressing
from farm.api.problems import ApiProblem
from farm.api.routes.jobs import Change, change_job, steered
from farm.api.routes.parameters import JobId
from farm.api.sentences import shares, tab_title
from farm.api.services import FarmServices
from farm.spec.wire import JobInfo

router = APIRouter(include_in_schema=False)

OTHERS = 200
"""Most jobs that are offered for a comparison."""
VERBS = ("pause", "resume", "cancel", "retry")


@router.get("/jobs/{job_id}")
def show_job(services: FarmServices, who: Looking, job_id: JobId) -> Response:
    """Show a job."""
    info = services.job_feed.info(jobs.find_status(services.ledger, job_id))
    return job_page(services, who, streams.with_state(services, info))


@router.post("/jobs/{job_id}/priority")
def change_priority(services: FarmServices, fields: Pressing, job_id: JobId) -> Response:
    """Change the priority of a job."""
    text = fields.get("priority", "")
    if not text.lstrip("-").isdigit() or not -100 <= int(text) <= 100:
        raise ApiProblem(
            422, f"priority: {text[:20]!r} is not a whole number from -100 to 100", "correct it"
        )
    change_job(services, job_id, Change(priority=int(text)))
    return RedirectResponse(f"/jobs/{job_id}", 303)


@router.post("/jobs/{job_id}/{verb}")
def steer_job(services: FarmServices, _fields: Pressing, job_id: JobId, verb: str) -> Response:
    """Pause, resume, cancel or retry a job."""
    if verb not in VERBS:
        raise ApiProblem(404, f"a job cannot be told to {verb[:20]!r}", f"one of {VERBS}")
    steered(services, job_id, verb)
    return RedirectResponse(f"/jobs/{job_id}", 303)


def job_page(services: FarmServices, who: Looking, info: JobInfo) -> Response:
    """Return the page of a job."""
    others = [
        status
        for status in seen_jobs(services, who.info)
        if status.views_done and status.job_id != info.job_id
    ]
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
        spec=services.book.load(info.job_id),
    )
