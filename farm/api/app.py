"""The application: routes, what stands before them, what runs beside them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool

from farm.api import problems
from farm.api.access.auth import AuthMiddleware
from farm.api.access.hosts import HostNames
from farm.api.access.owners import guard
from farm.api.browser import pages
from farm.api.metrics import Metrics
from farm.api.routes import (
    asking,
    assets,
    datasets,
    events,
    exports,
    farm,
    jobs,
    streams,
    tasks,
    tokens,
    workers,
)
from farm.api.services import Services
from farm.errors import StorageError
from farm.overview.fill import NOTED_EVERY_S
from farm.spec.wire import Problem

log = logging.getLogger(__name__)

PICTURES_AT_ONCE = 2
"""Small pictures of assets that are looked for or made at a time."""
DESCRIPTION = """Submit specs, upload their assets, watch, download.

Every route under `/v1` needs a bearer token: with the role `read` for `GET` and `submit` for all
others. What belongs to others is changed with the role `admin` alone. Errors are problem documents
(RFC 9457) with a remedy.
"""
PROBLEMS = {
    400: "The request cannot be read",
    401: "No token, or an unknown one",
    403: "The token's role or a quota does not allow this, or it belongs to somebody else",
    404: "Not found",
    408: "The client sent nothing for too long",
    409: "Not possible in the current state",
    413: "Too large",
    416: "The file does not have this part",
    421: "The farm is not called this",
    422: "The request is wrong; the detail says why",
    429: "Too many wrong tokens from this address",
    503: "Redis or the storage is not available",
    507: "No room for an upload",
}


def create_app(services: Services, *, listens_on: str = "127.0.0.1") -> FastAPI:
    """Return the API of a farm.

    Args:
        services: Its parts.
        listens_on: The address, which says who can reach it.
    """
    metrics = Metrics(services.ledger, services.queue)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services.uploads.tidy()
        services.exports.tidy()
        beside = [asyncio.create_task(each) for each in (services.job_feed.run(), watch(services))]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            services.exports.close()
            await asyncio.gather(*beside, return_exceptions=True)

    app = FastAPIOffline(  # its /docs and /redoc load nothing from elsewhere
        title="Viewfarm",
        version=version("viewfarm"),
        description=DESCRIPTION,
        lifespan=lifespan,
        responses={
            status: {
                "description": text,
                "content": {problems.MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
            }
            for status, text in PROBLEMS.items()
        },
    )
    app.state.services = services
    app.state.metrics = metrics
    app.state.picture_turns = asyncio.Semaphore(PICTURES_AT_ONCE)
    problems.install(app)
    bearer = Depends(HTTPBearer(auto_error=False))  # for /docs; the middleware is what checks
    for module in (
        asking,
        jobs,
        tasks,
        streams,
        events,
        assets,
        exports,
        datasets,
        workers,
        tokens,
        farm,
    ):
        app.include_router(module.router, dependencies=[bearer, Depends(guard)])
    app.include_router(farm.open_router)
    pages.install(app)
    app.add_middleware(
        AuthMiddleware,
        tokens=services.tokens,
        settings=services.settings,
        count=metrics.count,
        hosts=HostNames(services.settings.hosts, listens_on=listens_on),
        guesses=services.guesses,
    )
    return app


async def watch(services: Services) -> None:
    """Note how full the storage is, every so often, until cancelled."""
    while True:
        try:
            await run_in_threadpool(services.fill.note)
        except StorageError as error:
            log.warning("how full the storage is cannot be noted: %s", error)
        await asyncio.sleep(NOTED_EVERY_S)
