"""The farm from here: its storage, its Redis, its API."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from farm.doctor.finding import Finding, fine, problem, warning
from farm.doctor.machine import installed, readable
from farm.errors import FarmError
from farm.ledger.damage import Aside
from farm.local.up.farm_folder import USUAL_FOLDER, FarmFolder, UpState
from farm.settings import load_settings
from farm.spec.counted import coarse
from farm.spec.wire import TokenInfo
from farm.storage import Storage, is_bucket, open_storage
from farm.tokens import expires_soon

TOLD_NAMES = 5
SCARCE_BYTES = 10 << 30
SPENT_BYTES = 1 << 30
SKEW_S = 5.0
"""Largest difference of clocks that is fine; leases follow Redis' clock, times in logs do not."""


@dataclass(frozen=True)
class Whereabouts:
    """Where the farm's parts are, according to the environment or to a farm that runs here."""

    storage: str | None
    redis_url: str | None
    up: UpState | None


def whereabouts() -> Whereabouts:
    """Find the farm: in the environment, else one that `farm up` runs in its usual folder."""
    settings = load_settings()
    place = settings.storage if "FARM_STORAGE" in os.environ else None
    redis_url = settings.redis_url.get_secret_value() if "FARM_REDIS_URL" in os.environ else None
    folder = FarmFolder(Path(place or USUAL_FOLDER).absolute())
    state = None if place and is_bucket(place) else folder.state()
    if state is not None:
        place = str(folder.storage)
        password = folder.secrets().redis_password
        redis_url = redis_url or f"redis://:{password}@127.0.0.1:{state.redis_port}/0"
    return Whereabouts(place, redis_url, state)


def up() -> Iterator[Finding]:
    """Report on the farm that `farm up` runs here, if there is one."""
    state = whereabouts().up
    if state is None:
        return
    yield fine("up", f"a farm is {state.phase} at {state.url}, Flower at {state.flower_url}")
    for part in state.parts:
        if part.problem:
            yield problem("up", f"{part.name} does not run: {part.problem}", "farm down; farm up")
        elif part.pid is None:
            yield warning("up", f"{part.name} is being started again", "see its log in .farm/log")


def storage() -> Iterator[Finding]:
    """Write, read and delete one small file where the farm keeps its files."""
    place = whereabouts().storage
    if place is None:
        yield fine("storage", "not checked: FARM_STORAGE is not set")
        return
    if not is_bucket(place) and not Path(place).is_dir():
        yield problem(
            "storage", f"{place} is not a folder", "create it, or mount the storage there"
        )
        return
    try:
        kept = open_storage(place)
        key = f".doctor/{secrets.token_hex(6)}"
        started = time.monotonic()
        kept.put(key, b"doctor")
        same = kept.get(key) == b"doctor"
        kept.delete(key)
        took_ms = (time.monotonic() - started) * 1000
    except FarmError as error:
        yield problem("storage", str(error), "check that it exists and can be written")
        return
    if not same:
        yield problem("storage", f"{place} returns other bytes than were written", "replace it")
        return
    yield fine("storage", f"{place} can be written ({took_ms:.0f} ms)")
    if not is_bucket(place):
        yield from _room(kept)


def _room(kept: Storage) -> Iterator[Finding]:
    from farm.overview.fill import SOON_S, FillLog, fill_words

    info = FillLog(kept).look()
    free, sentence = info.free_bytes or 0, fill_words(info)
    remedy = "make room: `farm delete JOB` removes a dataset, `farm tidy` unused uploads"
    soon = info.full_in_s is not None and info.full_in_s < SOON_S
    if info.total_bytes is None:
        yield warning("storage", sentence, "check that the file system tells its size")
    elif free < SPENT_BYTES:
        yield problem("storage", sentence, remedy)
    elif free < SCARCE_BYTES or soon:
        yield warning("storage", sentence, remedy)
    else:
        yield fine("storage", sentence)


def redis() -> Iterator[Finding]:
    """Ask Redis for its time and version, and whether it might drop or forget data."""
    url = whereabouts().redis_url
    if url is None:
        yield fine("redis", "not checked: FARM_REDIS_URL is not set")
        return
    if installed("redis") is None:
        yield problem(
            "redis",
            "the Python client for Redis is not installed",
            "pip install 'viewfarm[server]'",
        )
        return
    yield from _look_at_redis(url)


def _look_at_redis(url: str) -> Iterator[Finding]:
    import redis as library

    from farm.ledger.stores.redis_store import RedisStore, connect

    client = library.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    try:
        started = time.time()
        seconds, microseconds = client.time()
        took_s = time.time() - started
        info = client.info()
        aside = RedisStore(connect(url)).aside()
    except library.AuthenticationError:
        yield problem("redis", "Redis refuses the password", "correct it in FARM_REDIS_URL")
        return
    except (library.RedisError, ValueError) as error:
        yield problem(
            "redis",
            f"Redis cannot be reached: {error}",
            "check that it runs and that FARM_REDIS_URL names it",
        )
        return
    finally:
        client.close()
    yield fine(
        "redis",
        f"Redis {info['redis_version']} answers in {took_s * 1000:.0f} ms, "
        f"holds {readable(info['used_memory'])}",
    )
    yield from _memory_of_redis(info)
    yield from _damage_in_redis(aside)
    skew_s = started + took_s / 2 - (seconds + microseconds / 1e6)
    if abs(skew_s) > SKEW_S + took_s:
        yield warning(
            "clock",
            f"this machine's clock is {skew_s:+.1f} s off that of Redis",
            "synchronise both with the same time server; time zones do not matter",
        )
    else:
        yield fine("clock", f"{skew_s:+.2f} s off the clock of Redis")


def _damage_in_redis(aside: Aside) -> Iterator[Finding]:
    if not aside.names:
        return
    counts = ", ".join(f"{kind} {count}" for kind, count in sorted(aside.counts.items()))
    names = ", ".join(repr(name) for name in aside.names[:TOLD_NAMES])
    more = f" and {len(aside.names) - TOLD_NAMES} more" if len(aside.names) > TOLD_NAMES else ""
    yield warning(
        "redis",
        f"something other than the farm wrote to Redis; damaged and renamed so far: {counts}. "
        f"Kept: {names}{more}",
        "find out what writes there; inspect the values with redis-cli, then DEL them; each "
        "expires "
        "after 30 days",
    )


def _memory_of_redis(info: dict[str, object]) -> Iterator[Finding]:
    if info.get("maxmemory_policy") != "noeviction":
        yield problem(
            "redis",
            f"Redis may discard the queue (maxmemory-policy {info.get('maxmemory_policy')})",
            "set maxmemory-policy noeviction",
        )
    if not info.get("aof_enabled"):
        yield warning("redis", "Redis forgets all jobs when it restarts", "set appendonly yes")


def login() -> Iterator[Finding]:
    """Ask the farm of this user's login whom it knows them as."""
    from farm.client.connection import Connection
    from farm.client.home import Home, find_login
    from farm.errors import LoginError

    try:
        found = find_login(Home.of_user())
    except LoginError as error:
        yield fine("login", f"none: {error}")
        return
    connection = Connection(found, patience_s=0)
    try:
        who = connection.ask(TokenInfo, "GET", "/v1/whoami")
    except LoginError as error:
        yield problem("login", f"{found.url}: {error}", f"farm login {found.url}")
    except FarmError as error:
        yield problem("login", str(error), "check that the farm runs and that the address is right")
    else:
        yield _known(found.url, who)
        yield from _same_version(*connection.versions)
    finally:
        connection.close()


def _known(url: str, who: TokenInfo) -> Finding:
    known, now_s = f"{url} knows you as {who.name!r} ({who.role})", time.time()
    if not expires_soon(who, now_s=now_s) or who.expires_s is None:
        return fine("login", known)
    ends = f"your token expires in {coarse(who.expires_s - now_s)}"
    renew = f"have the farm's operator renew it: farm token change {who.token_id} --expires 1y"
    return warning("login", f"{known}; {ends}", renew)


def _same_version(theirs: str | None, ours: str) -> Iterator[Finding]:
    if theirs != ours:
        yield warning(
            "login",
            f"the farm has version {theirs or 'unknown'}, this is {ours}",
            "install the farm's version here if anything is refused",
        )
