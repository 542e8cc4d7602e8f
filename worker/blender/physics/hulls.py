"""Convex hulls with so few corners that Bullet is quick, and about as large as what they are of."""

from __future__ import annotations

import numpy as np

from worker.bounds import Points, directions, extremes, outermost

MANY, FEW = 1000, 192
"""Directions in which corners are looked for: to know the hull, and for a hull with few corners."""
MOST_CORNERS = 256


def few_corners(points: Points) -> Points:
    """Return corners (N, 3) of a hull of points (N, 3), at most `MOST_CORNERS`.

    Where some had to be left out, it is made larger by half of what it lacks.
    """
    hull = extremes(points, MANY)
    if len(hull) <= MOST_CORNERS:
        return hull
    few = hull[np.unique(outermost(hull, directions(FEW)))]
    toward = directions(MANY)
    middle = few.mean(axis=0)
    reach, short = (((part - middle) @ toward.T).max(axis=0) for part in (hull, few))
    lacking = float((reach - short).max() / 2)
    usual = float(np.median(reach))
    return np.asarray(middle + (few - middle) * (1 + lacking / max(usual, 1e-30)))
