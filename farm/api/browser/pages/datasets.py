"""What is rendered, and two of them over each other."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from farm.api import jobs
from farm.api.access.owners import may_see, seen_jobs
from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking
from farm.api.problems import not_found
from farm.api.services import FarmServices
from farm.spec.wire import JOB_ID_PATTERN

router = APIRouter(include_in_schema=False)

DATASETS_AT_ONCE = 24


@router.get("/datasets")
def show_datasets(
    services: FarmServices, who: Looking, at: Annotated[int, Query(ge=1, le=100_000)] = 1
) -> Response:
    """Show what is rendered, the newest first."""
    begun = [status for status in seen_jobs(services, who.info) if status.views_done]
    begun.sort(key=lambda status: -status.created_s)
    pages = max(-(-len(begun) // DATASETS_AT_ONCE), 1)
    start = (min(at, pages) - 1) * DATASETS_AT_ONCE
    shown = begun[start : start + DATASETS_AT_ONCE]
    infos = [services.job_feed.info(status, whole=False) for status in shown]
    return page("datasets", who=who, jobs=infos, total=len(begun), at=min(at, pages), pages=pages)


@router.get("/compare")
def compare(
    services: FarmServices,
    who: Looking,
    job: Annotated[str, Query(pattern=JOB_ID_PATTERN)],
    other: Annotated[str, Query(pattern=JOB_ID_PATTERN)],
) -> Response:
    """Show the views of two jobs over each other."""
    infos = []
    for job_id in (job, other):
        status = jobs.find_status(services.ledger, job_id)
        if not may_see(services, who.info, status.owner):
            raise not_found(f"job {job_id}", "list the jobs: farm jobs")
        infos.append(services.job_feed.info(status, whole=False))
    return page("compare", who=who, one=infos[0], other=infos[1])
