"""The pages: what runs, what it looks like, what is wrong, what to do; a module for each."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import RedirectResponse, Response

from farm.api.browser.pages import account, assets, datasets, front, job, login, new, workers
from farm.api.browser.rendering import trouble
from farm.api.browser.visitor import SignInError
from farm.api.problems import on_http

PAGES = (login, front, job, new, assets, datasets, workers, account)


async def on_sign_in(_request: Request, error: Exception) -> Response:
    """Lead whoever has no token to where they can give one."""
    assert isinstance(error, SignInError)
    return RedirectResponse(error.place, 303)


def install(app: FastAPI) -> None:
    """Serve the pages."""
    for each in PAGES:
        app.include_router(each.router)
    app.add_exception_handler(SignInError, on_sign_in)
    app.add_exception_handler(StarletteHTTPException, on_problem)


async def on_problem(request: Request, error: Exception) -> Response:
    """Answer a problem as a page where a person looks at it, else as a document."""
    wants = request.headers.get("accept", "")
    if request.url.path.startswith("/v1") or "text/html" not in wants:
        return await on_http(request, error)
    assert isinstance(error, StarletteHTTPException)
    return trouble(error.status_code, str(error.detail), getattr(error, "remedy", ""))
