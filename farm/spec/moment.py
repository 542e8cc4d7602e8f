"""Where a view stands in a sequence."""

from __future__ import annotations

from pydantic import Field, PositiveFloat

from farm.spec.base import Spec


class Moment(Spec):
    """One frame of a sequence, which other frames of the same dataset continue."""

    sequence: str
    """The folder of the sequence in its dataset: `street/001-00001-00100`."""
    place: int = Field(ge=0)
    """From 0, without gaps: neighbours in time differ by 1."""
    of: int = Field(ge=1)
    """How many frames the sequence has."""
    number: int
    """Of the frame, as its file names have it."""
    fps: PositiveFloat
    """Frames of the dataset per second."""
    time_s: float
    """Of the frame, from the sequence's first."""
