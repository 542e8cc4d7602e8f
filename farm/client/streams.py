"""Streams of a farm over HTTP."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import RootModel

from farm.client.client import Client
from farm.client.connection import TemporaryError
from farm.errors import FarmError, SpecError
from farm.feeding.answer import read_answer
from farm.feeding.asking import Pull, Pulled
from farm.spec.job import Job, JobSpec
from farm.spec.stream import Sent, StreamState, StreamWishes
from farm.spec.wire import JOB_ID_PATTERN, StreamInfo, StreamSubmission

MOST_BYTES = 1 << 31
"""Largest answer: a sample may be larger than all that one answer should hold."""
PREFIX = "farm:"
IN_ADDRESS = re.compile(r"/v1/(?:streams|jobs|datasets)/([0-9a-f]{12})/?$")


class StreamClient:
    """One stream of a farm; may be used by many threads."""

    def __init__(self, client: Client, job_id: str) -> None:
        self.client = client
        self.job_id = job_id
        self._path = f"/v1/streams/{job_id}"

    def pull(self, asked: Pull) -> tuple[Pulled, tuple[tuple[int, memoryview], ...]]:
        """Acknowledge samples and get more; one try.

        Raises:
            UnreachableError: The farm is away; what it lent is sent again.
        """
        connection = self.client.connection
        headers = {"Content-Type": "application/json"}
        body = asked.model_dump_json().encode()
        path = f"{self._path}/samples"
        try:
            with connection.open("POST", path, content=body, headers=headers) as answer:
                return read_answer(connection.read(answer, MOST_BYTES))
        except TemporaryError as error:
            raise error.error from error

    def state(self) -> StreamState:
        """Return how it stands; one try."""
        try:
            return self.client.connection.ask_once(StreamState, "GET", self._path)
        except TemporaryError as error:
            raise error.error from error

    def info(self) -> StreamInfo:
        """Return what it is."""
        return self.client.connection.ask(StreamInfo, "GET", f"{self._path}/info")

    def send(self, sent: Sequence[Sent]) -> int:
        """Say what the next views are to show."""
        body = [each.model_dump(mode="json") for each in sent]
        return self.client.connection.ask(Count, "POST", f"{self._path}/params", json=body).root


class Count(RootModel[int]):
    """A number on its own."""


def begin(
    client: Client, spec: JobSpec, wishes: StreamWishes, *, base: Path
) -> tuple[StreamInfo, Job]:
    """Upload what the farm lacks and begin a stream; the same name again finds the same one.

    Raises:
        FarmError: The farm does not take it.
    """
    order = client.prepare(spec, base=base)
    client.upload(order, client.missing(order))
    asked = StreamSubmission(**dict(order.submission), stream=wishes)
    content = asked.model_dump_json().encode()
    headers = {"Content-Type": "application/json"}
    made = client.connection.ask(
        StreamInfo, "POST", "/v1/streams", content=content, headers=headers
    )
    return made, order.job


def address_of(text: str) -> tuple[str | None, str]:
    """Return the farm, where it is said, and the job of `farm:JOB` or of an address.

    Raises:
        SpecError: It is neither.
    """
    if text.startswith(PREFIX):
        return None, text.removeprefix(PREFIX)
    found = IN_ADDRESS.search(urlsplit(text).path)
    if found is None:
        raise SpecError(f"{text[:200]}: is not the address of a stream: give farm:JOB")
    return text[: text.index("/v1/")], found[1]


def find(client: Client, name: str) -> StreamClient:
    """Return the stream of a job, by its id, the beginning of it, or `last`.

    Raises:
        NotFoundError: There is no such stream.
    """
    job_id = name if re.fullmatch(JOB_ID_PATTERN, name) else client.job(name).job_id
    return StreamClient(client, job_id)


def give_up(client: Client, job_id: str) -> None:
    """Cancel a stream, unless all of it was used: its last task may just be about to say so."""
    with contextlib.suppress(FarmError):
        told = StreamClient(client, job_id).state()
        if not told.over and told.acknowledged < told.length:
            client.cancel(job_id)
