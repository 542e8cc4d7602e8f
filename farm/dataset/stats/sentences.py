"""What the sentences of a dataset say, and of what they are true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from farm.dataset.spoken import colours_said, nouns_said, words_in
from farm.dataset.stats.histogram import Histogram, round_above, weighted_histogram
from farm.spec.base import Spec
from farm.spec.counted import counted
from farm.spec.expression import Expression
from farm.spec.label import ObjectLabel
from farm.spec.record import ViewRecord

FINE = 10_000
"""Equal parts of 0..1 in which shares of pictures are counted."""
MOST_WORDS = 2000
"""Words, and nouns, that are written down: the most frequent ones."""
NO_COLOUR, NO_NOUN = "none told", "no noun"
"""What a target is whose colour was not measured, or that nobody has named."""


class SentenceStats(Spec):
    """Counts of sentences; by what they say, and by what they are true of."""

    sentences: int
    views: int
    """Those that have sentences."""
    negatives: int
    """Sentences made false by changing one word."""
    without_target: int
    """Sentences that are true of nothing: negatives, and others that are meant so."""
    several_targets: int
    paraphrases: int
    kinds: dict[str, int]
    levels: dict[str, int]
    nouns: dict[str, int]
    """Sentences that name each noun, of a target or of what it is found by."""
    colours: dict[str, int]
    """Sentences that name each colour."""
    target_nouns: dict[str, int]
    """Targets of each noun, whether the sentence says it or not."""
    target_colours: dict[str, int]
    """Targets of each measured colour."""
    target_share: Histogram
    """Share of the picture that a target takes, 0..1."""
    rivals: dict[str, int]
    """Sentences by the number of other objects in view that share a target's noun or colour."""
    per_view: dict[str, int]
    """Views by the number of their sentences."""
    length: dict[str, int]
    """Sentences by the number of their words."""
    vocabulary: int
    """Different words."""
    words: dict[str, int]
    """How often each is said; of many the most frequent."""


class Shares:
    """Numbers of 0..1, most of them small, counted finely."""

    def __init__(self) -> None:
        self._counts = np.zeros(FINE, dtype=np.int64)
        self._sum, self._most = 0.0, 0.0

    def add(self, share: float) -> None:
        """Count a number."""
        share = min(1.0, max(0.0, share))
        self._counts[min(FINE - 1, int(share * FINE))] += 1
        self._sum += share
        self._most = max(self._most, share)

    def merge(self, other: Shares) -> None:
        """Add what another one has counted."""
        self._counts += other._counts
        self._sum += other._sum
        self._most = max(self._most, other._most)

    def result(self) -> Histogram:
        """Return the histogram up to the next round number."""
        middles = (np.arange(FINE) + 0.5) / FINE
        total = int(self._counts.sum())
        found = weighted_histogram(middles, self._counts, high=min(1.0, round_above(self._most)))
        mean = round(self._sum / total, 6) if total else None
        return found.model_copy(update={"mean": mean})


class SentenceGatherer:
    """Takes views one after the other."""

    def __init__(self) -> None:
        self._totals: Counter[str] = Counter()
        self._counts: dict[str, Counter[str]] = {}
        self._numbers: dict[str, Counter[int]] = {}
        self._shares = Shares()

    def add(self, record: ViewRecord) -> None:
        """Count the sentences of a view."""
        if not record.expressions:
            return
        self._totals["views"] += 1
        self._count_number("per_view", len(record.expressions))
        for expression in record.expressions:
            self._add_sentence(expression)
            for label in targets_of(expression, record):
                self._add_target(label, record.resolution_px)

    def _add_sentence(self, expression: Expression) -> None:
        words = list(words_in(expression.text))
        self._totals["sentences"] += 1
        self._totals["negatives"] += expression.negative
        self._totals["without_target"] += not expression.targets
        self._totals["several_targets"] += len(expression.targets) > 1
        self._totals["paraphrases"] += expression.source == "paraphrase"
        self._count("kinds", expression.kind)
        self._count_number("levels", expression.level)
        self._count("nouns", *nouns_said(expression))
        self._count("colours", *colours_said(expression))
        self._count("words", *words)
        self._count_number("length", len(words))
        if expression.targets:
            self._count_number("rivals", expression.rivals)

    def _add_target(self, label: ObjectLabel, resolution_px: tuple[int, int]) -> None:
        self._count("target_nouns", label.words.noun if label.words else NO_NOUN)
        colour = label.attributes.colour if label.attributes else None
        self._count("target_colours", colour or NO_COLOUR)
        self._shares.add(label.area_px / max(resolution_px[0] * resolution_px[1], 1))

    def _count(self, what: str, *values: str) -> None:
        self._counts.setdefault(what, Counter()).update(values)

    def _count_number(self, what: str, number: int) -> None:
        self._numbers.setdefault(what, Counter())[number] += 1

    def merge(self, other: SentenceGatherer) -> None:
        """Add what another one has counted of later views."""
        self._totals.update(other._totals)
        for what, words in other._counts.items():
            self._counts.setdefault(what, Counter()).update(words)
        for what, numbers in other._numbers.items():
            self._numbers.setdefault(what, Counter()).update(numbers)
        self._shares.merge(other._shares)

    def result(self) -> SentenceStats | None:
        """Return what was counted; None where there are no sentences."""
        if not self._totals["sentences"]:
            return None
        counts = {
            what: dict(self._counts.get(what, Counter()).most_common(MOST_WORDS))
            for what in ("kinds", "nouns", "colours", "target_nouns", "target_colours", "words")
        }
        numbers = {
            what: in_order(self._numbers.get(what, Counter()))
            for what in ("levels", "rivals", "per_view", "length")
        }
        totals = ("sentences", "views", "negatives", "without_target", "several_targets")
        return SentenceStats(
            **{name: self._totals[name] for name in (*totals, "paraphrases")},
            **counts,
            **numbers,
            target_share=self._shares.result(),
            vocabulary=len(self._counts["words"]),
        )


def targets_of(expression: Expression, record: ViewRecord) -> Iterator[ObjectLabel]:
    """Yield the labels of a sentence's targets."""
    there = range(len(record.objects))
    return (record.objects[at] for at in expression.targets if at in there)


def in_order(counts: Mapping[int, int]) -> dict[str, int]:
    """Return counts by number, from the least on."""
    return {str(number): counts[number] for number in sorted(counts)}


def average(counts: Mapping[str, int]) -> float:
    """Return the mean of numbers that were counted."""
    total = sum(counts.values())
    return sum(int(number) * count for number, count in counts.items()) / total if total else 0.0


def summed_up(stats: SentenceStats) -> str:
    """Return a line on the sentences of a dataset."""
    parts = [
        f"{counted(stats.sentences, 'sentence')} in {counted(stats.views, 'view')}",
        counted(stats.negatives, "negative"),
        f"{stats.several_targets:,} of several things",
        counted(stats.vocabulary, "word"),
    ]
    if stats.paraphrases:
        parts.append(counted(stats.paraphrases, "paraphrase"))
    return "  ·  ".join(parts)
