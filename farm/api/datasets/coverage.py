"""What a job's views cover so far, against what it asks for; counted again as they come."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from farm import expand
from farm.api.datasets.asked import Asked, asked_of
from farm.api.datasets.view_cards import flags_of
from farm.dataset.records.current import CurrentView, standing_views
from farm.dataset.records.read import VIEWS_FILE, attempts
from farm.dataset.stats.gather import Counts, DatasetStats, Gatherer
from farm.dataset.stats.histogram import Histogram
from farm.ledger import JobStatus
from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage

log = logging.getLogger(__name__)

LOOKED_AT = 5000
"""Most records that are counted; of a larger job some of each part of its datasets."""
SPOTS = 50
"""Places of a large `views.jsonl`, or tasks, evenly spread, at which records are read."""
LOOKED_S = 2.0
"""Time after which no more are counted while somebody waits."""
FEW = 100
"""Records that are counted however long that takes: what is over is not counted again, and a
machine may stop for a moment."""
DATASETS = 200
"""Most datasets that are opened, evenly spread over all."""
AGAIN_S = 5.0
"""Shortest time after which they are counted again."""
MOST_KEPT = 64
USUAL_BYTES = 2000
"""Of a record; a file with more bytes than so many records have is read in parts."""
MOST_WORKERS = 200
"""Workers that are told of: those that made most views."""


class JobCoverage(Spec):
    """What views cover."""

    views: int
    """Views that are finished."""
    looked_at: int
    """Of these, how many were counted."""
    stats: DatasetStats
    visible: Histogram
    """Of things, the part that nothing else hides, where that is known."""
    flags: dict[str, int]
    """Views by what may be worth a look at them."""
    workers: dict[str, int]
    """Views by who rendered them."""
    sequences: int
    """Sequences of which frames were counted."""
    asked: Asked
    """What there will be."""


class Coverages:
    """Counts what jobs cover, at most every few seconds for each; many threads may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, int, JobCoverage]] = {}
        """When, at how many finished views, and what."""
        self._lock = threading.Lock()

    def of(self, storage: Storage, job: Job, status: JobStatus | None) -> JobCoverage:
        """Return what the views of a job cover."""
        done = status.views_done if status else 0
        known = self._kept.get(job.job_id)
        if known and (known[1] == done or self._clock() - known[0] < AGAIN_S):
            return known[2]
        if not self._lock.acquire(blocking=known is None):  # one at a time: pages are open often
            assert known is not None
            return known[2]  # of a moment ago
        try:
            return self._count(storage, job, done)
        finally:
            self._lock.release()

    def _count(self, storage: Storage, job: Job, done: int) -> JobCoverage:
        known = self._kept.get(job.job_id)
        if known and known[1] == done:  # another one has just counted them
            return known[2]
        asked = known[2].asked if known else asked_of(job)  # a job never asks for anything else
        found = count(storage, job, done, asked, clock=self._clock)
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[job.job_id] = (self._clock(), done, found)
        return found


class CoverageGatherer:
    """Counts views one after the other."""

    def __init__(self) -> None:
        self.stats = Gatherer()
        self.visible = Counts()
        self.flags: Counter[str] = Counter()
        self.workers: Counter[str] = Counter()
        self.sequences: set[str] = set()
        self.looked_at = 0

    def add(self, record: ViewRecord) -> None:
        """Count a view."""
        self.looked_at += 1
        self.stats.add(record, None)
        self.flags.update(flags_of(record))
        self.workers[record.worker] += 1
        if record.view.moment is not None:
            self.sequences.add(record.view.moment.sequence)
        for label in record.objects:
            if label.visible_fraction is not None:
                self.visible.add(label.visible_fraction)

    def result(self, views: int, asked: Asked) -> JobCoverage:
        """Return what was counted."""
        return JobCoverage(
            views=max(views, self.looked_at),
            looked_at=self.looked_at,
            stats=self.stats.result(),
            visible=self.visible.result(),
            flags=dict(self.flags.most_common()),
            workers=dict(self.workers.most_common(MOST_WORKERS)),
            sequences=len(self.sequences),
            asked=asked,
        )


def count(
    storage: Storage, job: Job, views: int, asked: Asked, *, clock: Callable[[], float]
) -> JobCoverage:
    """Count what the views of a job cover."""
    gatherer, ends_s = CoverageGatherer(), clock() + LOOKED_S
    for record in itertools.islice(records_of(storage, job), LOOKED_AT):
        gatherer.add(record)
        if gatherer.looked_at >= FEW and clock() > ends_s:
            break
    return gatherer.result(views, asked)


def records_of(storage: Storage, job: Job) -> Iterator[ViewRecord]:
    """Yield the records of a job, the same number of each dataset."""
    datasets = list(expand.datasets(job))
    datasets = datasets[:: -(-len(datasets) // DATASETS) or 1]
    share = -(-LOOKED_AT // max(len(datasets), 1))
    for dataset in datasets:
        yield from itertools.islice(spread_records(storage, dataset, share), share)


def spread_records(storage: Storage, dataset: str, most: int) -> Iterator[ViewRecord]:
    """Yield records of a dataset, if there are more than are wanted some of each part of it."""
    size_bytes = storage.size(dataset_key(dataset, VIEWS_FILE)) or 0
    tasks = sorted(attempts(storage, dataset))
    if size_bytes <= most * USUAL_BYTES and len(tasks) <= most:
        yield from (view.record for view in standing_views(storage, dataset, log.warning))
        return
    each = -(-most // SPOTS)
    places = [size_bytes * spot // SPOTS for spot in range(SPOTS)]
    for place, end in itertools.pairwise((*places, size_bytes) if size_bytes else ()):
        views = standing_views(
            storage, dataset, log.warning, place=place, may_fit=AfterFirst(is_cut=place > 0)
        )
        part = itertools.takewhile(partial(is_before, end), views)
        yield from (view.record for view in itertools.islice(part, each))
    for task in tasks[:: -(-len(tasks) // SPOTS) or 1]:
        views = standing_views(storage, dataset, log.warning, source=task)
        yield from (view.record for view in itertools.islice(views, each))


def is_before(end: int, view: CurrentView) -> bool:
    """Say whether a view's line begins before a byte of `views.jsonl`."""
    return view.source == VIEWS_FILE and view.place < end


class AfterFirst:
    """Passes over the first line, of which reading began in the middle."""

    def __init__(self, *, is_cut: bool) -> None:
        self._is_cut = is_cut

    def __call__(self, _line: bytes) -> bool:
        is_whole, self._is_cut = not self._is_cut, False
        return is_whole
