"""What bears a body, and whether that holds it."""

from __future__ import annotations

import numpy as np

from worker.bounds import Points


def shares(points: Points, weight_at: Points) -> tuple[Points, float]:
    """Return how a weight spreads over points that push up, and what is left unbalanced.

    Args:
        points: (N, 3), where something rests.
        weight_at: (3,), its centre of mass.

    Returns:
        (N,), shares that add up to about 1; and how many metres the weight is beside what bears it.
    """
    if not len(points):
        return np.empty(0), float("inf")
    arms = (points - weight_at)[:, :2]
    reach = max(float(np.abs(arms).max()), 1e-6)
    rows = np.vstack([np.ones(len(points)), arms.T / reach])
    wanted = np.array([1.0, 0.0, 0.0])
    active = np.ones(len(points), dtype=bool)
    forces = np.zeros(len(points))
    for _ in range(len(points)):
        forces[:] = 0.0
        forces[active] = np.linalg.lstsq(rows[:, active], wanted, rcond=1e-9)[0]
        if forces.min() >= -1e-9 or active.sum() == 1:
            break
        active &= forces > 0.5 * forces.min()
    forces = forces.clip(min=0.0)
    forces /= max(forces.sum(), 1e-30)
    return forces, float(np.linalg.norm(forces @ arms))
