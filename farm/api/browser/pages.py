"""The pages: what runs, what it looks like, what is wrong, what to do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import RedirectResponse, Response

from farm.api import jobs, streams, workers
from farm.api.access.owners import may_see, seen_jobs
from farm.api.browser import cookies
from farm.api.browser.job_list import JobList, listed
from farm.api.browser.rendering import page, static_file, trouble
from farm.api.browser.visitor import (
    Looking,
    OwnForm,
    Pressing,
    SignInError,
    form_of,
    left_s,
    own_place,
)
from farm.api.browser.words import farm_sentence, job_sentence, shares, title_of
from farm.api.problems import ApiProblem, not_found, on_http
from farm.api.routes.jobs import Change, change_job, steered
from farm.api.routes.parameters import JobId
from farm.api.services import FarmServices
from farm.api.status import farm_status
from farm.spec.wire import JOB_ID_PATTERN, JobInfo

router = APIRouter(include_in_schema=False)

DATASETS_AT_ONCE = 24
OTHERS = 200
"""Most jobs that are offered for a comparison."""
VERBS = ("pause", "resume", "cancel", "retry")


@router.get("/static/{version}/{name}")
def static(version: str, name: str) -> Response:
    """Serve a script or style; the version is in the address so that browsers may keep it."""
    del version
    return static_file(name)


@router.get("/favicon.ico")
def favicon() -> Response:
    """Serve what browsers ask for by themselves."""
    return static_file("icon.svg")


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
        jobs=listed(infos, wanted),
        wanted=wanted,
        owners=sorted({info.owner for info in infos if info.owner}),
        workers=crew,
        job_sentence=job_sentence,
        shares=shares,
    )


@router.get("/jobs/{job_id}")
def show_job(services: FarmServices, who: Looking, job_id: JobId) -> Response:
    """Show a job."""
    info = services.job_feed.info(jobs.find_status(services.ledger, job_id))
    return job_page(services, who, streams.with_state(services, info))


@router.post("/jobs/{job_id}/priority")
def change_priority(services: FarmServices, fields: Pressing, job_id: JobId) -> Response:
    """Change the priority of a job."""
    text = fields.get("priority", "")
    if not text.lstrip("-").isdigit() or not -100 <= int(text) <= 100:
        raise ApiProblem(
            422, f"priority: {text[:20]!r} is not a whole number from -100 to 100", "correct it"
        )
    change_job(services, job_id, Change(priority=int(text)))
    return RedirectResponse(f"/jobs/{job_id}", 303)


@router.post("/jobs/{job_id}/{verb}")
def steer_job(services: FarmServices, _fields: Pressing, job_id: JobId, verb: str) -> Response:
    """Pause, resume, cancel or retry a job."""
    if verb not in VERBS:
        raise ApiProblem(404, f"a job cannot be told to {verb[:20]!r}", f"one of {VERBS}")
    steered(services, job_id, verb)
    return RedirectResponse(f"/jobs/{job_id}", 303)


@router.get("/new")
def ask_for_job(who: Looking) -> Response:
    """Show the form for a new job."""
    return page("new", who=who)


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


@router.get("/workers")
def show_workers(services: FarmServices, who: Looking) -> Response:
    """Show the workers."""
    return page("workers", who=who, workers=workers.seen_workers(services, who.info))


@router.get("/account")
def account(services: FarmServices, who: Looking) -> Response:
    """Show whoever looks, their tokens and what they take."""
    return page("account", who=who, farm=farm_status(services, who.info))


def job_page(services: FarmServices, who: Looking, info: JobInfo) -> Response:
    """Return the page of a job."""
    others = [
        status
        for status in seen_jobs(services, who.info)
        if status.views_done and status.job_id != info.job_id
    ]
    return page(
        "job",
        who=who,
        job=info,
        may_change=who.may_change(info.owner),
        sentence=job_sentence(info),
        shares=shares(info),
        title=title_of(info),
        others=[
            (status.job_id, status.name or services.book.name(status.job_id))
            for status in others[-OTHERS:]
        ],
        spec=services.book.load(info.job_id),
    )


async def on_sign_in(_request: Request, error: Exception) -> Response:
    """Lead whoever has no token to where they can give one."""
    assert isinstance(error, SignInError)
    return RedirectResponse(error.place, 303)


def install(app: FastAPI) -> None:
    """Serve the pages."""
    app.include_router(router)
    app.add_exception_handler(SignInError, on_sign_in)
    app.add_exception_handler(StarletteHTTPException, on_problem)


async def on_problem(request: Request, error: Exception) -> Response:
    """Answer a problem as a page where a person looks at it, else as a document."""
    wants = request.headers.get("accept", "")
    if request.url.path.startswith("/v1") or "text/html" not in wants:
        return await on_http(request, error)
    assert isinstance(error, StarletteHTTPException)
    return trouble(error.status_code, str(error.detail), getattr(error, "remedy", ""))
