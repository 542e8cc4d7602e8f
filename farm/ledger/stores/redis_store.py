"""The ledger's place in Redis, under `farm:`; every transition is one script."""

from __future__ import annotations

import functools
import json
import logging
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from farm.errors import DamagedLedgerError, SetupError, UnreachableError
from farm.ledger.damage import KEPT_ASIDE_S, MOST_KEPT, Aside, contradiction, known_codes
from farm.ledger.model import CODES, JobState, TaskRecord, TaskState
from farm.ledger.stores.store import (
    MOST_JOBS,
    MOST_SUSPECTS,
    VANISHED_S,
    AttemptOutcome,
    Glance,
    Transition,
    suspect_of,
)

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

JOBS = "farm:jobs"
WORKER_PREFIX = "farm:worker:"
WORK_PREFIX = "farm:work:"
SEEN_PREFIX = "farm:seen:"
"""What each worker said of itself last: it outlives the heartbeat by a day."""
CONDUCT = "farm:conduct"
DRAINED = "farm:drained"
LEASE_PREFIX = "farm:lease:"
OF_WORKER = (WORKER_PREFIX, WORK_PREFIX, SEEN_PREFIX)
COUNTS = "farm:damage"
"""How often something was set aside, by kind."""
ASIDE_PREFIX = "farm:damaged:"
BORN = "farm:born"
"""A word drawn when the ledger was empty: another one says that everything else was lost, too."""


def connect(redis_url: str) -> redis.Redis:
    """Return a client of our own, which gives up on a silent Redis after seconds."""
    return redis.Redis.from_url(
        redis_url,
        decode_responses=True,
        encoding_errors="surrogateescape",  # what somebody else wrote keeps its name
        socket_timeout=5,
        socket_connect_timeout=5,
        socket_keepalive=True,
        health_check_interval=10,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
    )


def binary(client: redis.Redis) -> redis.Redis:
    """Return a client like another one that gives bytes as they are."""
    pool = client.connection_pool
    options = {**pool.connection_kwargs, "decode_responses": False}
    fresh = redis.ConnectionPool(connection_class=pool.connection_class, **options)
    return redis.Redis(connection_pool=fresh)


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
    "MISCONF": "Redis cannot write to its disk; make room there, and the farm resumes by itself",
    "OOM": "Redis has no memory left (maxmemory); give it more, and the farm resumes by itself",
    "READONLY": "Redis is a read-only replica; point FARM_REDIS_URL at the primary",
    "MASTERDOWN": "Redis is a replica without its primary; point FARM_REDIS_URL at the primary",
    "NOREPLICAS": "Redis lacks the replicas that it must write to; start them",
}
"""Codes of Redis' refusals that end by themselves when somebody mends their reason."""


IN_PIPELINE = re.compile(r"^Command # \d+ .* of pipeline caused error: ", re.DOTALL)
"""What redis-py puts before a refusal of one of several commands that were sent together."""


def why_not_now(error: Exception) -> str | None:
    """Return in a sentence what keeps Redis from writing; None where it is something else."""
    code = getattr(error, "status_code", None) or IN_PIPELINE.sub("", str(error)).split(":")[0]
    return next((told for begin, told in NOT_NOW.items() if begin in code), None)


DAMAGE = ("WRONGTYPE", "not an integer", "not a valid float", "user_script")
"""Words of Redis' refusals where a key is not what a command needs, or a script cannot read it."""


def is_damage(error: Exception) -> bool:
    """Tell whether Redis refuses because of what a key holds."""
    if why_not_now(error) is not None or "killed" in str(error):
        return False
    return any(word in str(error) for word in DAMAGE)


def of_job(
    verb: Callable[Concatenate[RedisStore, str, P], T],
) -> Callable[Concatenate[RedisStore, str, P], T]:
    """Report that the stored data of a job cannot be read."""

    @functools.wraps(verb)
    def call(self: RedisStore, job_id: str, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return verb(self, job_id, *args, **kwargs)
        except redis.ResponseError as error:
            if not is_damage(error):
                raise
            raise DamagedLedgerError("job", job_id, str(error)[:200]) from error
        except ValueError as error:  # a number, or a record, that is none
            raise DamagedLedgerError("job", job_id, " ".join(str(error).split())[:200]) from error

    return call


def of_all(
    name: str,
) -> Callable[[Callable[Concatenate[RedisStore, P], T]], Callable[Concatenate[RedisStore, P], T]]:
    """Set a shared key aside where it is damaged, and proceed as if it had been lost."""

    def wrapped(
        verb: Callable[Concatenate[RedisStore, P], T],
    ) -> Callable[Concatenate[RedisStore, P], T]:
        @functools.wraps(verb)
        def call(self: RedisStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return verb(self, *args, **kwargs)
            except redis.ResponseError as error:
                if not is_damage(error):
                    raise
                log.warning("%s is damaged and was renamed: %s", name, error)
            self._move(name, [name])
            return verb(self, *args, **kwargs)

        return call

    return wrapped


class RedisStore:
    """A store that every process of the farm shares."""

    def __init__(self, client: redis.Redis) -> None:
        self.client: Any = client  # its types offer an awaitable for every answer
        self.scripts = {
            name: self.client.register_script(script_text(name))
            for name in ("create", "shift", "turn", "progress", "swap", "lease", "unlease", "aside")
        }

    @reaching
    def now_s(self) -> float:
        seconds, microseconds = self.client.time()
        return float(seconds) + float(microseconds) / 1e6

    @reaching
    @of_all(BORN)
    def epoch(self) -> str:
        with self.client.pipeline(transaction=False) as pipe:
            pipe.set(BORN, secrets.token_hex(8), nx=True).get(BORN).info("server")
            _, born, server = pipe.execute()
        return f"{server['run_id']} {born}"

    @reaching
    @of_all(JOBS)
    def create(
        self,
        job_id: str,
        meta: Mapping[str, str | int | float],
        states: str,
        kept: Mapping[int, int],
    ) -> bool:
        fields = [item for pair in meta.items() for item in pair]
        first, second, *others, last = keys_of(job_id)
        keys = [first, second, JOBS, last, *others]
        args = [job_id, states, json.dumps(list(kept.items())), *fields]
        return bool(self.scripts["create"](keys=keys, args=args))

    @reaching
    def job_ids(self) -> list[str]:
        try:
            return list(self.client.smembers(JOBS))
        except redis.ResponseError as error:
            if not is_damage(error):
                raise
            log.warning("the list of jobs is damaged and was renamed; it is made again: %s", error)
        self._move(JOBS, [JOBS])
        names = (str(name).removeprefix(key("")) for name in self.client.scan_iter(key("*")))
        found = [name for name in names if ":" not in name]
        if found:
            self.client.sadd(JOBS, *found)
        return found

    @reaching
    @of_job
    def meta(self, job_id: str) -> dict[str, str] | None:
        return cast("dict[str, str]", self.client.hgetall(key(job_id))) or None

    @reaching
    @of_job
    def set_meta(self, job_id: str, name: str, value: str | int) -> None:
        self.client.hset(key(job_id), name, value)

    @reaching
    @of_job
    def add_meta(self, job_id: str, name: str, amount: int) -> None:
        self.client.hincrby(key(job_id), name, amount)

    @reaching
    @of_job
    def states(self, job_id: str, start: int, count: int) -> str:
        return str(self.client.getrange(key(job_id, "states"), start, start + count - 1))

    @reaching
    @of_job
    def returned(self, job_id: str, limit: int) -> list[int]:
        if limit < 1:
            return []
        return [int(index) for index in self.client.zrange(key(job_id, "returned"), 0, limit - 1)]

    @reaching
    @of_job
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
    @of_job
    def glance(self, job_id: str, index: int) -> Glance | None:
        with self.client.pipeline(transaction=True) as pipe:
            pipe.hget(key(job_id), "state").getrange(key(job_id, "states"), index, index)
            pipe.hget(key(job_id, "records"), index)
            state, code, text = pipe.execute()
        if state is None:
            return None
        record = TaskRecord.model_validate_json(text) if text else TaskRecord()
        return Glance(JobState(state), code, record)

    @reaching
    @of_job
    def running(self, job_id: str) -> dict[int, int]:
        found = self.client.hgetall(key(job_id, "running"))
        return {int(index): int(views) for index, views in found.items()}

    @reaching
    @of_job
    def kept(self, job_id: str) -> dict[int, int]:
        found = self.client.hgetall(key(job_id, "kept"))
        return {int(index): int(views) for index, views in found.items()}

    @reaching
    @of_job
    def shift(self, job_id: str, order: Transition) -> list[bool]:
        keys = [*keys_of(job_id), CONDUCT]
        return [bool(moved) for moved in self.scripts["shift"](keys=keys, args=[to_json(order)])]

    @reaching
    @of_job
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
        with self.client.pipeline(transaction=True) as pipe:
            pipe.unlink(*keys_of(job_id)).srem(JOBS, job_id).execute()

    @reaching
    @of_job
    def check(self, job_id: str) -> None:
        _, states, records, returned, running, kept = keys_of(job_id)
        with self.client.pipeline(transaction=True) as pipe:
            pipe.hgetall(key(job_id)).get(states)
            pipe.hlen(records).zcard(returned).hlen(running).hlen(kept)
            meta, codes, *counts = pipe.execute()
        if not meta:
            return
        names = ("records", "returned", "running")
        sizes = dict(zip(names, counts[:3], strict=True))
        if wrong := contradiction(meta, known_codes(job_id, codes or ""), **sizes):
            raise ValueError(wrong)

    @reaching
    def move_aside(self, kind: str, name: str) -> None:
        if kind == "job":
            self._move(kind, keys_of(name), job_id=name)
        elif kind == "worker":
            self._move(kind, [prefix + name for prefix in OF_WORKER])
        else:
            self._move(kind, [name])

    @reaching
    def keep_kinds(self, kinds: Mapping[str, str]) -> list[str]:
        with self.client.pipeline(transaction=False) as pipe:
            for name in kinds:
                pipe.type(name)
            found = dict(zip(kinds, pipe.execute(), strict=True))
        wrong = [name for name, kind in found.items() if kind not in ("none", kinds[name])]
        for name in wrong:
            self._move("key", [name])
        return wrong

    @reaching
    def keep_aside(self, kind: str, name: str, text: str | bytes) -> None:
        aside = f"farm:{kind}:{name}:{secrets.token_hex(4)}"
        self.client.set(aside, text[:MOST_KEPT], ex=KEPT_ASIDE_S)
        self._move(kind, [aside])

    @reaching
    def aside(self) -> Aside:
        try:
            counts = {kind: int(count) for kind, count in self.client.hgetall(COUNTS).items()}
        except (redis.ResponseError, ValueError):  # the next one begins anew
            counts = {}
        names = self.client.scan_iter(match=ASIDE_PREFIX + "*", count=1000)
        return Aside(counts, tuple(sorted(str(name) for name in names)))

    def _move(self, kind: str, names: Sequence[str], *, job_id: str = "") -> None:
        kind = "key" if kind.startswith("farm:") else kind
        kind = "node" if CONDUCT in names else kind
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        args: list[Any] = [kind, stamp, KEPT_ASIDE_S, job_id]
        self.scripts["aside"](keys=[COUNTS, JOBS, *names], args=args)

    @reaching
    @of_job
    def progress(self, job_id: str, index: int, attempt: int, views_done: int) -> bool:
        keys = [key(job_id), *(key(job_id, name) for name in ("states", "records", "running"))]
        return bool(self.scripts["progress"](keys=keys, args=[index, attempt, views_done]))

    @reaching
    def beat(self, worker: str, info: str, ttl_s: float) -> None:
        with self.client.pipeline(transaction=False) as pipe:
            pipe.set(WORKER_PREFIX + worker, info, px=max(1, round(ttl_s * 1000)))
            pipe.set(SEEN_PREFIX + worker, info, ex=round(VANISHED_S)).execute()

    @reaching
    def still(self, worker: str) -> None:
        self.client.delete(*(prefix + worker for prefix in OF_WORKER))

    @reaching
    def beating(self) -> dict[str, str]:
        return self._told(WORKER_PREFIX)

    @reaching
    def vanished(self) -> dict[str, str]:
        seen, beating = self._told(SEEN_PREFIX), self._told(WORKER_PREFIX)
        return {worker: info for worker, info in seen.items() if worker not in beating}

    def _told(self, prefix: str) -> dict[str, str]:
        names = list(self.client.scan_iter(match=prefix + "*", count=1000))
        infos = self.client.mget(names) if names else []
        found = zip(names, infos, strict=True)
        return {name.removeprefix(prefix): info for name, info in found if info is not None}

    @reaching
    @of_all(DRAINED)
    def drained(self) -> dict[str, str]:
        return cast("dict[str, str]", self.client.hgetall(DRAINED))

    @reaching
    @of_all(DRAINED)
    def drained_node(self, node: str) -> str:
        return self.client.hget(DRAINED, node) or ""

    @reaching
    @of_all(DRAINED)
    def set_drained(self, node: str, note: str) -> None:
        if note:
            self.client.hset(DRAINED, node, note)
        else:
            self.client.hdel(DRAINED, node)

    @reaching
    @of_all(CONDUCT)
    def conducts(self) -> dict[str, str]:
        return cast("dict[str, str]", self.client.hgetall(CONDUCT))

    @reaching
    @of_all(CONDUCT)
    def conduct(self, node: str) -> str:
        return self.client.hget(CONDUCT, node) or ""

    @reaching
    @of_all(CONDUCT)
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
        taken = self._sound(LEASE_PREFIX + name)
        return str(self.scripts["lease"](keys=[taken], args=args))

    @reaching
    def unlease(self, name: str, holder: str) -> None:
        self.scripts["unlease"](keys=[self._sound(LEASE_PREFIX + name)], args=[holder])

    def _sound(self, name: str) -> str:
        """Return the name of a text, which is set aside where it is something else."""
        if self.client.type(name) not in ("none", "string"):
            log.warning("%s is damaged and was renamed", name)
            self._move(name, [name])
        return name


def key(job_id: str, part: str | None = None) -> str:
    """Return the name under which a job, or a part of it, is kept."""
    return f"farm:job:{job_id}" if part is None else f"farm:job:{job_id}:{part}"


def keys_of(job_id: str) -> list[str]:
    """Return all names under which a job is kept."""
    parts = ("states", "records", "returned", "running", "kept")
    return [key(job_id), *(key(job_id, part) for part in parts)]


def to_json(order: Transition) -> str:
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
        "counter": order.counter,
        "given": [[index, CODES[state]] for index, state in order.given.items()],
    }
    if order.outcome:
        told["outcome"] = outcome_facts(order.outcome)
    return json.dumps(told)


def outcome_facts(outcome: AttemptOutcome) -> dict[str, Any]:
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
    scripts = resources.files("farm.ledger.stores") / "lua"
    return (scripts / f"{name}.lua").read_text(encoding="utf-8")
