"""Which datasets of a farm need a look: one within another, and those with damaged parts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import takewhile

from farm.dataset.nesting import datasets_under
from farm.dataset.records.current import standing_views
from farm.dataset.records.read import VIEWS_FILE
from farm.errors import StorageError
from farm.spec.counted import counted
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.spec.wire import DatasetsInfo, Trouble
from farm.storage import Storage

ROOT = "datasets"
RECORDS_BYTES = 32 << 20
"""Most bytes of records that are read, of all datasets together."""
FILES = 2000
"""Most files whose presence is looked at; of a bucket each is a request."""
SECONDS = 10.0
"""Longest time of a look, while somebody waits."""
TOLD = 100
LOOKED_EVERY_S = 600.0
"""Time after which the datasets are looked at again."""


class Look:
    """One look at all datasets, within bounds; `farm dataset verify` looks at everything."""

    def __init__(
        self,
        storage: Storage,
        *,
        records_bytes: int = RECORDS_BYTES,
        files: int = FILES,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.storage = storage
        self.records_bytes = records_bytes
        self.files = files
        self.clock = clock
        self.ends_s = clock() + seconds

    def all(self) -> DatasetsInfo:
        """Return what is wrong, as far as it was looked at.

        Raises:
            StorageError: The storage is away.
        """
        every = datasets_under(self.storage, ROOT)
        datasets = sorted(takewhile(lambda _dataset: self._has_time, every))
        whole = next(every, None) is None and self._has_time
        troubles = list(nested(datasets))
        looked = 0
        share = self.files // max(len(datasets), 1) + 1
        for dataset in datasets:
            size = self.storage.size(dataset_key(dataset, VIEWS_FILE)) or 0
            if size <= self.records_bytes and self._has_time:
                self.records_bytes -= size
                looked += 1
                troubles += self._damage(dataset, files=share)
        told = tuple(troubles[:TOLD])
        return DatasetsInfo(total=len(datasets), looked_at=looked, troubles=told, whole=whole)

    @property
    def _has_time(self) -> bool:
        return self.clock() <= self.ends_s

    def _damage(self, dataset: str, *, files: int) -> Iterator[Trouble]:
        """Yield what is damaged of one dataset: lines that are no records, files that are gone."""
        broken: list[str] = []
        gone: list[str] = []
        try:
            for view in standing_views(self.storage, dataset, broken.append):
                if files > 0:
                    files -= len(view.record.files)
                    gone += self._gone(dataset, view.record)
        except StorageError as error:
            broken.append(str(error))
        if broken:
            told = f"{counted(len(broken), 'record')} cannot be read"
            yield Trouble(dataset=dataset, kind="damaged", sentence=told)
        if gone:
            told = f"{counted(len(gone), 'file')} of its views missing or cut, such as {gone[0]}"
            yield Trouble(dataset=dataset, kind="damaged", sentence=told)

    def _gone(self, dataset: str, record: ViewRecord) -> list[str]:
        return [
            file.path
            for file in record.files.values()
            if self.storage.size(dataset_key(dataset, file.path)) != file.size_bytes
        ]


def nested(datasets: list[str]) -> Iterator[Trouble]:
    """Yield the datasets that lie within another one, whose readers would not see them."""
    known = set(datasets)
    for dataset in datasets:
        parts = dataset.split("/")
        above = ("/".join(parts[:end]) for end in range(1, len(parts)))
        if outer := next((each for each in above if each in known), None):
            sentence = f"lies within {outer}, whose readers would not see it"
            yield Trouble(dataset=dataset, kind="nested", sentence=sentence)


class LastLook:
    """What the last look at the datasets has shown; one look at a time."""

    def __init__(self, storage: Storage, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.storage = storage
        self.clock = clock
        self.last: tuple[float, DatasetsInfo] | None = None
        self.lock = threading.Lock()

    def __call__(self) -> DatasetsInfo:
        """Return what it has shown, or look again if that is old."""
        with self.lock:
            if self.last is None or self.clock() - self.last[0] > LOOKED_EVERY_S:
                self.last = (self.clock(), Look(self.storage).all())
            return self.last[1]


def datasets_words(info: DatasetsInfo) -> str:
    """Say how the datasets are, in one sentence."""
    if not info.total and info.whole:
        return "none"
    counts = Counter(trouble.kind for trouble in info.troubles)
    found = [f"{counts[kind]} {kind}" for kind in ("nested", "damaged") if counts[kind]]
    rest = info.total - info.looked_at
    more = [f"{rest:,} not looked into"] if rest else []
    more += [] if info.whole else ["there was no time for the others"]
    told = ", ".join(found or ["none is nested or damaged"])
    return "; ".join([f"{counted(info.total, 'dataset')}: {told}", *more])
