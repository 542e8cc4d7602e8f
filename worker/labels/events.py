"""What an event camera tells of pictures that follow one another.

The model is that of ESIM (Rebecq, Gehrig, Scaramuzza: ESIM: an Open Event Camera Simulator, CoRL
2018) without noise, refractory time and spread of thresholds: each pixel remembers the log
intensity of its last event, and tells of each step of the threshold beyond. Between two pictures
the log intensity changes evenly, which gives the time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Shares of linear Rec. 709 in its luminance."""
DARK = 1e-3
"""Added to the luminance, as in ESIM: log is of no use at 0."""
BRIGHTEST = 1e6
"""Luminance beyond which all is alike."""
ROUNDING = 1e-6
"""Share of a threshold by which a step may fall short: pictures have 24 bits."""

EVENT = np.dtype([("t", "<f8"), ("x", "<u2"), ("y", "<u2"), ("p", "|i1")])
"""Time, s; column and row, px; 1 where it got brighter, -1 where it got darker."""

Floats = NDArray[np.float64]


class EventSensor:
    """A sensor that sees one picture after the other; the first sets what pixels remember."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._told: Floats | None = None
        self._last: tuple[Floats, float] | None = None
        self._found: list[NDArray[np.void]] = []

    def see(self, linear: NDArray[np.float32], time_s: float) -> None:
        """Look at a picture.

        Args:
            linear: (H, W, 3), scene-linear Rec. 709.
            time_s: When it is; later than the one before.
        """
        now = log_intensity(linear)
        if self._told is None or self._last is None:
            self._told = now.copy()
        else:
            self._tell(self._told, *self._last, now, time_s)
        self._last = now, time_s

    def _tell(
        self, told: Floats, before: Floats, before_s: float, now: Floats, time_s: float
    ) -> None:
        """Note the events between two pictures."""
        signs = np.sign(now - before)
        steps = np.floor(signs * (now - told) / self._threshold + ROUNDING).astype(np.int64)
        y, x = np.nonzero(steps > 0)
        counts, sign = steps[y, x], signs[y, x]
        which = np.repeat(np.arange(len(y)), counts)
        nth = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
        level = told[y, x][which] + sign[which] * self._threshold * nth
        start, end = before[y, x][which], now[y, x][which]
        share = np.clip((level - start) / (end - start), 0.0, 1.0)
        told[y, x] += sign * self._threshold * counts
        found = np.empty(len(which), EVENT)
        found["t"] = before_s + share * (time_s - before_s)
        found["x"], found["y"], found["p"] = x[which], y[which], sign[which]
        self._found.append(found)

    def events(self) -> NDArray[np.void]:
        """Return all events (N,), sorted by time."""
        found = np.concatenate(self._found) if self._found else np.empty(0, EVENT)
        return found[np.lexsort((found["x"], found["y"], found["t"]))]


def log_intensity(linear: NDArray[np.float32]) -> Floats:
    """Return the natural log of the luminance (H, W) of a picture (H, W, 3)."""
    luminance = linear.astype(np.float64) @ np.array(LUMINANCE)
    return np.asarray(np.log(np.clip(np.nan_to_num(luminance), 0.0, BRIGHTEST) + DARK))
