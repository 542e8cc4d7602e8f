"""Which basic colour terms people may use for surfaces: the nearest prototypes in CIELAB.

The prototypes and how they are used are those of `farm.spec.colour_terms`; this code is the
checker's own.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.colour_terms import PROTOTYPES, TOLERANCE

Numbers = NDArray[np.float64]
Shares = dict[str, float]
"""Colour term -> share of the pixels that may be called so; a pixel may count for several."""

XYZ_FROM_RGB = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
"""IEC 61966-2-1: the primaries of Rec. 709, and D65."""
XYZ_OF_WHITE = XYZ_FROM_RGB.sum(axis=1)
LEVELS = 4096
"""Steps of linear light in which colours are told apart."""
KNEE, SLOPE = 216 / 24389, 24389 / 27
"""CIE 15:2004: below the knee there is a line instead of the cube root."""


class Terms(NamedTuple):
    """The prototypes, as arrays."""

    names: tuple[str, ...]
    """(T,)."""
    colours: Numbers
    """(P, 3), CIELAB."""
    called: NDArray[np.bool_]
    """(P, T), by which terms each may be called."""


def shares_of_terms(albedo: NDArray[Any]) -> Shares:
    """Return the share of pixels (N, 3), linear Rec. 709, that may be called by each term."""
    terms = prototypes()
    levels = np.round(np.clip(np.asarray(albedo, np.float64), 0.0, 1.0) * LEVELS)
    colours, counts = np.unique(levels, axis=0, return_counts=True)  # most things have few
    near = near_prototypes(lab_of(colours / LEVELS))
    called = np.array([terms.called[each].any(axis=0) for each in near])
    shares = (counts @ called / counts.sum()).tolist()
    return {name: share for name, share in zip(terms.names, shares, strict=True) if share}


def near_prototypes(lab: Numbers) -> NDArray[np.bool_]:
    """Return which prototypes (N, P) are as near to colours (N, 3) as the nearest, or nearly so."""
    colours = prototypes().colours
    squares = (lab**2).sum(axis=1)[:, None] + (colours**2).sum(axis=1) - 2 * lab @ colours.T
    far = np.sqrt(np.maximum(squares, 0.0))
    return np.asarray(far <= far.min(axis=1, keepdims=True) + TOLERANCE)


def lab_of(linear: Numbers) -> Numbers:
    """Return CIELAB (N, 3) of linear Rec. 709 colours (N, 3)."""
    relative = linear @ XYZ_FROM_RGB.T / XYZ_OF_WHITE
    f = np.where(relative > KNEE, np.cbrt(relative), (SLOPE * relative + 16) / 116)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )


def linear_of(srgb: Numbers) -> Numbers:
    """Return linear colours of those of sRGB, 0..1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


@cache
def prototypes() -> Terms:
    """Return the prototypes."""
    names = tuple(sorted({term for _, terms in PROTOTYPES for term in terms}))
    srgb = np.array([[*bytes.fromhex(digits)] for digits, _ in PROTOTYPES]) / 255
    called = np.array([[name in terms for name in names] for _, terms in PROTOTYPES])
    return Terms(names, lab_of(linear_of(srgb)), called)
