"""What a job's views cover so far: sides, sizes, classes, assets; counted again as they come."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator

from farm import expand
from farm.dataset.records.current import standing_views
from farm.dataset.stats.gather import DatasetStats, Gatherer
from farm.ledger import JobStatus
from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.record import ViewRecord
from farm.storage import Storage

log = logging.getLogger(__name__)

LOOKED_AT = 5000
"""Most records that are counted; of a larger job the first ones of some datasets."""
DATASETS = 200
"""Most datasets that are opened, evenly spread over all."""
AGAIN_S = 5.0
"""Shortest time after which they are counted again."""
MOST_KEPT = 64


class JobCoverage(Spec):
    """What views cover."""

    views: int
    """Views that are finished."""
    looked_at: int
    """Of these, how many were counted."""
    stats: DatasetStats


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
        with self._lock:  # one at a time: the same page may be open often
            known = self._kept.get(job.job_id)
            if known and (known[1] == done or self._clock() - known[0] < AGAIN_S):
                return known[2]
            found = count(storage, job, done)
            while len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[job.job_id] = (self._clock(), done, found)
            return found


def count(storage: Storage, job: Job, views: int) -> JobCoverage:
    """Count what the views of a job cover."""
    gatherer, looked = Gatherer(), 0
    for record in itertools.islice(records_of(storage, job), LOOKED_AT):
        gatherer.add(record, None)
        looked += 1
    return JobCoverage(views=max(views, looked), looked_at=looked, stats=gatherer.result())


def records_of(storage: Storage, job: Job) -> Iterator[ViewRecord]:
    """Yield the records of a job, the same number of each dataset."""
    datasets = list(expand.datasets(job))
    datasets = datasets[:: -(-len(datasets) // DATASETS) or 1]
    share = -(-LOOKED_AT // max(len(datasets), 1))
    for dataset in datasets:
        views = standing_views(storage, dataset, log.warning)
        yield from (view.record for view in itertools.islice(views, share))
