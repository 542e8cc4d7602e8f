"""Smooth curves through space, and turns: numpy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
STEPS = 32
"""Chords by which the length of a piece of a curve is measured."""
BLEND = np.array([[1, 4, 1, 0], [-3, 0, 3, 0], [3, -6, 3, 0], [-1, 3, -3, 1]]) / 6.0
"""Powers of u from four control points: a piece of a uniform cubic B-spline."""
SIDEWAYS = 1e-6
"""Length below which a direction is none."""


def piece(control: Points, u: Points) -> Points:
    """Return places (N, 3) on the piece of a B-spline of four control points, at u from 0 to 1."""
    powers = np.stack([np.ones_like(u), u, u**2, u**3], axis=-1)
    return np.asarray(powers @ BLEND @ control)


def lengths(control: Points) -> Points:
    """Return how long a piece is up to each of its STEPS chords' ends, beginning with 0."""
    places = piece(control, np.linspace(0.0, 1.0, STEPS + 1))
    chords = np.linalg.norm(np.diff(places, axis=0), axis=-1)
    return np.concatenate([[0.0], np.cumsum(chords)])


def natural_spline(times: Points, values: Points, at: Points) -> Points:
    """Return values (N, D) of the smoothest curve through values (M, D) at rising times (M,).

    It is cubic between two of them, its first two derivatives are continuous, and it is straight
    at both ends (Numerical Recipes, 3.3).
    """
    steps = np.diff(times)
    slopes = np.diff(values, axis=0) / steps[:, None]
    bends = np.zeros_like(values)
    if len(times) > 2:
        bends[1:-1] = tridiagonal(
            steps[1:-1], 2 * (steps[:-1] + steps[1:]), steps[1:-1], 6 * np.diff(slopes, axis=0)
        )
    place = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(steps) - 1)
    step = steps[place][:, None]
    a = (times[place + 1] - at)[:, None] / step
    b = 1.0 - a
    straight = a * values[place] + b * values[place + 1]
    bent = (a**3 - a) * bends[place] + (b**3 - b) * bends[place + 1]
    return np.asarray(straight + bent * step**2 / 6.0)


def tridiagonal(below: Points, middle: Points, above: Points, right: Points) -> Points:
    """Solve a system whose matrix has three diagonals; `right` is (N, D) (Thomas's algorithm)."""
    middle, right = middle.copy(), right.copy()
    for row in range(1, len(middle)):
        factor = below[row - 1] / middle[row - 1]
        middle[row] -= factor * above[row - 1]
        right[row] -= factor * right[row - 1]
    found = np.empty_like(right)
    found[-1] = right[-1] / middle[-1]
    for row in range(len(middle) - 2, -1, -1):
        found[row] = (right[row] - above[row] * found[row + 1]) / middle[row]
    return found


def looking(eye: Points, at: Points) -> Points:
    """Return `world_from_camera` (4, 4) of a camera that looks at a point, upright."""
    back = unit(eye - at)
    across = np.cross(UP, back)
    right = unit(across) if np.linalg.norm(across) > SIDEWAYS else np.array([1.0, 0.0, 0.0])
    matrix = np.eye(4)
    matrix[:3] = np.stack([right, np.cross(back, right), back, eye], axis=-1)
    return matrix


def turned(matrix: Points, angle_rad: float) -> Points:
    """Return a pose that is turned on the spot around the vertical, anticlockwise from above."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    found = matrix.copy()
    found[:3, :3] = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]) @ matrix[:3, :3]
    return found


def unit(vector: Points) -> Points:
    """Return a direction with the length 1; what has none looks along +X."""
    length = np.linalg.norm(vector)
    return vector / length if length > 0.0 else np.array([1.0, 0.0, 0.0])


def one_way(quaternions: Points) -> Points:
    """Return quaternions (N, 4) with signs by which neighbours are near each other."""
    found = quaternions.copy()
    for place in range(1, len(found)):
        if found[place] @ found[place - 1] < 0:
            found[place] = -found[place]
    return found


def turns(quaternions: Points) -> Points:
    """Return rotations (N, 3, 3) of quaternions (N, 4), x, y, z, w, of any length."""
    x, y, z, w = (quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)
