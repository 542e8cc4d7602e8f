"""The ledger's place in Redis, under `farm:`; every transition is one script."""

from __future__ import annotations

import functools
import json
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import resources
from typing import Any, ParamSpec, TypeVar, cast

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from farm.errors import SetupError, UnreachableError
from farm.ledger.model import CODES, JobState, TaskRecord, TaskState
from farm.ledger.store import MOST_JOBS, MOST_SUSPECTS, Order, Outcome, suspect_of

P = ParamSpec("P")
T = TypeVar("T")

JOBS = "farm:jobs"
WORKER_PREFIX = "farm:worker:"
WORK_PREFIX = "farm:work:"
CONDUCT = "farm:conduct"
LEASE_PREFIX = "farm:lease:"
BORN = "farm:born"
"""A word drawn when the ledger was empty: another one says that everything else was lost, too."""


def connect(redis_url: str) -> redis.Redis:
    """Return a client of our own, which gives up on a silent Redis after seconds."""
    return redis.Redis.from_url(
        redis_url,
        decode_responses=True,
        socket_timeout=5,
        socket_connect_timeout=5,
        socket_keepalive=True,
        health_check_interval=10,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
    )


def reaching(verb: Callable[P, T]) -> Callable[P, T]:
    """Say in our own words that Redis is away."""

    @functools.wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return verb(*args, **kwargs)
        except redis.AuthenticationError:  # waiting does not mend this
            raise SetupError("Redis refuses the password; correct FARM_REDIS_URL") from None
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise UnreachableError("Redis cannot be reached") from error
        except redis.ResponseError as error:
            if (sentence := why_not_now(error)) is None:
                raise
            raise UnreachableError(sentence) from error

    return call


NOT_NOW = {
    "MISCONF": "Redis cannot write to its disk; make room there, the farm goes on by itself",
    "OOM": "Redis has no memory left (maxmemory); give it more, the farm goes on by itself",
    "READONLY": "Redis is a replica that cannot be written; point FARM_REDIS_URL at the primary",
}
"""How Redis' refusals begin that end by themselves when somebody mends their reason."""


def why_not_now(error: Exception) -> str | None:
    """Return what keeps Redis from writing, in a sentence; None where it is something else."""
    words = str(error)
    return next((told for code, told in NOT_NOW.items() if code in words.split(":")[0]), None)


class RedisStore:
    """A store that every process of the farm shares."""

    def __init__(self, client: redis.Redis) -> None:
        self.client: Any = client  # its types offer an awaitable for every answer
        self.scripts = {
            name: self.client.register_script(script_text(name))
            for name in ("create", "shift", "turn", "progress", "swap", "lease", "unlease")
        }

    @reaching
    def now_s(self) -> float:
        seconds, microseconds = self.client.time()
        return float(seconds) + float(microseconds) / 1e6

    @reaching
    def epoch(self) -> str:
        with self.client.pipeline(transaction=False) as pipe:
            pipe.set(BORN, secrets.token_hex(8), nx=True).get(BORN).info("server")
            _, born, server = pipe.execute()
        return f"{server['run_id']} {born}"

    @reaching
    def create(
        self,
        job_id: str,
        meta: Mapping[str, str | int | float],
        states: str,
        kept: Mapping[int, int],
    ) -> bool:
        fields = [item for pair in meta.items() for item in pair]
        keys = [key(job_id), key(job_id, "states"), JOBS, key(job_id, "kept")]
        args = [job_id, states, json.dumps(list(kept.items())), *fields]
        return bool(self.scripts["create"](keys=keys, args=args))

    @reaching
    def job_ids(self) -> list[str]:
        return list(self.client.smembers(JOBS))

    @reaching
    def meta(self, job_id: str) -> dict[str, str] | None:
        try:
            return cast("dict[str, str]", self.client.hgetall(key(job_id))) or None
        except redis.ResponseError as error:  # somebody keeps something else under our name
            raise ValueError(str(error)) from error

    @reaching
    def set_meta(self, job_id: str, name: str, value: str | int) -> None:
        self.client.hset(key(job_id), name, value)

    @reaching
    def add_meta(self, job_id: str, name: str, amount: int) -> None:
        self.client.hincrby(key(job_id), name, amount)

    @reaching
    def states(self, job_id: str, start: int, count: int) -> str:
        return str(self.client.getrange(key(job_id, "states"), start, start + count - 1))

    @reaching
    def returned(self, job_id: str, limit: int) -> list[int]:
        if limit < 1:
            return []
        return [int(index) for index in self.client.zrange(key(job_id, "returned"), 0, limit - 1)]

    @reaching
    def records(self, job_id: str, indices: Sequence[int] | None = None) -> dict[int, TaskRecord]:
        name = key(job_id, "records")
        if indices is None:
            found = self.client.hgetall(name)
        elif indices:
            found = dict(zip(indices, self.client.hmget(name, indices), strict=True))
        else:
            found = {}
        return {
            int(index): TaskRecord.model_validate_json(text)
            for index, text in found.items()
            if text
        }

    @reaching
    def running(self, job_id: str) -> dict[int, int]:
        found = self.client.hgetall(key(job_id, "running"))
        return {int(index): int(views) for index, views in found.items()}

    @reaching
    def kept(self, job_id: str) -> dict[int, int]:
        found = self.client.hgetall(key(job_id, "kept"))
        return {int(index): int(views) for index, views in found.items()}

    @reaching
    def shift(self, job_id: str, order: Order) -> list[bool]:
        names = ("states", "records", "returned", "running", "kept")
        keys = [key(job_id), *(key(job_id, name) for name in names), CONDUCT]
        return [bool(moved) for moved in self.scripts["shift"](keys=keys, args=[to_json(order)])]

    @reaching
    def turn(
        self,
        job_id: str,
        sources: Collection[JobState],
        target: JobState,
        *,
        empty: Collection[TaskState] = (),
    ) -> bool:
        codes = [CODES[state] for state in empty]
        args = [json.dumps(sorted(sources)), target.value, json.dumps(codes)]
        return bool(self.scripts["turn"](keys=[key(job_id)], args=args))

    @reaching
    def remove(self, job_id: str) -> None:
        parts = (None, "states", "records", "returned", "running", "kept")
        with self.client.pipeline(transaction=True) as pipe:
            pipe.unlink(*(key(job_id, part) for part in parts)).srem(JOBS, job_id).execute()

    @reaching
    def progress(self, job_id: str, index: int, attempt: int, views_done: int) -> bool:
        keys = [key(job_id), *(key(job_id, name) for name in ("states", "records", "running"))]
        return bool(self.scripts["progress"](keys=keys, args=[index, attempt, views_done]))

    @reaching
    def beat(self, worker: str, info: str, ttl_s: float) -> None:
        self.client.set(WORKER_PREFIX + worker, info, px=max(1, round(ttl_s * 1000)))

    @reaching
    def still(self, worker: str) -> None:
        self.client.delete(WORKER_PREFIX + worker, WORK_PREFIX + worker)

    @reaching
    def beating(self) -> dict[str, str]:
        names = list(self.client.scan_iter(match=WORKER_PREFIX + "*", count=1000))
        infos = self.client.mget(names) if names else []
        found = zip(names, infos, strict=True)
        return {name.removeprefix(WORKER_PREFIX): info for name, info in found if info is not None}

    @reaching
    def conducts(self) -> dict[str, str]:
        return cast("dict[str, str]", self.client.hgetall(CONDUCT))

    @reaching
    def conduct(self, node: str) -> str:
        return self.client.hget(CONDUCT, node) or ""

    @reaching
    def swap_conduct(self, node: str, before: str, after: str) -> bool:
        return bool(self.scripts["swap"](keys=[CONDUCT], args=[node, before, after]))

    @reaching
    def tell_work(self, worker: str, text: str, ttl_s: float) -> None:
        self.client.set(WORK_PREFIX + worker, text, px=max(1, round(ttl_s * 1000)))

    @reaching
    def told_work(self, workers: Sequence[str]) -> list[str | None]:
        return list(self.client.mget([WORK_PREFIX + name for name in workers])) if workers else []

    @reaching
    def lease(self, name: str, holder: str, ttl_s: float) -> str:
        args: list[Any] = [holder, max(1, round(ttl_s * 1000))]
        return str(self.scripts["lease"](keys=[LEASE_PREFIX + name], args=args))

    @reaching
    def unlease(self, name: str, holder: str) -> None:
        self.scripts["unlease"](keys=[LEASE_PREFIX + name], args=[holder])


def key(job_id: str, part: str | None = None) -> str:
    """Return the name under which a job, or a part of it, is kept."""
    return f"farm:job:{job_id}" if part is None else f"farm:job:{job_id}:{part}"


def to_json(order: Order) -> str:
    """Write an order as `shift.lua` reads it."""
    moves = [
        {
            "index": move.index,
            "source": CODES[move.source],
            "attempt": move.attempt,
            "target": CODES[move.target],
            "record": move.record.model_dump_json() if move.record else "",
            "edits": -1 if move.edits is None else move.edits,
        }
        for move in order.moves
    ]
    told = {
        "moves": moves,
        "job_states": sorted(order.job_states),
        "ripple": dict(order.ripple),
        "hold": order.hold_until_s,
    }
    if order.outcome:
        told["outcome"] = outcome_facts(order.outcome)
    return json.dumps(told)


def outcome_facts(outcome: Outcome) -> dict[str, Any]:
    """Write an outcome as `shift.lua` reads it."""
    suspect = suspect_of(outcome)
    return {
        "node": outcome.node,
        "job_id": outcome.job_id,
        "time_s": outcome.time_s,
        "most_suspects": MOST_SUSPECTS,
        "most_jobs": MOST_JOBS,
        **({"suspect": suspect.model_dump()} if suspect else {}),
    }


def script_text(name: str) -> str:
    """Return the Lua source of one transition."""
    return (resources.files("farm.ledger") / "lua" / f"{name}.lua").read_text(encoding="utf-8")
