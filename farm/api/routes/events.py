"""`/v1/events`: news of jobs as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from farm.api import jobs
from farm.api.access.owners import may_see, seen_jobs
from farm.api.job_feed import FeedSubscriber
from farm.api.services import Caller, FarmServices, Services
from farm.spec.wire import JobInfo, TokenInfo

router = APIRouter(prefix="/v1/events", tags=["events"])

HEARTBEAT_S = 15.0


@router.get("", summary="Listen to jobs", response_class=Response,
            responses={200: {"content": {"text/event-stream": {}}}})  # fmt: skip
async def events(
    services: FarmServices,
    caller: Caller,
    job: Annotated[
        str | None, Query(max_length=64, description="Id of a job; left out: all jobs.")
    ] = None,
) -> Response:
    """Server-sent events: `event: job` with a JobInfo, at once, on change, every 15 s."""
    if job is not None:
        await run_in_threadpool(jobs.find_status, services.ledger, job)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        stream(services, caller, job), media_type="text/event-stream", headers=headers
    )


async def stream(services: Services, caller: TokenInfo, job_id: str | None) -> AsyncIterator[str]:
    """Yield events until the client leaves, its token ends, the job is deleted, or we stop."""
    subscriber = FeedSubscriber(job_id, lambda info: may_see(services, caller, info.owner))
    services.job_feed.subscribers.add(subscriber)
    try:
        for info in await run_in_threadpool(now, services, caller, job_id):
            yield event(info)
        while not subscriber.ended and await run_in_threadpool(services.tokens.stands, caller):
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await subscriber.wake.wait()
            except TimeoutError:
                infos = await run_in_threadpool(now, services, caller, job_id) if job_id else []
                for info in infos:
                    yield event(info)
                yield ": alive\n\n"
                continue
            subscriber.wake.clear()
            news, subscriber.news = subscriber.news, {}
            for info in news.values():
                yield event(info)
    finally:
        services.job_feed.subscribers.discard(subscriber)


def now(services: Services, caller: TokenInfo, job_id: str | None) -> list[JobInfo]:
    """Return the state of the jobs that somebody listens to."""
    statuses = [services.ledger.job(job_id)] if job_id else seen_jobs(services, caller)
    return [
        services.job_feed.info(status)
        for status in statuses
        if status and (job_id or not status.over)
    ]


def event(info: JobInfo) -> str:
    """Return one server-sent event."""
    return f"event: job\ndata: {info.model_dump_json()}\n\n"
