"""How a run stands, and how it ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from farm.local.finish import DatasetFolder, Failure


@dataclass(frozen=True)
class Status:
    """How a run stands, for whoever watches."""

    views: int
    views_there: int
    tasks: int
    tasks_done: int
    tasks_failed: int
    views_per_s: float | None
    eta_s: float | None
    waits_for: str | None = None
    """What no task can go on without, in a sentence."""


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


@dataclass
class Speed:
    """Views per second since the first one was there: the loading before it says nothing."""

    first: tuple[float, int] | None = None

    def rate(self, views: int) -> float | None:
        """Return views per second; None as long as nobody can know."""
        now = time.monotonic()
        if self.first is None:
            self.first = (now, views) if views else None
            return None
        start, before = self.first
        return (views - before) / (now - start) if views > before and now > start else None
