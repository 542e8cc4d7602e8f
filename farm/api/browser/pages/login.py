"""Logging in and out, and what browsers ask for by themselves."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from farm.api.browser import cookies
from farm.api.browser.rendering import page, static_file
from farm.api.browser.visitor import Looking, OwnForm, form_of, left_s, own_place
from farm.api.problems import ApiProblem
from farm.api.services import FarmServices

router = APIRouter(include_in_schema=False)


@router.get("/static/{version}/{name}")
def static(version: str, name: str) -> Response:
    """Serve a script or style; the version is in the address so that browsers may keep it."""
    return static_file(name, version)


@router.get("/favicon.ico")
def favicon() -> Response:
    """Serve what browsers ask for by themselves."""
    return static_file("icon.svg")


@router.get("/flower")
def flower(services: FarmServices, _who: Looking) -> Response:
    """Lead to Flower; where it is not known, say how to start it."""
    if services.settings.flower_url:
        return RedirectResponse(services.settings.flower_url, 303)
    raise ApiProblem(
        404,
        "this farm does not know where its Flower is",
        "start it with farm flower, and set FARM_FLOWER_URL for the API to the address at which "
        "browsers reach it",
    )


@router.get("/login")
def ask_token(next: str = "/") -> Response:  # noqa: A002 - the word in the address
    """Ask for a token."""
    return page("login", next=own_place(next), fault="")


@router.post("/login")
async def take_token(request: Request, services: FarmServices) -> Response:
    """Exchange a token for a cookie."""
    fields = await form_of(request)
    fault = "This token is not known here, has expired, or was revoked."
    token, wanted = fields.get("token", "").strip(), fields.get("next", "/")
    return await logged_in(request, services, token, wanted, fault=fault)


@router.get("/enter/{code}")
async def enter(
    request: Request,
    services: FarmServices,
    code: str,
    next: str = "/",  # noqa: A002 - the word in the address
) -> Response:
    """Log a browser in that `farm open` has opened."""
    fault = "This address was good once, for a minute: run `farm open` again."
    return await logged_in(request, services, services.codes.take(code), next, fault=fault)


async def logged_in(
    request: Request, services: FarmServices, token: str | None, wanted: str, *, fault: str
) -> Response:
    """Let a browser keep a token and lead it to a place; where the token is not good, ask again."""
    wanted = own_place(wanted)
    info = await run_in_threadpool(services.tokens.check, token) if token else None
    if token is None or info is None:
        await services.guesses.slow_down(request.client.host if request.client else "")
        return page("login", status=401, next=wanted, fault=fault)
    answer = RedirectResponse(wanted, 303)
    cookies.keep(answer, token, secure=request.url.scheme == "https", left_s=left_s(info))
    return answer


@router.post("/logout")
def forget_token(_fields: OwnForm) -> Response:
    """Let the browser forget its token."""
    answer = RedirectResponse("/login", 303)
    cookies.forget(answer)
    return answer
