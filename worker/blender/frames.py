"""Moments of an animation, between frames too."""

from __future__ import annotations

import math
from typing import Any


def show_frame(scene: Any, frame: float) -> None:
    """Go to a moment of the animation; 1.5 is half-way from frame 1 to frame 2."""
    whole = math.floor(frame)
    scene.frame_set(whole, subframe=frame - whole)
