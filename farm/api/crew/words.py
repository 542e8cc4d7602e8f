"""A crowd of workers in words: how many are in which state, how fast they are, what they take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from farm.spec.counted import counted
from farm.spec.wire import WorkerInfo, WorkerState

WORDS: dict[WorkerState, tuple[str, str]] = {
    "renders": ("renders", "render"),
    "idle": ("is idle", "are idle"),
    "draining": (
        "finishes its task and is drained then",
        "finish their tasks and are drained then",
    ),
    "drained": ("is drained", "are drained"),
    "quarantine": ("is in quarantine", "are in quarantine"),
}
"""What one worker in a state does, and what several do."""


def by_state(workers: Sequence[WorkerInfo]) -> list[tuple[WorkerState, int]]:
    """Count workers by state, those that render first; states that none is in are left out."""
    counts = Counter(worker.state for worker in workers)
    return [(state, counts[state]) for state in get_args(WorkerState) if counts[state]]


def crew_sentence(workers: Sequence[WorkerInfo]) -> str:
    """Say in one sentence how the workers stand."""
    if not workers:
        return "No worker is alive."
    parts = [f"{count:,} {WORDS[state][count > 1]}" for state, count in by_state(workers)]
    told = [f"{counted(len(workers), 'worker')}: {', '.join(parts)}"]
    if rate := sum(one.views_per_s or 0.0 for one in workers if one.task):
        told.append(f"{rate:.3g} views per second")
    if power := sum(one.power_w or 0.0 for one in workers):
        told.append(f"{power:,.0f} W")
    return f"{'; '.join(told)}."


def worker_words(worker: WorkerInfo) -> str:
    """Say in one line what a worker does, or why it does nothing."""
    reasons = [each for each in (worker.drained, worker.quarantine) if each]
    if not worker.task:
        return "; ".join(reasons) or "idle"
    return "; ".join([f"renders {worker.title or worker.task}", *reasons])
