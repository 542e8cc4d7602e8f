"""What a worker did of a task, and when: spans of time; nothing is noted unless somebody asks."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple, Protocol

from farm.spec.trace import RENDERER

NS_PER_US = 1000
NOTHING: AbstractContextManager[None] = nullcontext()


class Trace(Protocol):
    """Takes down how long things took."""

    @property
    def is_on(self) -> bool:
        """Whether anything is taken down."""

    def span(self, name: str, view: str = "") -> AbstractContextManager[None]:
        """Take down how long the block takes, in the thread that runs it."""

    def add(self, name: str, since_ns: int, until_ns: int, view: str = "") -> None:
        """Take down what was between two times of `time.perf_counter_ns` in this thread."""


class NoTrace:
    """Takes nothing down."""

    is_on = False

    def span(self, name: str, view: str = "") -> AbstractContextManager[None]:
        return NOTHING

    def add(self, name: str, since_ns: int, until_ns: int, view: str = "") -> None:
        pass


NO_TRACE = NoTrace()


class Span(NamedTuple):
    """What one thread did for some time."""

    name: str
    view: str
    thread: int
    since_ns: int
    until_ns: int


class TaskTrace:
    """The spans of one task; many threads may add to it. Who makes it is the renderer's thread."""

    is_on = True

    def __init__(self) -> None:
        self._renderer = threading.get_ident()
        self._epoch_ns = time.time_ns() - time.perf_counter_ns()
        self._spans: list[Span] = []

    @contextmanager
    def span(self, name: str, view: str = "") -> Iterator[None]:
        """Take down how long the block takes, also where it ends by an error."""
        since_ns = time.perf_counter_ns()
        try:
            yield
        finally:
            self.add(name, since_ns, time.perf_counter_ns(), view)

    def add(self, name: str, since_ns: int, until_ns: int, view: str = "") -> None:
        """Take down what was between two times of `time.perf_counter_ns` in this thread."""
        self._spans.append(Span(name, view, threading.get_ident(), since_ns, until_ns))

    def to_json(self, *, process: str, facts: Mapping[str, str]) -> bytes:
        """Return the spans in the format of Chrome's traces, which Perfetto and speedscope open.

        Args:
            process: What to call this process.
            facts: What else is to be known of the task.
        """
        pid = os.getpid()
        threads = {self._renderer: 0}
        for span in self._spans:
            threads.setdefault(span.thread, len(threads))
        events = [
            named("process_name", process, pid=pid, tid=0),
            *(
                named("thread_name", f"beside {tid}" if tid else RENDERER, pid=pid, tid=tid)
                for tid in threads.values()
            ),
            *(self._event(span, pid=pid, tid=threads[span.thread]) for span in self._spans),
        ]
        told = {"displayTimeUnit": "ms", "otherData": dict(facts), "traceEvents": events}
        return json.dumps(told, separators=(",", ":")).encode()

    def _event(self, span: Span, *, pid: int, tid: int) -> dict[str, object]:
        # Whole numbers: parts of a microsecond since 1970 get lost, and what touches would overlap.
        since_us, until_us = (
            (self._epoch_ns + ns) // NS_PER_US for ns in (span.since_ns, span.until_ns)
        )
        return {
            "name": span.name,
            "cat": "view" if span.view else "task",
            "ph": "X",
            "ts": since_us,
            "dur": until_us - since_us,
            "pid": pid,
            "tid": tid,
            "args": {"view": span.view} if span.view else {},
        }


def named(what: str, name: str, *, pid: int, tid: int) -> dict[str, object]:
    """Return the event that gives a process or a thread its name."""
    return {"name": what, "ph": "M", "pid": pid, "tid": tid, "args": {"name": name}}
