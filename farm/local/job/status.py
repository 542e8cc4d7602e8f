"""The state of a run, and how it ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from farm.local.job.finish import DatasetFolder, Failure


@dataclass(frozen=True)
class Status:
    """The state of a run, for display."""

    views: int
    views_there: int
    tasks: int
    tasks_done: int
    tasks_failed: int
    views_per_s: float | None
    eta_s: float | None
    waits_for: str | None = None
    """What all tasks wait for, in a sentence."""


@dataclass(frozen=True)
class Summary:
    """How a run ended."""

    views: int
    views_there: int
    rendered: int
    """Of these, in this run."""
    seconds: float
    interrupted: bool
    failures: list[Failure] = field(default_factory=list)
    datasets: list[DatasetFolder] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What was said of the datasets."""


@dataclass
class Speed:
    """Views per second since the first one: the time spent loading before it would mislead."""

    first: tuple[float, int] | None = None

    def rate(self, views: int) -> float | None:
        """Return views per second; None as long as it is unknown."""
        now = time.monotonic()
        if self.first is None:
            self.first = (now, views) if views else None
            return None
        start, before = self.first
        return (views - before) / (now - start) if views > before and now > start else None
