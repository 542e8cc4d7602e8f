"""Where a view stands in a sequence."""

from __future__ import annotations

from pydantic import Field, FiniteFloat

from farm.spec.base import Spec

MOST = 1 << 31
"""More frames than any sequence has: numbers beyond are of no record."""


class Moment(Spec):
    """One frame of a sequence, which other frames of the same dataset continue."""

    sequence: str
    """The folder of the sequence in its dataset: `street/001-00001-00100`."""
    place: int = Field(ge=0, lt=MOST)
    """From 0, without gaps: neighbours in time differ by 1."""
    of: int = Field(ge=1, le=MOST)
    """How many frames the sequence has."""
    number: int = Field(ge=-MOST, le=MOST)
    """Of the frame, as its file names have it."""
    fps: float = Field(gt=0.0, le=1e9)
    """Frames of the dataset per second."""
    time_s: FiniteFloat
    """Of the frame, from the sequence's first."""
