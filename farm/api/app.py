"""The application: routes, what stands before them, what runs beside them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline

from farm.api import problems
from farm.api.auth import AuthMiddleware
from farm.api.metrics import Metrics
from farm.api.routes import assets, datasets, events, farm, jobs, tasks
from farm.api.services import Services
from farm.spec.wire import Problem

DESCRIPTION = """Submit specs, upload their assets, watch, download.

Every route under `/v1` needs a bearer token: with the role `read` for `GET`, `admin` for `DELETE`,
and `submit` for all others. Errors are problem documents (RFC 9457) with a remedy.
"""
PROBLEMS = {
    400: "The request cannot be read",
    401: "No token, or an unknown one",
    403: "The token's role does not allow this",
    404: "Not found",
    408: "The client sent nothing for too long",
    409: "Not possible in the current state",
    413: "Too large",
    416: "The file does not have this part",
    422: "The request is wrong; the detail says why",
    503: "Redis or the storage is not available",
    507: "No room for an upload",
}


def create_app(services: Services) -> FastAPI:
    """Return the API of a farm."""
    metrics = Metrics(services.ledger, services.queue)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services.uploads.tidy()
        job_feed = asyncio.create_task(services.job_feed.run())
        try:
            yield
        finally:
            job_feed.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await job_feed

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
    problems.install(app)
    bearer = [Depends(HTTPBearer(auto_error=False))]  # for /docs; the guard is what checks
    for module in (jobs, tasks, events, assets, datasets, farm):
        app.include_router(module.router, dependencies=bearer)
    app.include_router(farm.open_router)
    app.add_middleware(
        AuthMiddleware, tokens=services.tokens, settings=services.settings, count=metrics.count
    )
    return app
