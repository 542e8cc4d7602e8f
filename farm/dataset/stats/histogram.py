"""Histograms: how often a number fell into each of equal parts of a range."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from farm.spec.base import Spec

BINS = 40
"""Bars of a histogram."""
ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""Where a scale may end, times a power of ten: its quarters are short numbers."""


class Histogram(Spec):
    """How often a number fell into each of equal parts of a range."""

    low: float
    high: float
    counts: tuple[int, ...]
    mean: float | None
    """Of the numbers themselves; None where there were none."""


def histogram_of(values: NDArray[np.float64], *, high: float | None = None) -> Histogram:
    """Return the histogram of numbers from 0 on, up to `high` or the next round number."""
    top = high or round_above(float(values.max(initial=0.0)))
    counts, _edges = np.histogram(values, BINS, (0.0, top))
    mean = round(float(values.mean()), 6) if values.size else None
    return Histogram(low=0.0, high=top, counts=tuple(counts.tolist()), mean=mean)


def weighted_histogram(
    values: NDArray[np.float64], counts: NDArray[np.int64], *, high: float | None = None
) -> Histogram:
    """Return the histogram of numbers from 0 on, each of which was counted so often."""
    there = counts > 0
    top = high or round_above(float(values[there].max(initial=0.0)))
    bars, _edges = np.histogram(values, BINS, (0.0, top), weights=counts)
    total = int(counts.sum())
    mean = round(float(values @ counts) / total, 6) if total else None
    return Histogram(low=0.0, high=top, counts=tuple(bars.astype(int).tolist()), mean=mean)


def round_above(value: float) -> float:
    """Return the next round number that is not below a number; 1 for what is nothing."""
    if not 1e-12 < value < math.inf:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((power * step for step in ROUND if power * step >= value), power * 10)
