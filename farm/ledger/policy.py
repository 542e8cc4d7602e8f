"""What a failed attempt costs and where too many of them lead; a table, not code."""

from __future__ import annotations

from typing import NamedTuple

from farm.ledger.model import TaskState


class Policy(NamedTuple):
    """How attempts of one cause are counted."""

    cap: int | None
    """So many end the task; None: the attempt is free."""
    then: TaskState = TaskState.PENDING
    """Where the cap leads; causes that lead to the same place share one count."""
    hold_s: float = 0.0
    """The job is not fed for so long, because every other task would meet the same."""
    stops_worker: bool = False
    """The worker ends, since it would fail every other task, too."""


CAUSES: dict[str, Policy] = {
    "asset": Policy(1, TaskState.FAILED),
    "render": Policy(3, TaskState.FAILED),
    "gpu_memory": Policy(2, TaskState.FAILED),  # each has tried smaller tiles, too
    "picture": Policy(3, TaskState.FAILED),
    "out_of_frame": Policy(1, TaskState.FAILED),  # not `asset`: other views of it are fine
    "unknown": Policy(3, TaskState.FAILED),
    "killed": Policy(3, TaskState.SET_ASIDE),
    "lost": Policy(3, TaskState.SET_ASIDE),
    "timeout": Policy(3, TaskState.SET_ASIDE),
    "memory": Policy(3, TaskState.SET_ASIDE),  # another machine may have more
    "storage": Policy(None, hold_s=10.0),
    "disk": Policy(None, hold_s=10.0),
    "device": Policy(3, TaskState.SET_ASIDE, stops_worker=True),  # else one task ends all workers
}

UNKNOWN = CAUSES["unknown"]

STORY_LENGTH = 10
"""So many failures of a task are kept: a disk that stays full must not fill the ledger too."""
