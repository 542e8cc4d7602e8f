"""What colour a thing has, by the share of light that its pixels scatter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from farm.spec.colour_terms import (
    MIGHT_SHARE,
    MOST_SHARE,
    NEXT_SHARE,
    PROTOTYPES,
    TOLERANCE,
)

Numbers = NDArray[np.float64]

XYZ_FROM_RGB = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Of linear Rec. 709 (Lindbloom)."""
WHITE = XYZ_FROM_RGB.sum(axis=1)
LINEAR_BELOW = (6 / 29) ** 3
"""Where the cube root of CIELAB becomes a line (CIE 15)."""
CHUNK = 1 << 14
"""Pixels compared at a time."""


def lab_of(linear: Numbers) -> Numbers:
    """Return the CIELAB coordinates (..., 3) of colours of linear Rec. 709 (..., 3)."""
    ratio = np.clip(linear, 0.0, 1.0) @ XYZ_FROM_RGB.T / WHITE
    line = ratio / (3 * (6 / 29) ** 2) + 4 / 29
    f = np.where(ratio > LINEAR_BELOW, np.cbrt(ratio), line)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def linear_of(digits: str) -> Numbers:
    """Return a colour of sRGB, six hexadecimal digits, as linear Rec. 709 (3,)."""
    levels = np.array([int(digits[start : start + 2], 16) for start in (0, 2, 4)]) / 255
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


@cache
def prototypes() -> tuple[Numbers, NDArray[np.bool_], tuple[str, ...]]:
    """Return all prototypes (P, 3) in CIELAB, which terms (P, T) each has, and the terms (T)."""
    terms = tuple(sorted({term for _, each in PROTOTYPES for term in each}))
    places = lab_of(np.array([linear_of(digits) for digits, _ in PROTOTYPES]))
    has = np.array([[term in each for term in terms] for _, each in PROTOTYPES])
    return places, has, terms


def term_shares(albedo: Numbers) -> dict[str, float]:
    """Return the share of colours (N, 3), linear, that each term may be said of."""
    places, has, terms = prototypes()
    counts = np.zeros(len(terms), dtype=np.int64)
    for start in range(0, len(albedo), CHUNK):
        lab = lab_of(albedo[start : start + CHUNK])
        squares = (lab**2).sum(axis=1)[:, None] + (places**2).sum(axis=1) - 2 * lab @ places.T
        far = np.sqrt(np.clip(squares, 0.0, None))
        near = far <= far.min(axis=1, keepdims=True) + TOLERANCE
        counts += ((near.astype(np.float32) @ has.astype(np.float32)) > 0).sum(axis=0)
    return {
        term: float(count) / len(albedo)
        for term, count in zip(terms, counts.tolist(), strict=True)
        if count
    }


def said_of(shares: Mapping[str, float]) -> str | None:
    """Return the one term that may be said of a thing, if there is one."""
    ordered = sorted(shares, key=shares.__getitem__, reverse=True)
    if not ordered or shares[ordered[0]] < MOST_SHARE:
        return None
    return ordered[0] if all(shares[term] <= NEXT_SHARE for term in ordered[1:]) else None


def might_be_said_of(shares: Mapping[str, float]) -> frozenset[str]:
    """Return all terms that somebody might say of a thing."""
    return frozenset(term for term, share in shares.items() if share >= MIGHT_SHARE)
