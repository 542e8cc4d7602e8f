"""A few views that stand for all: every model and every HDRI is seen, none much more often."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable

from farm.spec.record import ViewRecord

KEPT_PER_PAIR = 32
"""Views remembered for each (model, HDRI): memory does not grow with the dataset."""
MOST_PAIRS = 256
"""Of more pairs some are passed over: nor does it grow with their number."""
GOLDEN_RATIO = 0.6180339887


class EvenSample:
    """Up to `KEPT_PER_PAIR` views, evenly spread over however many come by."""

    def __init__(self) -> None:
        self.kept: list[ViewRecord] = []
        self._stride = 1
        self._seen = 0

    def add(self, record: ViewRecord) -> None:
        """Let one more view come by."""
        if self._seen % self._stride == 0:
            self.kept.append(record)
        self._seen += 1
        if len(self.kept) > KEPT_PER_PAIR:
            self.kept = self.kept[::2]
            self._stride *= 2

    def take(self, fraction: float) -> ViewRecord:
        """Remove and return the view that lies `fraction`, 0..1, of the way through."""
        return self.kept.pop(int(fraction * len(self.kept)))


def choose_views(records: Iterable[ViewRecord], *, limit: int) -> list[ViewRecord]:
    """Return up to `limit` views that cover models and HDRIs evenly, sorted by them."""
    samples = sample_pairs(records)
    uses: Counter[tuple[str, ...]] = Counter()
    chosen: list[ViewRecord] = []
    while len(chosen) < limit and samples:
        model = min(samples, key=lambda name: uses[name,])
        hdr = min(samples[model], key=lambda name: (uses[model, name], uses[name,]))
        # Steps of the golden ratio never line up: one model is seen from here, the next from there.
        chosen.append(samples[model][hdr].take((len(chosen) + 0.5) * GOLDEN_RATIO % 1.0))
        uses.update([(model,), (hdr,), (model, hdr)])
        forget_empty(samples, model, hdr)
    return sorted(chosen, key=lambda view: (view.model.name, view.hdr.name, view.view.index))


def sample_pairs(records: Iterable[ViewRecord]) -> dict[str, dict[str, EvenSample]]:
    """Return views by model and HDRI; with too many pairs, of every second, fourth, ... one."""
    pairs: dict[tuple[str, str], EvenSample] = {}
    stride = 1
    for record in records:
        pair = (record.model.sha256, record.hdr.sha256)
        if draw_pair(pair) % stride:
            continue
        if pair not in pairs and len(pairs) >= MOST_PAIRS:
            stride *= 2
            pairs = {one: sample for one, sample in pairs.items() if not draw_pair(one) % stride}
            if draw_pair(pair) % stride:
                continue
        pairs.setdefault(pair, EvenSample()).add(record)
    samples: dict[str, dict[str, EvenSample]] = defaultdict(dict)
    for (model, hdr), sample in pairs.items():
        samples[model][hdr] = sample
    return samples


def draw_pair(pair: tuple[str, str]) -> int:
    """Return a number that is the same for a pair everywhere, and even among pairs."""
    return zlib.crc32("".join(pair).encode())


def forget_empty(samples: dict[str, dict[str, EvenSample]], model: str, hdr: str) -> None:
    """Drop what has no view left to give."""
    if not samples[model][hdr].kept:
        del samples[model][hdr]
    if not samples[model]:
        del samples[model]
