"""Streams, as the API offers them: begun, read, steered."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from farm import expand
from farm.api.jobs import find_job, find_status, remember, steps_of
from farm.api.problems import SEND_AGAIN, ApiProblem, not_found
from farm.api.services import Services
from farm.api.submission.submit import checked_job, write_down
from farm.errors import SpecError
from farm.feeding.asking import Pull, Pulled
from farm.feeding.book import StreamBook
from farm.feeding.feed import showing
from farm.feeding.why import told_state
from farm.job_store import prefix_of
from farm.ledger import JobState
from farm.spec.counted import counted
from farm.spec.job import Job, make_stream
from farm.spec.stream import MOST_SENT, Sent, StreamState, StreamWishes
from farm.spec.wire import JobInfo, StreamInfo, StreamSubmission, TokenInfo

PAUSES_S = (0.005, 0.01, 0.02, 0.05)
"""Between looks for a sample; the last one is repeated."""

UNREAD = "nobody reads this stream"


def book_of(services: Services) -> StreamBook:
    """Return where the samples are."""
    assert services.streams is not None
    return services.streams


def begin(
    services: Services, submission: StreamSubmission, caller: TokenInfo
) -> tuple[StreamInfo, bool]:
    """Begin a stream, or find the one of that name; return it and whether it is new.

    Raises:
        ApiProblem: Something about it cannot be accepted; nothing is stored.
    """
    job = streamed(checked_job(services, submission, caller), submission.stream)
    count = expand.count(job)
    if count.tasks > services.settings.max_tasks:
        most = f"this farm takes at most {services.settings.max_tasks:,}"
        told = f"stream.length: makes {counted(count.tasks, 'task')}; {most}"
        raise ApiProblem(422, told, "ask for less")
    new = write_down(services, job, submission, caller)
    assert job.stream is not None
    if new:
        book_of(services).open(job.job_id, job.stream, stride=job.spec.views_per_task)
        remember(services.book, find_status(services.ledger, job.job_id))
    return info(job), new


def streamed(job: Job, wishes: StreamWishes) -> Job:
    """Return the job that streams the views of `job`."""
    plan = wishes.plan(views=expand.count(job).views)
    made = make_stream(job, plan, views_per_task=wishes.views_per_task)
    return made.model_copy(update={"prefix": prefix_of(made.job_id)})


def info(job: Job) -> StreamInfo:
    """Return what whoever takes part in a stream must know."""
    assert job.stream is not None
    return StreamInfo(
        job_id=job.job_id,
        length=job.stream.length,
        encoding=job.stream.encoding,
        spec=job.spec.model_dump(mode="json"),
    )


def find_stream(services: Services, job_id: str) -> Job:
    """Return the job of a stream.

    Raises:
        ApiProblem: There is no such stream.
    """
    find_status(services.ledger, job_id)
    job = find_job(services.book, job_id)
    if job.stream is None:
        raise not_found(
            f"stream {job_id}",
            "that job is not streamed: read its views as they are finished with "
            f"farm.dataset.open('farm:{job_id}'), or stream its spec",
        )
    return job


def state(services: Services, job_id: str) -> StreamState:
    """Return how a stream stands, and why its consumers get nothing.

    Raises:
        ApiProblem: There is no such stream, or it was lost with Redis.
    """
    find_stream(services, job_id)
    status = find_status(services.ledger, job_id)
    steps = steps_of(services.book, status)
    found = told_state(services.ledger, book_of(services), job_id, steps)
    if found is None and status.state in (JobState.CANCELLING, JobState.CANCELLED):
        raise ApiProblem(410, f"job {job_id} was cancelled", "begin the stream again")
    if found is None:
        raise not_found(f"stream {job_id}", "its samples were lost with Redis: begin it again")
    return found


def with_state(services: Services, job: JobInfo) -> JobInfo:
    """Return a job with how its stream stands, if it is one."""
    found = services.streams.state(job.job_id) if services.streams is not None else None
    if found is None:
        return job
    unread = not (found.consumers or found.over or job.waits_for)
    return job.model_copy(
        update={"stream": found, "waits_for": UNREAD if unread else job.waits_for}
    )


async def pull(services: Services, job_id: str, asked: Pull) -> Pulled:
    """Acknowledge samples, and lend a consumer more, for which it may wait."""
    deadline = time.monotonic() + asked.wait_s
    for pause_s in itertools.chain(PAUSES_S, itertools.repeat(PAUSES_S[-1])):
        found = await run_in_threadpool(book_of(services).pull, job_id, asked)
        left_s = deadline - time.monotonic()
        if found.is_news or left_s <= 0:
            return found
        await asyncio.sleep(min(pause_s, left_s))
    raise AssertionError  # the loop has no end


def send(services: Services, job_id: str, sent: Sequence[Sent]) -> int:
    """Note what the next views are to show; return how many sets of parameters wait.

    Raises:
        ApiProblem: There is no such parameter, or too many wait.
    """
    job = find_stream(services, job_id)
    view = first_view(job)
    try:
        for each in sent:
            showing(view, each.params)
    except SpecError as error:
        raise ApiProblem(422, str(error), SEND_AGAIN) from None
    if book_of(services).waiting_params(job_id) + len(sent) > MOST_SENT:
        raise ApiProblem(
            409,
            f"more than {MOST_SENT:,} sets of parameters would wait for their views",
            "read samples first",
        )
    return book_of(services).send(job_id, sent)


def first_view(job: Job):  # type: ignore[no-untyped-def]  # any recipe's
    """Return a view such as those that parameters are for."""
    tasks = (expand.render_task(job, index) for index in range(expand.count(job).tasks))
    return next(view for task in tasks for view in task.views)
