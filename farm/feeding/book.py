"""The state of streams in Redis, under `farm:stream:`; every step is one script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from typing import Any, Literal, NamedTuple, cast

from farm.feeding.asking import Lent, Pull, Pulled
from farm.ledger.stores.redis_store import binary, connect, reaching
from farm.spec.stream import Sent, StreamPlan, StreamState

NAMES = "farm:streams"
BYTES = "farm:stream-bytes"
"""Of the samples of all streams together."""
NEWS = "farm:stream-news"
"""Not empty where a consumer has asked for something since the dispatcher looked."""
KNOWN_S = 86400
"""Seconds for which it is told that a stream is over."""
ANSWER_BYTES = 32 << 20
"""Samples that one answer holds, if it is more than one."""
SCRIPTS = ("feed", "push", "pull", "close")

Kept = Literal["kept", "known", "full", "over"]


class StreamFacts(NamedTuple):
    """How a stream was begun, and what is known of its samples."""

    stride: int
    """Most views of a task."""
    duplex: bool
    largest: int
    """Bytes of the largest sample so far."""


class StreamBook:
    """Samples between workers and consumers; many processes may use one each."""

    def __init__(self, redis_url: str, *, bound_bytes: int) -> None:
        """Connect at the first call.

        Args:
            redis_url: The farm's Redis.
            bound_bytes: Most bytes of the samples of all streams together.
        """
        self.url = redis_url
        self.bound_bytes = bound_bytes
        self.client: Any = binary(connect(redis_url))
        self.scripts = {name: self.client.register_script(script_text(name)) for name in SCRIPTS}

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    @reaching
    def open(self, job_id: str, plan: StreamPlan, *, stride: int) -> None:
        """Begin a stream, unless it is there.

        Args:
            job_id: Its job.
            plan: What was asked for.
            stride: Most views of a task.
        """
        facts = {
            "length": plan.length,
            "ordered": int(plan.ordered),
            "duplex": int(plan.duplex),
            "stride": stride,
        }
        with self.client.pipeline() as pipe:
            for name, value in facts.items():
                pipe.hsetnx(key(job_id), name, value)
            pipe.sadd(NAMES, job_id)
            pipe.execute()

    @reaching
    def feed(self, job_id: str, index: int, views: int) -> tuple[Sent, ...] | None:
        """Note that a task is given out; return what its first views are to show.

        None where all of its views have been acknowledged.
        """
        told = self.scripts["feed"](keys=[key(job_id)], args=[index, views]).decode()
        if told == "done":
            return None
        return tuple(Sent.model_validate(each) for each in json.loads(told or "[]"))

    @reaching
    def has(self, job_id: str, number: int) -> bool:
        """Say whether a view needs no rendering: its sample is kept, or was acknowledged."""
        with self.client.pipeline(transaction=False) as pipe:
            pipe.getbit(key(job_id, "acked"), number).hexists(key(job_id, "live"), number)
            return any(pipe.execute())

    @reaching
    def push(self, job_id: str, number: int, data: bytes, *, size_bytes: int) -> Kept:
        """Keep a sample until it is acknowledged.

        Args:
            job_id: The stream.
            number: The view's in the stream.
            data: The sample, or where it lies.
            size_bytes: What it takes, wherever it lies.
        """
        args: list[Any] = [number, size_bytes, data, self.bound_bytes]
        return cast(Kept, self.scripts["push"](keys=[key(job_id), BYTES], args=args).decode())

    @reaching
    def pull(self, job_id: str, asked: Pull) -> Pulled:
        """Acknowledge samples, renew the consumer's lease, and lend it what is ready."""
        args: list[Any] = [
            asked.consumer,
            asked.queue,
            round(asked.lease_s * 1000),
            ANSWER_BYTES,
            json.dumps(sorted(asked.holds)),
            json.dumps(sorted(asked.acks)),
            int(asked.leaves),
            asked.group or asked.consumer,
        ]
        state, drop, freed, *found = self.scripts["pull"](
            keys=[key(job_id), BYTES, NEWS], args=args
        )
        pairs = zip(found[::2], found[1::2], strict=True)
        return Pulled(
            samples=tuple(Lent(int(number), data) for number, data in pairs),
            drop=tuple(map(int, json.loads(drop))),
            freed=tuple(json.loads(freed)),
            over=state in (b"over", b"ended"),
            short=state == b"ended",
            gone=state == b"gone",
        )

    @reaching
    def send(self, job_id: str, sent: Sequence[Sent]) -> int:
        """Add what the next views are to show; return how many sets of parameters wait."""
        texts = [each.model_dump_json() for each in sent]
        return int(self.client.rpush(key(job_id, "params"), *texts))

    @reaching
    def waiting_params(self, job_id: str) -> int:
        """Return how many sets of parameters wait for their views."""
        return int(self.client.llen(key(job_id, "params")))

    @reaching
    def skip(self, job_id: str, index: int) -> None:
        """Note that a task makes no more samples: an ordered stream passes over it."""
        self.client.hset(key(job_id, "sizes"), index, 0)

    @reaching
    def end(self, job_id: str) -> None:
        """Note that nothing more is rendered; what is ready is still handed out."""
        self.client.hset(key(job_id), "ended", 1)

    @reaching
    def facts(self, job_id: str) -> StreamFacts | None:
        """Return how a stream was begun, and its largest sample; None where there is none."""
        names = ("stride", "duplex", "largest")
        stride, duplex, largest = self.client.hmget(key(job_id), *names)
        if stride is None:
            return None
        return StreamFacts(int(stride), duplex == b"1", int(largest or 0))

    @reaching
    def close_stream(self, job_id: str) -> None:
        """Keep nothing of a stream but that it is over."""
        self.scripts["close"](keys=[key(job_id), BYTES, NAMES], args=[job_id, KNOWN_S])

    @reaching
    def wait_for_news(self, seconds: float) -> None:
        """Wait until a consumer of any stream has asked for something, but not for longer."""
        self.client.blpop([NEWS], timeout=seconds)

    @reaching
    def names(self) -> set[str]:
        """Return the jobs that are streams and not over."""
        return {name.decode() for name in self.client.smembers(NAMES)}

    @reaching
    def size_bytes(self) -> int:
        """Return the bytes of the samples of all streams together."""
        return int(self.client.get(BYTES) or 0)

    def state(self, job_id: str) -> StreamState | None:
        """Return how a stream stands; None where there is none."""
        standing = self.standing(job_id)
        return None if standing is None else standing[0]

    @reaching
    def standing(self, job_id: str) -> tuple[StreamState, StreamFacts] | None:
        """Return how a stream stands and how it was begun, at once; None where there is none."""
        now_s, _ = self.client.time()
        with self.client.pipeline(transaction=True) as pipe:
            pipe.hgetall(key(job_id))
            pipe.zcard(key(job_id, "ready")).zcard(key(job_id, "again")).hlen(key(job_id, "live"))
            pipe.hvals(key(job_id, "fed")).hgetall(key(job_id, "credits"))
            pipe.zrangebyscore(key(job_id, "consumers"), now_s * 1000, "+inf")
            pipe.llen(key(job_id, "params"))
            facts, fresh, again, live, fed, credit, living, params = pipe.execute()
        if not facts:
            return None
        known = {name.decode(): int(value) for name, value in facts.items()}
        state = StreamState(
            job_id=job_id,
            length=known["length"],
            handed=known.get("handed", 0),
            acknowledged=known.get("acked", 0),
            ready=fresh + again,
            lent=max(live - fresh - again, 0),
            rendering=sum(map(int, fed)),
            credits=sum(int(credit.get(each, 0)) for each in living),
            consumers=len(living),
            waiting_params=params,
            size_bytes=known.get("bytes", 0),
            bound_bytes=self.bound_bytes,
            over=known.get("over", 0) == 1,
        )
        begun = StreamFacts(known["stride"], known["duplex"] == 1, known.get("largest", 0))
        return state, begun


def key(job_id: str, part: str | None = None) -> str:
    """Return the name under which a stream, or a part of it, is kept."""
    return f"farm:stream:{job_id}" if part is None else f"farm:stream:{job_id}:{part}"


def script_text(name: str) -> str:
    """Return the Lua source of one step."""
    return (resources.files("farm.feeding") / "lua" / f"{name}.lua").read_text(encoding="utf-8")
