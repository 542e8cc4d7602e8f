"""Convex polygons in the picture's plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Polygon = NDArray[np.float64]
"""(N, 2) corners in order."""
SIDES = 64
"""Of a polygon that stands for a disc; its area is 0.1 % larger."""


def hull(points: Polygon) -> Polygon:
    """Return the corners of the convex hull of points (N, 2)."""
    ordered = sorted(set(map(tuple, points.tolist())))
    if len(ordered) < 3:
        return np.array(ordered).reshape(-1, 2)
    lower, upper = half_hull(ordered), half_hull(ordered[::-1])
    return np.array(lower[:-1] + upper[:-1])


def half_hull(ordered: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Return the corners that turn one way, of points in order."""
    kept: list[tuple[float, ...]] = []
    for point in ordered:
        while len(kept) > 1 and turn(kept[-2], kept[-1], point) <= 0:
            kept.pop()
        kept.append(point)
    return kept


def turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    """Return a number above zero where the way from a over b to c bends to one side."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def area(polygon: Polygon) -> float:
    """Return the area of a polygon."""
    if len(polygon) < 3:
        return 0.0
    x, y = polygon.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def clipped(polygon: Polygon, size: tuple[int, int]) -> Polygon:
    """Return what of a convex polygon is within 0..width and 0..height."""
    for axis in np.eye(2):
        polygon = cut(polygon, toward=axis, limit=0.0)
        polygon = cut(polygon, toward=-axis, limit=-float(np.dot(axis, size)))
    return polygon


def clipped_to_disc(polygon: Polygon, middle: tuple[float, float], radius: float) -> Polygon:
    """Return what of a convex polygon is within a disc, as a polygon of `SIDES` sides has it."""
    for angle in np.arange(SIDES) * 2 * np.pi / SIDES:
        inward = -np.array([np.cos(angle), np.sin(angle)])
        polygon = cut(polygon, toward=inward, limit=float(inward @ middle) - radius)
    return polygon


def cut(polygon: Polygon, *, toward: Polygon, limit: float) -> Polygon:
    """Return the part of a convex polygon that reaches `limit` or more along a direction (2,)."""
    kept: list[Polygon] = []
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        before, after = float(start @ toward) - limit, float(end @ toward) - limit
        if before >= 0:
            kept.append(start)
        if (before >= 0) != (after >= 0):
            kept.append(start + (end - start) * (before / (before - after)))
    return np.array(kept).reshape(-1, 2)
