"""The workers."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from farm.api import workers
from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking
from farm.api.services import FarmServices

router = APIRouter(include_in_schema=False)


@router.get("/workers")
def show_workers(services: FarmServices, who: Looking) -> Response:
    """Show the workers."""
    return page("workers", who=who, workers=workers.seen_workers(services, who.info))
