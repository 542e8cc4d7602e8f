"""Who is asking, how the farm stands, health and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from farm.api import health, status
from farm.api.access.auth import token_of
from farm.api.services import Caller, FarmServices
from farm.spec.wire import FarmStatus, SignInCode, TokenInfo

router = APIRouter(tags=["farm"])
open_router = APIRouter(tags=["farm"])
"""Responses for monitoring, without a token."""


@router.get("/v1/status", summary="Show the farm at one moment")
def show_status(services: FarmServices, caller: Caller) -> FarmStatus:
    """Room on the storage, tokens, workers, jobs; for admins also which datasets need a look."""
    return status.farm_status(services, caller)


@router.get("/v1/whoami", summary="Show the token in use")
def whoami(caller: Caller) -> TokenInfo:
    """Its name and role, and when it expires."""
    return caller


@router.get("/v1/sign-in-code", summary="Ask for a code that logs a browser in")
def sign_in_code(services: FarmServices, request: Request, response: Response) -> SignInCode:
    """It is good once, within a minute, at `/enter/CODE`: what `farm open` opens."""
    response.headers["Cache-Control"] = "no-store"
    return SignInCode(code=services.codes.give(token_of(request.scope)))


@open_router.get("/health", summary="Ask whether the API works", response_class=PlainTextResponse,
            responses={503: {"description": "Something that the API needs is not "
            "available"}})  # fmt: skip
def show_health(services: FarmServices) -> PlainTextResponse:
    """One line for Redis and one for the storage; no token needed."""
    found = list(health.checks(services))
    text = "".join(f"{sentence}\n" for _, _, sentence in found)
    return PlainTextResponse(text, 200 if all(works for _, works, _ in found) else 503)


@open_router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
def show_metrics(request: Request) -> Response:
    """Jobs, tasks, workers, views, requests; no token needed."""
    text = generate_latest(request.app.state.metrics.registry)
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)
