"""What went wrong in a job, grouped by what is alike."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from farm import expand
from farm.api.jobs import failed_tasks, title_of
from farm.errors import SpecError
from farm.job_store import LOST
from farm.ledger import JobStatus, Ledger, TaskState, TaskStory
from farm.spec.asset import Asset
from farm.spec.base import digest
from farm.spec.job import Job
from farm.spec.wire import TroubleGroup

LOOKED_AT = 1000
"""Tasks whose story is read."""
TOLD = 20
"""Tasks and titles that are named of each group."""
FEW_ASSETS = 5
"""Most assets by which tasks that failed alike are told apart; more of them are not to blame."""
NUMBERS = re.compile(r"[0-9]+(?:[.,:][0-9]+)*|0x[0-9a-f]+|[0-9a-f]{8,}")
"""What differs between sentences that say the same."""
LEFT_OUT = TaskState.LEFT_OUT.value
"""Cause of what somebody left out."""


AGAIN_S = 5.0
"""Shortest time after which troubles are grouped again though none has come or gone."""
MOST_KEPT = 64

Ended = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A task that went wrong, or was left out."""

    job: Job
    story: TaskStory

    @property
    def cause(self) -> str:
        """Why it is not done."""
        if self.story.state is TaskState.LEFT_OUT:
            return LEFT_OUT
        return self.story.attempts[-1].cause if self.story.attempts else ""

    @property
    def sentence(self) -> str:
        """What happened last."""
        return self.story.attempts[-1].sentence if self.story.attempts else ""

    @cached_property
    def group(self) -> str:
        """What is the same of all tasks that failed alike."""
        return digest(self.cause, NUMBERS.sub("#", self.sentence))[:12]

    @cached_property
    def assets(self) -> tuple[Asset, ...]:
        """What it is made of; nothing where its recipe's code fails."""
        try:
            return expand.assets_of(self.job, self.story.index)
        except SpecError:
            return ()

    @cached_property
    def suspect(self) -> str | None:
        """The asset that may be to blame: the one that the sentence names, else the first."""
        named = [asset.name for asset in self.assets if asset.name in self.sentence]
        first = [asset.name for asset in self.assets[:1]]
        return next(iter(named or first), None)


def cases(ledger: Ledger, job: Job, status: JobStatus) -> list[Case]:
    """Return what went wrong in tasks that are not done; of very many, the first ones."""
    stories = failed_tasks(ledger, status, most=LOOKED_AT)[:LOOKED_AT]
    if status.counts[TaskState.LEFT_OUT]:
        stories += ledger.tasks(status, [TaskState.LEFT_OUT], start=0, limit=LOOKED_AT)
    return [Case(job, story) for story in stories]


def troubles(ledger: Ledger, job: Job, status: JobStatus) -> tuple[TroubleGroup, ...]:
    """Return what went wrong in tasks that are not done: what was given up first, then by number.

    Tasks that failed alike are told apart by their assets where few of these are concerned.
    """
    groups: dict[str, list[Case]] = {}
    for case in cases(ledger, job, status):
        groups.setdefault(case.group, []).append(case)
    found = [group(each, asset) for alike in groups.values() for asset, each in by_asset(alike)]
    return tuple(sorted(found, key=rank))


class Troubles:
    """What went wrong in jobs, grouped at most every few seconds where no task has ended since."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, Ended, tuple[TroubleGroup, ...]]] = {}
        self._lock = threading.Lock()

    def of(self, ledger: Ledger, job: Job, status: JobStatus) -> tuple[TroubleGroup, ...]:
        """Return what went wrong in a job."""
        now, ended = self._clock(), ended_in(status)
        with self._lock:  # one at a time: the same page may be open often
            known = self._kept.get(job.job_id)
            if known and known[1] == ended and now - known[0] < AGAIN_S:
                return known[2]
            found = troubles(ledger, job, status)
            while len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[job.job_id] = (now, ended, found)
            return found


def ended_in(status: JobStatus) -> Ended:
    """Return what changes when a task fails, is left out or put back."""
    counts = (status.counts[state] for state in (*LOST, TaskState.LEFT_OUT))
    return (*counts, sum(status.causes.values()))


def rank(group: TroubleGroup) -> tuple[bool, int, int, str]:
    """Return what orders troubles: what was left out is no trouble any more."""
    return (group.cause == LEFT_OUT, -group.given_up, -group.tasks, group.sentence)


def by_asset(alike: list[Case]) -> list[tuple[str | None, list[Case]]]:
    """Return tasks that failed alike, apart by the asset to blame where there are few of these."""
    counts = Counter(case.suspect for case in alike)
    if len(counts) > FEW_ASSETS:
        return [(None, alike)]
    return [(asset, [case for case in alike if case.suspect == asset]) for asset in counts]


def group(alike: Sequence[Case], asset: str | None) -> TroubleGroup:
    """Describe tasks that failed alike."""
    first, some = alike[0], alike[:TOLD]
    stories = [case.story for case in some]
    return TroubleGroup(
        cause=first.cause,
        sentence=first.sentence,
        tasks=len(alike),
        given_up=sum(case.story.state in LOST for case in alike),
        indices=tuple(story.index for story in stories),
        titles=once(title_of(case.job, case.story.index) for case in some),
        workers=once(story.attempts[-1].worker for story in stories if story.attempts),
        group=first.group,
        asset=asset,
        left_out=sum(case.story.state is TaskState.LEFT_OUT for case in alike),
    )


def once(words: Iterable[str]) -> tuple[str, ...]:
    """Return words in order, each once."""
    return tuple(dict.fromkeys(words))
