"""The newest pictures of each job, small, in Redis: what a page shows while a job renders.

They never touch the storage. Each job keeps as many as fit into a ring; all go a day after the last
one came. Whoever listens is told of each as it comes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import redis
from pydantic import Field, ValidationError

from farm.errors import FarmError
from farm.ledger.stores.redis_store import binary, connect, reaching
from farm.spec.base import Spec
from farm.spec.passes import PASSES, PassName
from farm.spec.record import FileRecord, ViewRecord

KEPT = 24
"""Pictures of each job."""
KEPT_S = 86_400
LARGEST_BYTES = 64 << 10
CHANNEL = "farm:glimpses"
"""Where those who listen are told."""
WAIT_S = 0.25
"""Longest silence after which a listener looks whether it is still wanted."""
SHOW = """
local number = redis.call('INCR', KEYS[1])
local slot = number % tonumber(ARGV[1])
redis.call('HSET', KEYS[2], slot, number .. '\\n' .. ARGV[2])
redis.call('HSET', KEYS[3], slot, number .. '\\n' .. ARGV[3])
for _, each in ipairs(KEYS) do redis.call('EXPIRE', each, ARGV[4]) end
redis.call('PUBLISH', ARGV[5], ARGV[6] .. '\\n' .. number .. '\\n' .. ARGV[2])
if KEYS[4] then
  redis.call('SET', KEYS[4], ARGV[6] .. '\\n' .. number, 'EX', ARGV[4])
end
return number
"""


class ShownFile(Spec):
    """A file of a pass, or the 8-bit picture of it, that can be shown as a small picture."""

    path: str
    """Relative to the job's datasets."""
    sha256: str


class Glimpse(Spec):
    """What is known of a picture of a finished view."""

    view: str
    """Its name."""
    title: str
    caption: str
    task_id: str = ""
    """Of the task that made it: there its record is, as long as it is not folded."""
    dataset: str = ""
    """Folder of its dataset within the job's."""
    pictures: dict[PassName, ShownFile] = Field(default_factory=dict)
    """Of each pass what can be shown; empty of streams, whose views have no files."""


class NumberedGlimpse(Glimpse):
    """A glimpse with its place among all of its job."""

    number: int


class GlimpseBook:
    """The newest pictures of jobs; many processes may use one each."""

    def __init__(self, redis_url: str) -> None:
        self.client: Any = binary(connect(redis_url))
        self._show = self.client.register_script(SHOW)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def show(self, job_id: str, glimpse: Glimpse, webp: bytes, *, worker: str = "") -> None:
        """Add a picture, which becomes its worker's newest one; where Redis is away, or it is too
        large, it is left out."""
        if len(webp) > LARGEST_BYTES:
            return
        with contextlib.suppress(FarmError):
            self._add(job_id, glimpse, webp, worker)

    @reaching
    def _add(self, job_id: str, glimpse: Glimpse, webp: bytes, worker: str) -> None:
        told = glimpse.model_dump_json()
        keys = [f"{key(job_id)}:count", facts_key(job_id), key(job_id)]
        keys += [worker_key(worker)] if worker else []
        self._show(keys=keys, args=[KEPT, told, webp, KEPT_S, CHANNEL, job_id])

    @reaching
    def newest_of(self, workers: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Return the job and the number of the newest picture of each of these workers."""
        told = self.client.mget([worker_key(each) for each in workers]) if workers else []
        found = {}
        for worker, value in zip(workers, told, strict=True):
            if value is not None:
                job_id, number = value.decode().split("\n")
                found[worker] = job_id, int(number)
        return found

    @reaching
    def newest(self, job_id: str) -> tuple[NumberedGlimpse, ...]:
        """Return what is known of the newest pictures of a job, the newest first."""
        found = [read(*value.split(b"\n", 1)) for value in self.client.hvals(facts_key(job_id))]
        return tuple(sorted(found, key=lambda each: -each.number))

    @reaching
    def last(self, job_id: str) -> bytes | None:
        """Return the newest picture of a job as WebP; None where there is none."""
        count = self.client.get(f"{key(job_id)}:count")
        return self.picture(job_id, int(count)) if count else None

    @reaching
    def picture(self, job_id: str, number: int) -> bytes | None:
        """Return a picture as WebP; None where it made room for newer ones."""
        value = self.client.hget(key(job_id), number % KEPT)
        if value is None:
            return None
        there, webp = value.split(b"\n", 1)
        return bytes(webp) if int(there) == number else None

    def heard(
        self, is_wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, NumberedGlimpse] | None]:
        """Yield job and glimpse of each picture as it comes; None after a moment of silence.

        Args:
            is_wanted: Says of which jobs to hear.

        Raises:
            UnreachableError: Redis is away.
        """
        with self._listening() as channel:
            while True:
                message = self._next(channel)
                if message is None:
                    yield None
                    continue
                job_id, number, facts = message["data"].split(b"\n", 2)
                if is_wanted(job_id.decode()):
                    with contextlib.suppress(ValidationError):
                        yield job_id.decode(), read(number, facts)

    @contextlib.contextmanager
    def _listening(self) -> Iterator[Any]:
        channel = self.client.pubsub(ignore_subscribe_messages=True)
        try:
            self._subscribe(channel)
            yield channel
        finally:
            with contextlib.suppress(redis.RedisError):
                channel.close()

    @reaching
    def _subscribe(self, channel: Any) -> None:
        channel.subscribe(CHANNEL)

    @reaching
    def _next(self, channel: Any) -> Any:
        return channel.get_message(timeout=WAIT_S)


def read(number: bytes, facts: bytes) -> NumberedGlimpse:
    """Return a glimpse as it is kept."""
    known = Glimpse.model_validate_json(facts)
    return NumberedGlimpse(number=int(number), **dict(known))


def key(job_id: str) -> str:
    """Return the name under which the pictures of a job are kept."""
    return f"farm:glimpses:{job_id}"


def worker_key(worker: str) -> str:
    """Return the name under which it is kept which picture is a worker's newest."""
    return f"farm:glimpse:{worker}"


def facts_key(job_id: str) -> str:
    """Return the name under which is kept what is known of them."""
    return f"{key(job_id)}:facts"


def shown_of(record: ViewRecord, inner: str) -> dict[PassName, ShownFile]:
    """Return what of each pass of a view can be shown, with paths below `inner`."""
    return {
        name: ShownFile(path=f"{inner}{file.path}", sha256=file.sha256)
        for name, file in shown_files(record)
    }


def shown_files(record: ViewRecord) -> Iterator[tuple[PassName, FileRecord]]:
    """Yield of each pass the picture that was made for people, or the file itself."""
    for name, file in record.files.items():
        if name in record.previews:
            yield name, record.previews[name]
        elif PASSES[name].kind != "arrays":
            yield name, file
