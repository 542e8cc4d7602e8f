"""The open shutter of a frame of a sequence: the moments from which blur and events are made."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from farm.spec.base import Spec


class Shutter(Spec):
    """How long it is open around each frame, and how many pictures are taken of that time."""

    open: float = Field(gt=0.0, le=1.0)
    """Frames of the sequence; half of it is before the frame, half after."""
    subframes: int = Field(ge=2, le=1000)
    """Pictures while it is open: the first as it opens, the last as it closes, the others evenly
    between."""
    event_threshold: float = Field(gt=0.0)
    """Difference of log intensity that makes an event."""

    @property
    def offsets(self) -> tuple[float, ...]:
        """When the sub-frames are, in frames of the sequence from the frame."""
        last = self.subframes - 1
        whole = Fraction(self.open)
        return tuple(float((Fraction(each, last) - Fraction(1, 2)) * whole)
                     for each in range(self.subframes))  # fmt: skip

    @property
    def weights(self) -> tuple[float, ...]:
        """Share of the open time that each sub-frame stands for; those at its ends for half.

        The mean by these is that of a picture that changes evenly from sub-frame to sub-frame.
        """
        last = self.subframes - 1
        return (0.5 / last, *[1.0 / last] * (last - 1), 0.5 / last)

    @property
    def pictures(self) -> int:
        """How many pictures a frame takes: an even number of sub-frames has none at the frame."""
        return self.subframes + (self.subframes + 1) % 2
