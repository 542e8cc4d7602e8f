"""How full a storage is, and when it will be full at the rate of the last days."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

from pydantic import Field, ValidationError

from farm.errors import StorageError
from farm.spec.amounts import file_size
from farm.spec.base import Kept, Spec
from farm.spec.counted import coarse
from farm.spec.wire import StorageInfo
from farm.storage import Storage, is_bucket

KEY = "status/fill.json"
NOTED_EVERY_S = 600.0
DAY_S = 86_400.0
KEPT_S = 7 * DAY_S
"""Time over which the rate is measured."""
SHORTEST_S = 3600.0
"""Time after which a rate is told at all."""
SOON_S = 14 * DAY_S
"""Time before it is full from which on an operator is warned."""


class Sample(Spec):
    """How full a storage was at a moment."""

    time_s: float
    used_bytes: int
    total_bytes: int


class Samples(Kept):
    """How full a storage was over the last days, the oldest first."""

    samples: tuple[Sample, ...] = Field(default=())


class FillLog:
    """The log of how full a farm's storage was, on that storage."""

    def __init__(self, storage: Storage, *, now_s: Callable[[], float] = time.time) -> None:
        self.storage = storage
        self.now_s = now_s

    def note(self) -> None:
        """Note how full it is, unless that was done a moment ago.

        Raises:
            StorageError: It cannot be written, as where it is full.
        """
        now = self._now()
        if now is None:
            return
        known = [old for old in self._samples() if now.time_s - KEPT_S < old.time_s <= now.time_s]
        if known and now.time_s - known[-1].time_s < NOTED_EVERY_S / 2:
            return
        text = Samples(samples=(*known, now)).model_dump_json()
        self.storage.put(KEY, text.encode())

    def look(self) -> StorageInfo:
        """Return how full it is, and when it will be full."""
        now = self._now()
        if now is None:
            return StorageInfo(place=self.storage.place)
        free = max(now.total_bytes - now.used_bytes, 0)
        rate = self._rate(now)
        return StorageInfo(
            place=self.storage.place,
            total_bytes=now.total_bytes,
            free_bytes=free,
            growth_per_day=None if rate is None else round(rate * DAY_S),
            full_in_s=free / rate if rate and rate > 0 else None,
        )

    def _rate(self, now: Sample) -> float | None:
        """Return the bytes per second by which it grew; None while that is not known."""
        first = next(
            (
                old
                for old in self._samples()
                if old.time_s > now.time_s - KEPT_S and old.total_bytes == now.total_bytes
            ),
            now,
        )
        span_s = now.time_s - first.time_s
        return (now.used_bytes - first.used_bytes) / span_s if span_s >= SHORTEST_S else None

    def _now(self) -> Sample | None:
        """Return how full it is; None of a bucket, whose end nobody can ask for."""
        if is_bucket(self.storage.place):
            return None
        try:
            disk = shutil.disk_usage(self.storage.place)
        except OSError:
            return None
        used = disk.total - disk.free  # with what is kept for root: it fills no dataset either
        return Sample(time_s=self.now_s(), used_bytes=used, total_bytes=disk.total)

    def _samples(self) -> tuple[Sample, ...]:
        try:
            data = self.storage.get(KEY)
            return Samples.model_validate_json(data).samples if data else ()
        except (ValidationError, StorageError):
            return ()


def fill_words(info: StorageInfo) -> str:
    """Say how full a storage is and when it will be full, in one sentence."""
    return "; ".join(filter(None, (room_words(info), growth_words(info))))


def room_words(info: StorageInfo) -> str:
    """Say how full a storage is."""
    if info.total_bytes is None or info.free_bytes is None:
        return f"{info.place}: how much it holds cannot be asked for"
    return f"{file_size(info.free_bytes)} of {file_size(info.total_bytes)} free at {info.place}"


def growth_words(info: StorageInfo) -> str:
    """Say when a storage will be full; "" where nobody can."""
    if info.total_bytes is None:
        return ""
    if info.growth_per_day is None:
        return "watched too briefly to say when it will be full"
    if info.full_in_s is None:
        return "it does not grow"
    return f"{file_size(info.growth_per_day)} more a day: full in about {coarse(info.full_in_s)}"
