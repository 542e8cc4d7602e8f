"""A few views that stand for all: every model and every HDRI is seen, none much more often."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from farm.spec.record import ViewRecord

KEPT_PER_PAIR = 32
"""Views remembered for each (model, HDRI): memory does not grow with the dataset."""
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
    samples: dict[str, dict[str, EvenSample]] = defaultdict(lambda: defaultdict(EvenSample))
    for record in records:
        samples[record.model.sha256][record.hdr.sha256].add(record)
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


def forget_empty(samples: dict[str, dict[str, EvenSample]], model: str, hdr: str) -> None:
    """Drop what has no view left to give."""
    if not samples[model][hdr].kept:
        del samples[model][hdr]
    if not samples[model]:
        del samples[model]
