"""What the farm does: its jobs and its workers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from farm.api import workers
from farm.api.access.owners import seen_jobs
from farm.api.browser.job_list import STATES, JobList, listed
from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking
from farm.api.sentences import farm_sentence, farm_title, farm_tone, shares
from farm.api.services import FarmServices

router = APIRouter(include_in_schema=False)


@router.get("/")
def front(services: FarmServices, who: Looking, wanted: Annotated[JobList, Query()]) -> Response:
    """Show what the farm does."""
    found = seen_jobs(services, who.info)
    infos = [services.job_feed.info(status, whole=False) for status in found]
    crew = workers.seen_workers(services, who.info)
    return page(
        "front",
        who=who,
        sentence=farm_sentence(infos, crew),
        title=farm_title(infos),
        tone=farm_tone(infos),
        jobs=listed(infos, wanted),
        wanted=wanted,
        states=STATES,
        owners=sorted({info.owner for info in infos if info.owner}),
        workers=crew,
        shares=shares,
    )
