"""Traces added up: how long each stage took, within what, and how much of it Cycles sampled."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator

from pydantic import Field

from farm.dataset.trace.spans import US_PER_S, Event, TraceFile
from farm.spec.base import Spec
from farm.spec.trace import ONCE, RENDERER, SAMPLE, STAGES

BESIDE = "beside"
"""All threads but the renderer's."""
OTHER = "other"
"""Time of a thread in a span that only holds others together."""
Path = tuple[str, ...]
"""Names of spans, each within the one before; the first is who did it."""


class StageTime(Spec):
    """What one stage took, of all tasks together."""

    who: str
    """`renderer`, or `beside`."""
    stage: str
    seconds: float
    per_view_s: float
    share: float
    """Of the wall time."""


class TraceStats(Spec):
    """Where the time of tasks went."""

    tasks: int
    views: int
    wall_s: float
    """From the begin of each task to its end, added up."""
    once_s: float
    """Of it, what is done once for a task or an environment: loading, and the map of its light."""
    between_s: float | None
    """Median of the time from the end of a task to the begin of the worker's next one."""
    sampling_share: float
    """Of the wall time, how much Cycles traced paths."""
    sampling_share_of_views: float
    """The same of the time that was not spent once."""
    stages: tuple[StageTime, ...]
    paths: dict[str, float] = Field(default_factory=dict)
    """Seconds by names of spans, each within the one before, such as
    `renderer/task/render/sample`: what the picture draws."""


class Adder:
    """Adds up traces, one at a time."""

    def __init__(self) -> None:
        self._paths: dict[Path, float] = {}
        self._tasks = self._views = 0
        self._ends: dict[tuple[str, int], list[tuple[float, float]]] = {}

    def add(self, trace: TraceFile) -> None:
        """Take the next trace."""
        self._tasks += 1
        spans = trace.spans
        self._views += len({span.args["view"] for span in spans if span.name == "finish"})
        for path, seconds in own_times(trace):
            self._paths[path] = self._paths.get(path, 0.0) + seconds
        whole = [span for span in spans if span.name == "task"]
        for span in whole:
            self._ends.setdefault((trace.worker, span.pid), []).append((span.ts, span.end))

    def sum(self) -> TraceStats:
        """Return what was added up so far."""
        wall_s = sum(seconds for path, seconds in self._paths.items() if path[0] == RENDERER)
        by_stage: defaultdict[tuple[str, str], float] = defaultdict(float)
        for path, seconds in self._paths.items():
            by_stage[path[0], stage_of(path)] += seconds
        once_s = sum(by_stage[RENDERER, stage] for stage in ONCE)
        sampled_s = by_stage[RENDERER, SAMPLE]
        return TraceStats(
            tasks=self._tasks,
            views=self._views,
            wall_s=wall_s,
            once_s=once_s,
            between_s=self._between_s(),
            sampling_share=share(sampled_s, wall_s),
            sampling_share_of_views=share(sampled_s, wall_s - once_s),
            stages=tuple(
                StageTime(
                    who=who,
                    stage=stage,
                    seconds=by_stage[who, stage],
                    per_view_s=by_stage[who, stage] / max(self._views, 1),
                    share=share(by_stage[who, stage], wall_s),
                )
                for who in (RENDERER, BESIDE)
                for stage in (*STAGES, OTHER)
                if by_stage[who, stage]
            ),
            paths={"/".join(path): seconds for path, seconds in sorted(self._paths.items())},
        )

    def _between_s(self) -> float | None:
        gaps = [
            (after[0] - before[1]) / US_PER_S
            for tasks in self._ends.values()
            for before, after in zip(sorted(tasks), sorted(tasks)[1:], strict=False)
        ]
        return statistics.median(gaps) if gaps else None


def stats_of(traces: Iterable[TraceFile]) -> TraceStats:
    """Add up traces."""
    adder = Adder()
    for trace in traces:
        adder.add(trace)
    return adder.sum()


def own_times(trace: TraceFile) -> Iterator[tuple[Path, float]]:
    """Yield each span's path and the seconds in it that no span within it took."""
    open_spans: dict[int, list[tuple[Event, Path]]] = {}
    own: list[tuple[Path, float]] = []
    for span in trace.spans:
        stack = open_spans.setdefault(span.tid, [])
        while stack and stack[-1][0].end <= span.ts:
            stack.pop()
        who = RENDERER if trace.of_renderer(span) else BESIDE
        above = stack[-1][1] if stack else (who,)
        stack.append((span, (*above, span.name)))
        own.append(((*above, span.name), span.dur / US_PER_S))
        if len(above) > 1:
            own.append((above, -min(span.dur, stack[-2][0].end - span.ts) / US_PER_S))
    yield from own


def stage_of(path: Path) -> str:
    """Return the stage that the own time of a span is of."""
    return path[-1] if path[-1] in STAGES else OTHER


def share(part: float, whole: float) -> float:
    """Return a part of a whole, 0..1; 0 of nothing."""
    return part / whole if whole > 0 else 0.0
