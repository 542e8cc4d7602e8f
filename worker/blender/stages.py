"""What Cycles says that it is doing, as spans of a trace."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from farm.spec.trace import SAMPLE
from worker.trace import Trace

SAYS = (
    (re.compile(r"\bSample \d+/\d+|\bRendered \d+"), SAMPLE),
    (re.compile(r"\bFinished|^Time:"), "hand over"),
    (re.compile(r"\bImportance map"), "map"),
    (re.compile(r"\bUpdating |\bLoading |\bCompiling "), "build"),
    (re.compile(r"\bSynchronizing |\bInitializing|\bWaiting "), "sync"),
)
"""What is in the line that Blender shows while it renders, and the stage that it tells of."""


def stage_of(line: str) -> str | None:
    """Return the stage that a line of Cycles' status tells of; None where it tells of none."""
    return next((stage for said, stage in SAYS if said.search(line)), None)


class Stages:
    """When Cycles turned from one stage to the next, in one render."""

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock = clock
        self._turns = [("sync", clock())]
        self._ended_ns = 0

    def hear(self, line: str, _more: object = None) -> None:
        """Hear of a line; Cycles tells from a thread of its own."""
        stage = stage_of(line)
        if stage is not None and stage != self._turns[-1][0]:
            self._turns.append((stage, self._clock()))

    def end(self) -> None:
        """Note that the render is over."""
        self._ended_ns = self._clock()

    def spans(self) -> Iterator[tuple[str, int, int]]:
        """Yield the stages, with their beginnings and ends in nanoseconds."""
        ends = [since for _, since in self._turns[1:]] + [self._ended_ns]
        for (stage, since), until in zip(self._turns, ends, strict=True):
            yield stage, since, until

    @property
    def sample_s(self) -> float:
        """Seconds of path tracing, with denoising, as Cycles counts them in the files it writes."""
        spent = (until - since for stage, since, until in self.spans() if stage == SAMPLE)
        return sum(spent) / 1e9


@contextmanager
def followed(trace: Trace) -> Iterator[Stages]:
    """Follow the one render within the block, and take down its stages."""
    stages = Stages()
    heard: Any = bpy.app.handlers.render_stats
    heard.append(stages.hear)
    try:
        yield stages
    finally:
        heard.remove(stages.hear)
        stages.end()
        for stage, since, until in stages.spans():
            trace.add(stage, since, until)
