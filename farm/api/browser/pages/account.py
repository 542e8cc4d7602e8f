"""Whoever looks, their tokens, and what they take."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking
from farm.api.services import FarmServices
from farm.api.status import farm_status

router = APIRouter(include_in_schema=False)


@router.get("/account")
def account(services: FarmServices, who: Looking) -> Response:
    """Show whoever looks, their tokens and what they take."""
    return page("account", who=who, farm=farm_status(services, who.info))
