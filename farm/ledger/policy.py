"""What a failed attempt costs and where too many of them lead; a table, not code."""

from __future__ import annotations

from typing import NamedTuple

from farm.ledger.model import TaskState


class Policy(NamedTuple):
    """How attempts of one cause are counted."""

    cap: int | None
    """Number of such attempts that ends the task; None: the attempt is free."""
    then: TaskState = TaskState.PENDING
    """Where the cap leads; causes that lead to the same place share one count."""
    hold_s: float = 0.0
    """Seconds for which the job is not fed, because every other task would meet the same."""
    stops_worker: bool = False
    """The worker ends, since it would fail every other task, too."""
    node: bool = False
    """It may be the node's fault: others try first, and too many in a row are looked into."""


CAUSES: dict[str, Policy] = {
    "asset": Policy(1, TaskState.FAILED),
    "script": Policy(1, TaskState.FAILED),
    "unsettled": Policy(1, TaskState.FAILED),  # as often as it may be drawn it was
    "render": Policy(3, TaskState.FAILED, node=True),
    "gpu_memory": Policy(2, TaskState.FAILED, node=True),  # each has tried smaller tiles, too
    "changed": Policy(1, TaskState.FAILED),
    "picture": Policy(3, TaskState.FAILED, node=True),
    "needs": Policy(1, TaskState.FAILED),  # what it waits for has failed
    "product": Policy(3, TaskState.FAILED),  # each puts the task back that makes it
    "out_of_frame": Policy(1, TaskState.FAILED),  # not `asset`: other views of it are fine
    "unknown": Policy(3, TaskState.FAILED, node=True),
    "killed": Policy(3, TaskState.SET_ASIDE, node=True),
    "lost": Policy(3, TaskState.SET_ASIDE, node=True),
    "timeout": Policy(3, TaskState.SET_ASIDE, node=True),
    "memory": Policy(3, TaskState.SET_ASIDE, node=True),  # another machine may have more
    "storage": Policy(None, hold_s=10.0),
    "disk": Policy(None, hold_s=10.0),
    "device": Policy(3, TaskState.SET_ASIDE, stops_worker=True, node=True),
}

UNKNOWN = CAUSES["unknown"]


def policy_of(cause: str) -> Policy:
    """Return how a cause is counted; one of another version is like an unknown one."""
    return CAUSES.get(cause, UNKNOWN)


ELSEWHERE_S, ELSEWHERE_BUSY_S = 30.0, 900.0
"""For so long after a failure that may be its node's fault a task is kept for other nodes: where
its own has nothing else to do, and where it has."""
TURNED_AWAY_S = 2.0
"""A task that was refused to a worker is sent again after this."""
SUSPICIOUS = 3
"""Different tasks that fail in a row, and not elsewhere, before a worker goes into quarantine."""
WELL_S = 3600.0
"""A worker that did a task of the job within this time shows that the job can be rendered."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 1800.0


def pause_s(times: int) -> float:
    """Return how long a node rests before it warms up for the `times`th time since it did well."""
    return min(FIRST_PAUSE_S * 2.0 ** (times - 2), LONGEST_PAUSE_S) if times > 1 else 0.0


STORY_LENGTH = 10
"""Most failures of a task that are kept: a disk that stays full must not fill the ledger too."""
