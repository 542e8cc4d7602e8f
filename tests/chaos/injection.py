"""A fault that was injected, and when the farm had recovered from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.faults import Steps
from tests.chaos.journal import Event
from tests.chaos.schedule import DISPATCHER, WORKER, Fault


@dataclass
class Injection:
    """A fault that was injected, and when the farm had recovered from it."""

    fault: Fault
    steps: Steps
    begun_s: float
    held: dict[tuple[str, int], int]
    """What its victims held and is not done, with the attempts."""
    hit: bool = False
    """They held something."""
    due: float | Callable[[], bool] = 0.0
    over_s: float | None = None
    """When the fault itself was over."""
    recovered_s: float | None = None
    fresh: set[tuple[str, int]] = field(default_factory=set)
    """Tasks that were begun after it was over."""

    @property
    def target(self) -> str:
        if self.fault.kind in DISPATCHER:
            return "dispatcher"
        if self.fault.kind in WORKER:
            return "workers" if self.fault.kind == "rolling restart" else f"w{self.fault.worker}"
        return "redis"


def note_recovery(injection: Injection, event: Event) -> None:
    """Note what an event says of the recovery of a service: a task begins, and a view is done."""
    late = injection.over_s is not None and event.time_s > injection.over_s
    if injection.fault.kind in WORKER or injection.recovered_s is not None or not late:
        return
    if event.what == "began":
        injection.fresh.add(event.task)
    elif event.task in injection.fresh:
        injection.recovered_s = event.time_s
