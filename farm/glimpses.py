"""The newest pictures of each job, small, in Redis: what a page shows while a job renders.

They never touch the storage. Each job keeps as many as fit into a ring; all go a day after the last
one came.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from farm.errors import FarmError
from farm.ledger.stores.redis_store import binary, connect, reaching
from farm.spec.base import Spec

KEPT = 24
"""Pictures of each job."""
KEPT_S = 86_400
LARGEST_BYTES = 64 << 10
SHOW = """
local number = redis.call('INCR', KEYS[1])
local told = number .. '\\n' .. ARGV[2] .. '\\n' .. ARGV[3]
redis.call('HSET', KEYS[2], number % tonumber(ARGV[1]), told)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
if KEYS[3] then
  redis.call('SET', KEYS[3], ARGV[5] .. '\\n' .. number, 'EX', ARGV[4])
end
return number
"""


class Glimpse(Spec):
    """What is known of a picture of a finished view."""

    view: str
    """Its name."""
    title: str
    caption: str


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
        keys = [f"{key(job_id)}:count", key(job_id), *([worker_key(worker)] if worker else [])]
        self._show(keys=keys, args=[KEPT, glimpse.model_dump_json(), webp, KEPT_S, job_id])

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
        found = []
        for value in self.client.hvals(key(job_id)):
            number, facts, _ = value.split(b"\n", 2)
            known = Glimpse.model_validate_json(facts)
            found.append(NumberedGlimpse(number=int(number), **known.model_dump()))
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
        there, _, webp = value.split(b"\n", 2)
        return bytes(webp) if int(there) == number else None


def key(job_id: str) -> str:
    """Return the name under which the pictures of a job are kept."""
    return f"farm:glimpses:{job_id}"


def worker_key(worker: str) -> str:
    """Return the name under which it is kept which picture is a worker's newest."""
    return f"farm:glimpse:{worker}"
