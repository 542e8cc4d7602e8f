"""The workers, and what is pressed there."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from farm.api import workers
from farm.api.browser.crew_list import CrewList, listed
from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking, Pressing, own_place
from farm.api.crew import draining
from farm.api.routes.workers import WorkerName
from farm.api.services import Caller, FarmServices
from farm.spec.role import allows
from farm.spec.wire import WorkerState

router = APIRouter(include_in_schema=False)

LOST_SHOWN = 50


@router.get("/workers")
def show_workers(
    services: FarmServices, who: Looking, wanted: Annotated[CrewList, Query()]
) -> Response:
    """Show the workers."""
    crew = workers.seen_workers(services, who.info)
    lost = workers.lost_workers(services, who.info)
    return page(
        "workers",
        who=who,
        workers=crew,
        part=listed(crew, wanted),
        wanted=wanted,
        states=get_args(WorkerState),
        lost=lost[:LOST_SHOWN],
        more_lost=len(lost) - LOST_SHOWN,
        may_drain=allows(who.info.role, "admin"),
    )


@router.get("/workers/glance")
def glance(services: FarmServices, who: Looking) -> Response:
    """Show all workers as a strip, as the front page has it."""
    return page("workers_glance", workers=workers.seen_workers(services, who.info))


@router.post("/workers/{name:path}/drain")
def drain(services: FarmServices, fields: Pressing, caller: Caller, name: WorkerName) -> Response:
    """Let a worker take no more tasks."""
    draining.drain(services, caller, name)
    return RedirectResponse(own_place(fields.get("next", "/workers")), 303)


@router.post("/workers/{name:path}/undrain")
def undrain(services: FarmServices, fields: Pressing, caller: Caller, name: WorkerName) -> Response:
    """Let a worker take tasks again."""
    draining.undrain(services, caller, name)
    return RedirectResponse(own_place(fields.get("next", "/workers")), 303)
