"""A few views that stand for all: every asset is seen, none much more often."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from farm.spec.record import ViewRecord

T = TypeVar("T")
"""A view, whole or as little of it as a choice takes."""

KEPT_PER_SET = 32
"""Views remembered for each set of assets, where few are asked for: memory does not grow with the
dataset."""
MOST_OF_FEW = 256
"""Views that are few."""
MOST_SETS = 256
"""Of more sets some are passed over: nor does it grow with their number."""
GOLDEN_RATIO = 0.6180339887

AssetSet = tuple[str, ...]
"""SHA-256 of each asset of a view."""


class EvenSample(Generic[T]):
    """Some views, evenly spread over however many come by."""

    def __init__(self, most: int = KEPT_PER_SET) -> None:
        self._most = most
        self.kept: list[T] = []
        self._stride = 1
        self._seen = 0

    def add(self, view: T) -> None:
        """Let one more view come by."""
        if self._seen % self._stride == 0:
            self.kept.append(view)
        self._seen += 1
        if len(self.kept) > self._most:
            self.thin()

    def thin(self) -> None:
        """Keep every second view."""
        self.kept = self.kept[::2]
        self._stride *= 2

    def take(self, fraction: float) -> T:
        """Remove and return the view that lies `fraction`, 0..1, of the way through."""
        return self.kept.pop(int(fraction * len(self.kept)))


def choose_views(records: Iterable[ViewRecord], *, limit: int) -> list[ViewRecord]:
    """Return up to `limit` views that cover all assets evenly, sorted by them."""
    return in_place(choose(records, set_of, limit=limit))


def choose(views: Iterable[T], set_of: Callable[[T], AssetSet], *, limit: int) -> list[T]:
    """Return up to `limit` views that cover all assets evenly, those of each view by `set_of`."""
    samples = sample_sets(views, set_of, limit=limit)
    uses: Counter[tuple[str, ...]] = Counter()
    chosen: list[T] = []
    while len(chosen) < limit and samples:
        key = least_used(samples, uses)
        # Steps of the golden ratio never line up: one model is seen from here, the next from there.
        chosen.append(samples[key].take((len(chosen) + 0.5) * GOLDEN_RATIO % 1.0))
        uses.update(key[: place + 1] for place in range(len(key)))
        uses.update(("", content) for content in key)
        if not samples[key].kept:
            del samples[key]
    return chosen


def in_place(chosen: Iterable[ViewRecord]) -> list[ViewRecord]:
    """Return chosen views in the order in which they are shown."""
    return sorted(chosen, key=place_of)


def set_of(record: ViewRecord) -> AssetSet:
    """Return the assets of a view."""
    return tuple(asset.sha256 for asset in record.assets)


def place_of(view: ViewRecord) -> tuple[list[str], int]:
    """Return where a view stands: by its assets, or in order where its group is none of them."""
    is_of_one = any(asset.content == view.group for asset in view.assets)
    return [asset.name for asset in view.assets] if is_of_one else [], view.view.index


def least_used(samples: Iterable[AssetSet], uses: Counter[tuple[str, ...]]) -> AssetSet:
    """Return the set of assets to show next: place by place, the asset that is seen least."""
    keys, place = list(samples), 0
    while longer := [key for key in keys if len(key) > place]:
        starts = dict.fromkeys(key[: place + 1] for key in longer)
        best = min(starts, key=lambda start: (uses[start], uses["", start[-1]]))
        keys = [key for key in longer if key[: place + 1] == best]
        place += 1
    return keys[0]


def sample_sets(
    views: Iterable[T], set_of: Callable[[T], AssetSet], *, limit: int = MOST_OF_FEW
) -> dict[AssetSet, EvenSample[T]]:
    """Return views by their assets; with too many sets, of every second, fourth, ... one."""
    samples: dict[AssetSet, EvenSample[T]] = {}
    most = KEPT_PER_SET if limit <= MOST_OF_FEW else limit
    budget = max(MOST_SETS * KEPT_PER_SET, 2 * limit)
    stride = 1
    for view in views:
        key = set_of(view)
        if draw_set(key) % stride:
            continue
        if key not in samples and len(samples) >= MOST_SETS:
            stride *= 2
            samples = {one: kept for one, kept in samples.items() if not draw_set(one) % stride}
            if draw_set(key) % stride:
                continue
        sample = samples.setdefault(key, EvenSample[T](most))
        sample.add(view)
        if len(sample.kept) > KEPT_PER_SET and total(samples) > budget:
            thin_largest(samples)
    return samples


def total(samples: dict[AssetSet, EvenSample[T]]) -> int:
    """Return how many views are kept."""
    return sum(len(sample.kept) for sample in samples.values())


def thin_largest(samples: dict[AssetSet, EvenSample[T]]) -> None:
    """Keep half of the views of sets that have most of them."""
    largest = max(len(sample.kept) for sample in samples.values())
    for sample in samples.values():
        if len(sample.kept) > largest // 2:
            sample.thin()


def draw_set(key: AssetSet) -> int:
    """Return a number that is the same for a set everywhere, and even among sets."""
    return zlib.crc32("".join(key).encode())
