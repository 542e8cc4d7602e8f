"""Whether one part of the farm is alive: the health checks of containers."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator

from farm.doctor.finding import Finding, fine, problem
from farm.errors import FarmError
from farm.local.processes.ports import answers_ok
from farm.settings import load_settings

API_PORT = "FARM_API_PORT"
FLOWER_PORT = "FARM_FLOWER_PORT"
SILENT_S = 60.0
"""Longest time that one step of the dispatcher may take, on slow storage."""


def api() -> Iterator[Finding]:
    """Ask the API of this machine for its health."""
    yield _ask("api", f"http://127.0.0.1:{os.environ.get(API_PORT, '8000')}/health")


def flower() -> Iterator[Finding]:
    """Ask Flower on this machine for its health."""
    yield _ask("flower", f"http://127.0.0.1:{os.environ.get(FLOWER_PORT, '5555')}/healthcheck")


def _ask(part: str, url: str) -> Finding:
    if answers_ok(url):
        return fine(part, f"{url} answers")
    return problem(part, f"{url} does not answer as it should", f"see the log of `farm {part}`")


def dispatcher() -> Iterator[Finding]:
    """Check when the dispatcher last touched the file that says it is alive."""
    file = load_settings().alive_file
    try:
        silent_s = time.time() - file.stat().st_mtime if file else None
    except OSError:
        silent_s = None
    if silent_s is None:
        yield problem(
            "dispatcher",
            "no sign of life from a dispatcher",
            "start it with the same FARM_ALIVE_FILE as here; see its log",
        )
    elif silent_s > SILENT_S:
        yield problem("dispatcher", f"silent for {silent_s:.0f} s", "restart it; see its log")
    else:
        yield fine("dispatcher", "it is alive")


def worker() -> Iterator[Finding]:
    """Look for the heartbeat of a worker of this host."""
    from farm.ledger import open_ledger

    host = platform.node()
    try:
        ledger = open_ledger(load_settings().redis_url.get_secret_value())
        mine = [one for one in ledger.workers() if one.info.get("host") == host]
    except FarmError as error:
        yield problem(
            "worker", str(error), "check that Redis runs and that FARM_REDIS_URL names it"
        )
        return
    if mine:
        names = ", ".join(f"{one.info['name']} on {one.info['device']}" for one in mine)
        yield fine("worker", f"{len(mine)} alive here: {names}")
    else:
        yield problem("worker", f"no worker of {host} is alive", "see the log of `farm worker`")
