"""Spans of traces as they are read: who did what, when, within what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import Field, ValidationError

from farm.errors import SpecError
from farm.spec.base import Kept, first_reason
from farm.spec.task import dataset_key
from farm.spec.trace import RENDERER, TRACES_FOLDER
from farm.storage import Storage

US_PER_S = 1e6


class Event(Kept):
    """One event of a trace in Chrome's format; times are in microseconds."""

    name: str
    ph: str
    pid: int
    tid: int
    ts: float = Field(default=0.0, ge=0)
    dur: float = Field(default=0.0, ge=0)
    args: dict[str, Any] = Field(default_factory=dict)

    @property
    def end(self) -> float:
        """When it was over."""
        return self.ts + self.dur


class TraceFile(Kept):
    """The trace of one attempt at a task."""

    traceEvents: tuple[Event, ...]
    otherData: dict[str, str] = Field(default_factory=dict)

    @property
    def worker(self) -> str:
        """Whose it is."""
        return self._named("process_name").get(0, "")

    @property
    def spans(self) -> tuple[Event, ...]:
        """What was done, in the order of its beginnings; what holds others comes before them.

        Of those that took equally long, what ended last, which is told of last, holds the others.
        """
        found = (event for event in reversed(self.traceEvents) if event.ph == "X")
        return tuple(sorted(found, key=lambda event: (event.ts, -event.dur)))

    def of_renderer(self, event: Event) -> bool:
        """Say whether the thread in which Blender runs did it."""
        return self._named("thread_name").get(event.tid) == RENDERER

    def _named(self, what: str) -> dict[int, str]:
        return {
            event.tid: str(event.args.get("name", ""))
            for event in self.traceEvents
            if event.ph == "M" and event.name == what
        }


def read_traces(storage: Storage, datasets: Iterable[str]) -> Iterator[TraceFile]:
    """Yield the traces in datasets, one after the other.

    Raises:
        SpecError: A file is no trace.
    """
    for key in trace_keys(storage, datasets):
        try:
            yield TraceFile.model_validate_json(storage.get(key) or b"")
        except ValidationError as error:
            raise SpecError(
                f"{storage.place}/{key}: is not a trace: {first_reason(error)}; delete it"
            ) from None


def trace_keys(storage: Storage, datasets: Iterable[str]) -> Iterator[str]:
    """Yield where the traces in datasets lie."""
    for dataset in datasets:
        for key in sorted(storage.keys(dataset_key(dataset, TRACES_FOLDER))):
            if key.endswith(".json"):
                yield key
