"""`/v1/events`: news of jobs as they happen."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from farm.api import jobs
from farm.api.access.owners import may_see, seen_jobs
from farm.api.job_feed import FeedSubscriber, JobFeed, Moment, job_event, read_moment
from farm.api.services import Caller, FarmServices, Services
from farm.errors import StorageError, UnreachableError
from farm.ledger import JobStatus
from farm.spec.wire import TokenInfo

router = APIRouter(prefix="/v1/events", tags=["events"])
log = logging.getLogger(__name__)

HEARTBEAT_S = 15.0
CHECKED_S = 1.0
"""Time after which it is looked again whether a listener may still listen."""
PAUSE_S = 0.1
"""Shortest time between two answers to a listener."""
PICTURES_PER_S = 100
"""Pictures that all pages together are told of: the more are open, the fewer each one shows."""
MISSED_OVER = 100
"""Most jobs that have ended which a listener is told of who was away while the server restarted."""


@router.get("", summary="Listen to jobs", response_class=Response,
            responses={200: {"content": {"text/event-stream": {}}}})  # fmt: skip
async def events(  # noqa: PLR0913 - what is heard, and what was heard before
    services: FarmServices,
    caller: Caller,
    job: Annotated[
        str | None, Query(max_length=64, description="Id of a job; left out: all jobs.")
    ] = None,
    *,
    pictures: Annotated[
        bool, Query(description="Of one job: also `event: pictures`, with its newest ones.")
    ] = False,
    since: Annotated[
        str | None,
        Query(max_length=64, description="Id of the last event that was heard; or a header says."),
    ] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Server-sent events: `event: job` with a JobInfo, at once, on change, every 15 s.

    Each has an id. Whoever comes back with the last one is told of every job that has changed.
    """
    if job is not None:
        await run_in_threadpool(jobs.find_status, services.ledger, job)
    else:
        await run_in_threadpool(services.ledger.now_s)  # while Redis is away there is no news
    subscriber = FeedSubscriber(
        job, lambda info: may_see(services, caller, info.owner), pictures=pictures
    )
    heard = read_moment(last_event_id or since)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        stream(services, caller, subscriber, heard),
        media_type="text/event-stream",
        headers=headers,
    )


async def stream(
    services: Services, caller: TokenInfo, subscriber: FeedSubscriber, heard: Moment | None
) -> AsyncIterator[str]:
    """Yield events until the client leaves, its token ends, the job is deleted, or we stop.

    While Redis is away they end, too: whoever listens is to know that there is no news.
    """
    feed, job_id = services.job_feed, subscriber.job_id
    feed.subscribers.add(subscriber)
    stands = standing(services, caller)
    try:
        for event in await run_in_threadpool(now, services, caller, job_id, heard):
            yield event
        while not subscriber.ended and await stands():
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await subscriber.wake.wait()
            except TimeoutError:
                told = await run_in_threadpool(still, services, caller, job_id)
                for event in (*told, ": alive\n\n"):
                    yield event
                continue
            subscriber.wake.clear()
            for event in news(feed, subscriber):
                yield event
            await rest(subscriber, pause_s(feed))
    except (UnreachableError, StorageError) as error:
        log.warning("%s; a listener is sent away", error)
    finally:
        feed.subscribers.discard(subscriber)


def standing(services: Services, caller: TokenInfo) -> Callable[[], Awaitable[bool]]:
    """Return what says whether a token is still good, as of a moment ago."""
    known = (-CHECKED_S, True)

    async def stands() -> bool:
        nonlocal known
        now_s = asyncio.get_running_loop().time()
        if now_s - known[0] >= min(CHECKED_S, HEARTBEAT_S):
            known = now_s, await run_in_threadpool(services.tokens.stands, caller)
        return known[1]

    return stands


def news(feed: JobFeed, subscriber: FeedSubscriber) -> list[str]:
    """Return what a listener has not heard yet: of each job its state, of pictures the newest."""
    told, subscriber.news = list(subscriber.news.values()), {}
    pictures = list(subscriber.pictures)[-pictures_at_once(feed) :]
    subscriber.pictures.clear()
    if pictures:
        shown = json.dumps([each.model_dump(mode="json") for each in pictures])
        told.insert(0, f"event: pictures\ndata: {shown}\n\n")
    return told


def pause_s(feed: JobFeed) -> float:
    """Return how long a listener rests, so that one picture at a time is not too much of all."""
    return max(PAUSE_S, len(feed.subscribers) / PICTURES_PER_S)


def pictures_at_once(feed: JobFeed) -> int:
    """Return how many pictures a page is told of after a rest."""
    return max(1, int(PICTURES_PER_S * pause_s(feed) / max(len(feed.subscribers), 1)))


async def rest(subscriber: FeedSubscriber, seconds: float) -> None:
    """Let what comes gather for a while; not for those who are dismissed."""
    try:
        async with asyncio.timeout(seconds):
            await subscriber.over.wait()
    except TimeoutError:
        return


def still(services: Services, caller: TokenInfo, job_id: str | None) -> list[str]:
    """Return how the job stands that somebody listens to, though there is no news.

    Raises:
        UnreachableError: Redis is away, and so is all news.
    """
    if job_id is not None:
        return now(services, caller, job_id)
    services.ledger.now_s()
    return []


def now(
    services: Services, caller: TokenInfo, job_id: str | None, heard: Moment | None = None
) -> list[str]:
    """Return the state of the jobs that somebody listens to, and of those that they missed."""
    feed = services.job_feed
    moment = feed.moment  # before they are read: what changes meanwhile is told again
    statuses = [services.ledger.job(job_id)] if job_id else seen_jobs(services, caller)
    known = [status for status in statuses if status is not None]
    if job_id is None:
        known = missed(feed, known, heard)
    return [job_event(feed.info(status), moment) for status in known]


def missed(feed: JobFeed, known: list[JobStatus], heard: Moment | None) -> list[JobStatus]:
    """Return the open jobs; to somebody who has heard of them, those that have changed since."""
    if heard is None:
        return [status for status in known if not status.over]
    if heard.epoch == feed.moment.epoch:
        return [status for status in known if feed.changed_since(status, heard)]
    ended = sorted((each for each in known if each.over), key=lambda each: each.created_s)
    return [*(each for each in known if not each.over), *ended[-MISSED_OVER:]]
