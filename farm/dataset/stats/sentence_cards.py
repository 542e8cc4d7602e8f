"""Cards of what sentences say, and of what they are true."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

from farm.dataset.preview.drawing import GAP_PX
from farm.dataset.stats.cards import INSIDE_PX, LOW_PX, Size, bars_card, histogram_card
from farm.dataset.stats.histogram import Histogram, weighted_histogram
from farm.dataset.stats.sentences import SentenceStats, summed_up

TINTS = {
    "black": "#0b0c0e", "white": "#f2f2f2", "grey": "#8d8d8d", "red": "#d6413b", "green": "#3aa655",
    "blue": "#3f78e0", "yellow": "#ecc832", "orange": "#f08a2c", "brown": "#8a5a34",
    "pink": "#f08fb4", "purple": "#8f55c4",
}  # fmt: skip
"""How bars of colours look."""


def sentence_rows(stats: SentenceStats) -> list[list[Image.Image]]:
    """Return rows of cards."""
    third = ((INSIDE_PX - 2 * GAP_PX) // 3, LOW_PX)
    quarter = ((INSIDE_PX - 3 * GAP_PX) // 4, LOW_PX)
    said = f"sentences that name each, of {stats.sentences:,}"
    total = stats.sentences
    bars = (
        (stats.kinds, "Kinds of sentences", summed_up(stats), total),
        (stats.nouns, "Nouns", said, total),
        (stats.colours, "Colours", said, total),
        (levels_of(stats), "Levels", "sentences by how hard they are", total),
        (stats.target_nouns, "Targets by noun", "whether the sentence says it or not", None),
        (stats.target_colours, "Targets by colour", "as it was measured", None),
    )
    cards = [
        bars_card(counts, title, note, third, of=of, colours=TINTS)
        for counts, title, note, of in bars
    ]
    numbers = [
        histogram_card(stats.target_share, "Targets", "share of the picture of each", quarter),
        number_card(stats.rivals, "Rivals", "objects that share noun or colour", quarter),
        number_card(stats.length, "Length", "words of a sentence", quarter),
        number_card(stats.per_view, "Sentences", "of a view that has some", quarter),
    ]
    different = f"{stats.vocabulary:,} different ones, by how often they are said"
    words = bars_card(stats.words, "Words", different, (INSIDE_PX, LOW_PX), columns=3)
    return [cards[:3], cards[3:], numbers, [words]]


def levels_of(stats: SentenceStats) -> dict[str, int]:
    """Return sentences by level, and those that are true of nothing."""
    levels = {f"level {level}": count for level, count in stats.levels.items()}
    return levels | {"negatives": stats.negatives} if stats.negatives else levels


def number_card(counts: Mapping[str, int], title: str, what: str, size: Size) -> Image.Image:
    """Draw how often each number is."""
    return histogram_card(numbers_of(counts), title, what, size)


def numbers_of(counts: Mapping[str, int]) -> Histogram:
    """Return the histogram of whole numbers."""
    numbers = np.array(list(map(int, counts)), np.float64)
    return weighted_histogram(numbers, np.array(list(counts.values()), np.int64))
