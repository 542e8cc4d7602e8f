"""What colour a thing has, by the share of light that its pixels scatter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

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
Floats = NDArray[np.float32]

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
ROUNDING = np.float32(0.05)
"""Units of CIELAB by which more terms count than the rule has, so that numbers of 32 bits leave
none of them out."""
ASKED = 2000
"""Pixels of a thing that are asked for their colour, at most."""
SLACK = 0.04
"""By how much shares of so many may be off: 3.6 standard deviations of the share of one half."""
GOLDEN = (5**0.5 - 1) / 2
"""Steps of this part of the whole come near every place, and fit no pattern."""


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


class Prototypes(NamedTuple):
    """What colours are compared with."""

    places: Floats
    """(P, 3), in CIELAB."""
    squares: Floats
    """(P,), how far they are from black, squared."""
    has: Floats
    """(P, T), 1 where one has a term, else 0."""
    terms: tuple[str, ...]
    """(T)"""


@cache
def prototypes() -> Prototypes:
    """Return all prototypes."""
    terms = tuple(sorted({term for _, each in PROTOTYPES for term in each}))
    places = lab_of(np.array([linear_of(digits) for digits, _ in PROTOTYPES])).astype(np.float32)
    has = np.array([[term in each for term in terms] for _, each in PROTOTYPES], np.float32)
    return Prototypes(places, (places**2).sum(axis=1), has, terms)


def term_shares(albedo: Numbers) -> dict[str, float]:
    """Return the share of colours (N, 3), linear, that each term may be said of."""
    known = prototypes()
    asked = spread(albedo)
    lab = lab_of(asked).astype(np.float32)
    counts = ((near(lab, known).astype(np.float32) @ known.has) > 0).sum(axis=0)
    return {
        term: count / len(asked)
        for term, count in zip(known.terms, counts.tolist(), strict=True)
        if count
    }


def spread(colours: Numbers) -> Numbers:
    """Return `ASKED` of colours (N, 3), evenly spread over all of them; all, where they are few."""
    if len(colours) <= ASKED:
        return colours
    steps = np.arange(ASKED) * GOLDEN % 1.0
    return colours[(steps * len(colours)).astype(np.intp)]


def slack_of(pixels: int) -> float:
    """Return by how much the shares of a thing of so many pixels may be off."""
    return 0.0 if pixels <= ASKED else SLACK


def near(lab: Floats, known: Prototypes) -> NDArray[np.bool_]:
    """Return which prototypes (N, P) tell what colours (N, 3) in CIELAB may be called."""
    squares = (lab**2).sum(axis=1, keepdims=True) + known.squares
    squares -= 2 * (lab @ known.places.T)
    limit = np.sqrt(np.maximum(squares.min(axis=1, keepdims=True), 0)) + (TOLERANCE + ROUNDING)
    return np.asarray(squares <= limit**2)


def said_of(shares: Mapping[str, float], *, slack: float = 0.0) -> str | None:
    """Return the one term that may be said of a thing, if there is one.

    Args:
        shares: Of its pixels, by term.
        slack: By how much they may be off.
    """
    ordered = sorted(shares, key=shares.__getitem__, reverse=True)
    if not ordered or shares[ordered[0]] < MOST_SHARE + slack:
        return None
    alone = all(shares[term] <= NEXT_SHARE - slack for term in ordered[1:])
    return ordered[0] if alone else None


def might_be_said_of(shares: Mapping[str, float], *, slack: float = 0.0) -> frozenset[str]:
    """Return all terms that somebody might say of a thing."""
    return frozenset(term for term, share in shares.items() if share >= MIGHT_SHARE - slack)
