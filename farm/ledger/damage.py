"""Damage in the ledger: found, kept from the rest, set aside under a name of its own."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from farm.errors import DamagedLedgerError
from farm.ledger.model import CODES, STATES, TaskState

log = logging.getLogger(__name__)

KEPT_ASIDE_S = 30 * 86400
"""Seconds that damaged things are kept after they were set aside, for people to look at."""
MOST_KEPT = 1 << 20
"""Bytes kept of one thing that was set aside, if it is a text."""
KNOWN_CODES = re.compile(f"[{''.join(STATES)}]*")
HAVE_RECORDS = (
    TaskState.QUEUED,
    TaskState.RUNNING,
    TaskState.FAILED,
    TaskState.SET_ASIDE,
    TaskState.LEFT_OUT,
)


@dataclass(frozen=True)
class Aside:
    """Damage found so far."""

    counts: Mapping[str, int] = field(default_factory=dict)
    """By kind: `job`, `worker`, `node`, `message` or `key`; since Redis was emptied."""
    names: tuple[str, ...] = ()
    """Keys under which it is still kept."""


class Sparing:
    """Keeps what is damaged from the rest: the caller continues with the next.

    `on_damage` is told of each; unless somebody sets it, a line says so once.
    """

    def __init__(self) -> None:
        self.on_damage: Callable[[DamagedLedgerError], None] = self._tell_once
        self._told: set[tuple[str, str]] = set()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Continue after the block where something in it is damaged."""
        try:
            yield
        except DamagedLedgerError as error:
            self.on_damage(error)

    def _tell_once(self, error: DamagedLedgerError) -> None:
        if (error.kind, error.name) not in self._told:
            self._told.add((error.kind, error.name))
            log.warning("skipped: %s", error)


def known_codes(job_id: str, codes: str) -> str:
    """Return state codes that are all known.

    Raises:
        DamagedLedgerError: Some are not.
    """
    if not KNOWN_CODES.fullmatch(codes):
        strange = set(codes) - STATES.keys()
        raise DamagedLedgerError(
            "job", job_id, f"there are tasks in unknown states: {sorted(strange)!r:.60}"
        )
    return codes


def number(job_id: str, meta: Mapping[str, str], name: str) -> int:
    """Return a number of a job's fields, 0 where it is not there.

    Raises:
        DamagedLedgerError: It is not a number.
    """
    try:
        return int(meta.get(name, 0))
    except ValueError:
        raise DamagedLedgerError("job", job_id, f"its {name} is {meta[name]!r:.60}") from None


def contradiction(
    meta: Mapping[str, str],
    states: str,
    *,
    records: int,
    returned: int,
    running: int,
) -> str | None:
    """Return a contradiction between a job's keys; None where they agree.

    Args:
        meta: Its fields, all numbers that should be.
        states: Its state codes.
        records: How many tasks have a record.
        returned: How many were given back and wait.
        running: How many are listed as running.
    """
    if len(states) != int(meta["tasks"]):
        return f"{len(states)} of its {meta['tasks']} tasks have a state"
    counts = {state: states.count(code) for state, code in CODES.items()}
    for state, code in CODES.items():
        if int(meta.get(code, 0)) != counts[state]:
            return f"{counts[state]} tasks are {state}, but {meta.get(code, 0)} are counted"
    if running != counts[TaskState.RUNNING]:
        return f"{counts[TaskState.RUNNING]} tasks are running, but {running} are listed"
    if records < (known := sum(counts[state] for state in HAVE_RECORDS)):
        return f"{known} tasks were tried, but {records} have a record"
    behind = states.count(CODES[TaskState.PENDING], 0, int(meta.get("cursor", 0)))
    if returned < behind:
        return f"{behind} tasks were given back, but {returned} are listed"
    return None
