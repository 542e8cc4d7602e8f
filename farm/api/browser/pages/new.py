"""The form for a new job."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking

router = APIRouter(include_in_schema=False)


@router.get("/new")
def ask_for_job(who: Looking) -> Response:
    """Show the form for a new job."""
    return page("new", who=who)
