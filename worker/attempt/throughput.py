"""The task that a worker holds and its speed, reported to the ledger now and then."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from farm.ledger import Work
from farm.ledger.model import SAMPLED_LATELY_S
from farm.spec.task import Ticket

RECENT_TASKS = 10
TELL_EVERY_S = 1.0


class Done(NamedTuple):
    """What was rendered of one task."""

    views: int
    seconds: float
    megasamples: float


class Sampled(NamedTuple):
    """A view that was finished."""

    ended_s: float
    seconds: float
    """In which Cycles traced paths."""


class SamplingShare:
    """How much of the last minutes Cycles sampled: the rest was loading, labels, files, waiting."""

    def __init__(self) -> None:
        self._begun_s: float | None = None
        self._views: deque[Sampled] = deque()

    def begin(self, now_s: float) -> None:
        """Note that work has begun; what was before the first time is nobody's."""
        if self._begun_s is None:
            self._begun_s = now_s

    def add(self, view: Sampled) -> None:
        """Note a view."""
        self._views.append(view)
        while self._views[0].ended_s < view.ended_s - SAMPLED_LATELY_S:
            self._views.popleft()

    def value(self, now_s: float) -> float | None:
        """Return the share up to the newest view, 0..1; None where none ended lately."""
        end_s = self._views[-1].ended_s if self._views else float("-inf")
        if self._begun_s is None or end_s < now_s - SAMPLED_LATELY_S:
            return None
        start_s = max(self._begun_s, end_s - SAMPLED_LATELY_S)
        spent_s = sum(min(each.seconds, each.ended_s - start_s) for each in self._views)
        return min(spent_s / (end_s - start_s), 1.0) if end_s > start_s else None


class Throughput:
    """The speed of one worker over its recent tasks, the current one included."""

    def __init__(
        self, tell: Callable[[Work], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._recent: deque[Done] = deque(maxlen=RECENT_TASKS)
        self._sampling = SamplingShare()
        self._task: str | None = None
        self._title = ""
        self._views = 0
        self._view_megasamples = 0.0
        self._started_s = 0.0
        self._told_s = float("-inf")

    def begin(self, ticket: Ticket, *, title: str = "", view_megasamples: float = 0.0) -> None:
        """Note that a task has begun, each of whose views takes so many samples."""
        self._task, self._views = f"{ticket.job_id}/{ticket.index}", 0
        self._title = title
        self._view_megasamples = view_megasamples
        self._started_s = self._clock()
        self._sampling.begin(self._started_s)
        self._say()

    def view_rendered(self, sample_s: float = 0.0) -> None:
        """Count a view, but not one that was found done."""
        self._views += 1
        self._sampling.add(Sampled(self._clock(), sample_s))
        if self._clock() - self._told_s >= TELL_EVERY_S:
            self._say()

    def end(self) -> None:
        """Note that the task has ended, however it went."""
        if self._views:
            self._recent.append(self._now())
        self._task, self._title, self._views = None, "", 0
        self._say()

    def views_per_s(self) -> float | None:
        """Return the speed; None as long as nothing was rendered."""
        done = self._done()
        views, seconds = sum(each.views for each in done), sum(each.seconds for each in done)
        return views / seconds if views and seconds > 0 else None

    def view_megasamples(self) -> float | None:
        """Return what a view took on average; None as long as nothing was rendered."""
        done = self._done()
        views = sum(each.views for each in done)
        return sum(each.megasamples for each in done) / views if views else None

    def _done(self) -> list[Done]:
        return [*self._recent, self._now()] if self._views else [*self._recent]

    def _now(self) -> Done:
        spent_s = self._clock() - self._started_s
        return Done(self._views, spent_s, self._views * self._view_megasamples)

    def _say(self) -> None:
        self._told_s = self._clock()
        self._tell(
            Work(
                task=self._task,
                title=self._title,
                views_per_s=self.views_per_s(),
                view_megasamples=self.view_megasamples(),
                sampling_share=self._sampling.value(self._told_s),
            )
        )
