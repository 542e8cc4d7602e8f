"""A job as it progresses: from the server's events, or by polling where those do not arrive."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

import httpx

from farm.client.connection import Connection, TemporaryError
from farm.errors import RequestRefusedError
from farm.ledger.model import OPEN_JOB
from farm.spec.wire import JobInfo

POLL_EVERY_S = 1.0
NO_EVENTS = frozenset({404, 405, 406, 501})
QUIET = httpx.Timeout(45.0, connect=10.0)
"""The server says something every 15 seconds."""


def is_over(job: JobInfo) -> bool:
    """Say whether a job has ended and its datasets are complete.

    Nobody waits for the datasets of a job that was cancelled.
    """
    return job.state not in OPEN_JOB and (job.state == "cancelled" or not job.finishing)


def follow(
    connection: Connection, job_id: str, *, poll_every_s: float = POLL_EVERY_S
) -> Iterator[JobInfo]:
    """Yield a job now and whenever it has changed, until it is over.

    Raises:
        FarmError: The farm is away for too long, or refuses.
    """
    for job in _endless(connection, job_id, poll_every_s=poll_every_s):
        yield job
        if is_over(job):
            return


def _endless(connection: Connection, job_id: str, *, poll_every_s: float) -> Iterator[JobInfo]:
    events = True
    while True:
        yield connection.ask(JobInfo, "GET", f"/v1/jobs/{job_id}")
        if events:
            events = yield from _stream(connection, job_id)
        connection.closed.wait(poll_every_s)


def _stream(connection: Connection, job_id: str) -> Generator[JobInfo, None, bool]:
    """Yield a job from the server's events; return whether it is worth asking for them again."""
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    try:
        with connection.open(
            "GET", "/v1/events", params={"job": job_id}, headers=headers, timeout=QUIET
        ) as response:
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                return False
            for name, data in parse_events(response.iter_lines()):
                if name == "job":
                    job = connection.parse(JobInfo, response, data)
                    yield job
                    if job.finishing:
                        return True  # when that ends is no event: we ask
    except TemporaryError:
        return True  # asking tells whether the server is there
    except RequestRefusedError as error:
        if error.status not in NO_EVENTS:
            raise
        return False
    return True


def parse_events(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, data) of server-sent events."""
    name, data = "message", list[str]()
    for line in lines:
        if not line:
            if data:
                yield name, "\n".join(data)
            name, data = "message", []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)
