"""How a material treats light, in numbers."""

from __future__ import annotations

from typing import NamedTuple


class Finish(NamedTuple):
    """What is known of a material's surface; None where nodes decide that nobody has read."""

    metallic: float | None = None
    """0 is none of it, 1 all."""
    transmission: float | None = None
    """0 is a solid, 1 is glass."""
    roughness: float | None = None
    """0 is a mirror."""
    alpha: float | None = None
    """1 is solid, 0 is not there."""
    scatters: bool = False
    """The light that it scatters has its colour: it is neither metal nor glass, and does not
    glow."""


PLAIN = Finish(metallic=0.0, transmission=0.0, roughness=1.0, alpha=1.0, scatters=True)
"""Of what has no material at all: Cycles shows it in a light grey."""
