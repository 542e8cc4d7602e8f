"""Errors as problem documents (RFC 9457), each with its remedy."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from farm.errors import (
    DamagedLedgerError,
    FarmError,
    SetupError,
    SpecError,
    StorageError,
    UnreachableError,
    UnreadableJobError,
)
from farm.spec.load import sentence
from farm.spec.wire import Problem

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
SENTENCES_TOLD = 50
FASTAPI_UNREADABLE = "There was an error parsing the body"

SEND_AGAIN = "correct it and send it again"
REMEDIES: dict[type[FarmError], tuple[int, str]] = {
    SetupError: (503, "the farm's operator must fix this"),
    SpecError: (422, SEND_AGAIN),
    UnreadableJobError: (
        409,
        "the farm's operator must mend that; other jobs go on",
    ),
    StorageError: (503, "make room on the farm's storage or repair it, then try again"),
    DamagedLedgerError: (
        503,
        "wait: the dispatcher restores it from the storage",
    ),
    UnreachableError: (503, "wait, or start Redis again; nothing that was accepted is lost"),
}


class ApiProblem(HTTPException):
    """An error that a client can act on."""

    def __init__(
        self, status: int, detail: str, remedy: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.remedy = remedy


def not_found(what: str, remedy: str) -> ApiProblem:
    """Return the problem of something that does not exist."""
    return ApiProblem(404, f"{what} does not exist", remedy)


def respond(
    request_path: str,
    *,
    status: int,
    detail: str,
    remedy: str,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Return a problem document."""
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        remedy=remedy,
        instance=request_path,
    )
    content = problem.model_dump(mode="json")
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(StarletteHTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(FarmError, on_farm_error)
    app.add_exception_handler(ClientDisconnect, on_leaving)
    app.add_exception_handler(Exception, on_bug)


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """Answer our own problems and those of the framework."""
    assert isinstance(error, StarletteHTTPException)
    remedy = SEND_AGAIN if error.status_code == 400 else "see /docs for all routes"
    remedy = getattr(error, "remedy", remedy)
    detail = str(error.detail)
    if detail == FASTAPI_UNREADABLE:
        detail = "the body is JSON that cannot be read: it is nested too deeply, or holds "
        detail += "a number of thousands of digits"
    return respond(
        request.url.path,
        status=error.status_code,
        detail=detail,
        remedy=remedy,
        headers=dict(error.headers or {}),
    )


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that does not fit its model, in the words of the command line."""
    assert isinstance(error, RequestValidationError)
    told = [say(problem) for problem in error.errors()[:SENTENCES_TOLD]]
    return respond(request.url.path, status=422, detail="\n".join(told), remedy=SEND_AGAIN)


def say(problem: Any) -> str:
    """Return a fault that pydantic found in a request, as a sentence."""
    if problem["type"] == "json_invalid":
        return "the body is not JSON"
    if tuple(problem["loc"]) == ("body",) and problem["type"] != "value_error":
        return "the body is not a JSON object sent with `Content-Type: application/json`"
    place = list(problem["loc"])
    if place[:1] in (["body"], ["query"], ["path"], ["header"]):
        place = place[1:]
    return sentence({**problem, "loc": place}, within=("spec",))


async def on_farm_error(request: Request, error: Exception) -> JSONResponse:
    """Answer our own errors by their kind."""
    for kind, (status, remedy) in REMEDIES.items():
        if isinstance(error, kind):
            if status >= 500:
                log.warning("%s", error)
            return respond(request.url.path, status=status, detail=str(error), remedy=remedy)
    log.error("unexpected error path=%s", request.url.path, exc_info=error)
    return await on_bug(request, error)


async def on_leaving(request: Request, error: Exception) -> JSONResponse:
    """Answer, for the metrics, a client that has left; an upload resumes when it is back."""
    detail, remedy = "the connection was closed", "connect again and resume"
    return respond(request.url.path, status=400, detail=detail, remedy=remedy)


async def on_bug(request: Request, error: Exception) -> JSONResponse:
    """Answer an unexpected error without telling the client its details."""
    remedy = "try again; if this persists, tell the farm's operator: the API's log says more"
    return respond(request.url.path, status=500, detail="internal error of the farm", remedy=remedy)
