"""`farm status` without a job: the farm on one screen."""

from __future__ import annotations

import time
from collections.abc import Iterator

from farm.cli.remote.farm_options import err_console, farm_client, out_console, print_json, say
from farm.cli.token.table import expiry
from farm.overview.datasets import datasets_words
from farm.overview.fill import SOON_S, growth_words, room_words
from farm.overview.users import endings, role_words
from farm.spec.amounts import file_size
from farm.spec.role import MAY, allows
from farm.spec.wire import FarmStatus, TokenInfo

TOLD = 5
JOB_ORDER = ("running", "queued", "paused", "cancelling", "completed", "failed", "cancelled")


def show_farm(*, json: bool) -> None:
    """Print the farm's state: facts, then what somebody should do."""
    with farm_client() as client:
        found = client.status()
        url, (theirs, _) = client.url, client.connection.versions
    if json:
        print_json(found)
        return
    out = out_console()
    say(out, f"{'farm':<9} {url}, version {theirs or 'unknown'}")
    for word, text in facts(found):
        say(out, f"{word:<9} {text}")
    for sentence in warnings(found):
        say(err_console(), f"warning: {sentence}", style="yellow")


def facts(status: FarmStatus) -> Iterator[tuple[str, str]]:
    """Yield a word and what is to be said of it."""
    yield "you", you_words(status.you)
    yield "", taken_words(status)
    yield from (("roles" if at == 0 else "", text) for at, text in enumerate(roles(status)))
    yield "storage", room_words(status.storage)
    if growth := growth_words(status.storage):
        yield "", growth
    yield "jobs", jobs_words(status)
    shut = f", {len(status.quarantine)} in quarantine" if status.quarantine else ""
    drained = f", {len(status.drained)} drained" if status.drained else ""
    yield "workers", f"{status.workers} alive{shut}{drained}"
    if status.datasets is not None:
        yield "datasets", datasets_words(status.datasets)


def you_words(you: TokenInfo) -> str:
    """Say who is asking, and until when."""
    ends = expiry(you, time.time())
    until = "never expires" if ends == "never" else f"expires {ends}"
    return f"{you.name}, role {you.role}; your token {until}"


def taken_words(status: FarmStatus) -> str:
    """Say what the caller takes of the farm."""
    taken = status.taken
    most = "" if taken.quota_bytes is None else f" of {file_size(taken.quota_bytes)}"
    views = "" if taken.views_per_day is None else f" of {taken.views_per_day:,}"
    size = file_size(taken.total_bytes)
    return f"you take {size}{most}, and have submitted {taken.views_today:,}{views} views today"


def roles(status: FarmStatus) -> Iterator[str]:
    """Yield who may do what."""
    if status.you.role == "admin":
        yield role_words(status.tokens, now_s=time.time())
    for role, may in MAY.items():
        if allows(status.you.role, role):
            yield f"{role + ':':<7} {'' if role == 'read' else 'also '}{may}"
    yield "all see each other's jobs" if status.shared else "only admins see the jobs of others"


def jobs_words(status: FarmStatus) -> str:
    """Count the jobs by state."""
    told = [f"{status.jobs[state]:,} {state}" for state in JOB_ORDER if status.jobs.get(state)]
    return ", ".join(told) or "none"


def warnings(status: FarmStatus) -> Iterator[str]:
    """Yield what somebody should do something about."""
    if status.you.role == "admin":  # others are told of their own token at every command
        for sentence, remedy in endings(status.tokens, now_s=time.time()):
            yield f"{sentence}; {remedy}"
    if status.storage.full_in_s is not None and status.storage.full_in_s < SOON_S:
        yield "the storage will be full soon; farm delete JOB and farm tidy make room"
    yield from (f"in quarantine: {sentence}" for sentence in status.quarantine[:TOLD])
    troubles = status.datasets.troubles if status.datasets else ()
    for trouble in troubles[:TOLD]:
        yield f"{trouble.dataset} {trouble.sentence}"
    if len(troubles) > TOLD:
        yield f"... and {len(troubles) - TOLD:,} more; farm doctor on the server tells all"
