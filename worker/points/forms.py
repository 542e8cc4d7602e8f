"""Where the points of an object are at one moment; numpy only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Form(NamedTuple):
    """The points of a mesh, and where it stands."""

    points: int
    """As long as it is the same, they are where they were, as the object itself has it."""
    world_from_object: NDArray[np.float64]
    """(4, 4)."""

    def carries(self, other: Form) -> NDArray[np.float64] | None:
        """Return what takes points of the world from here to another moment (4, 4); None where
        the mesh has changed, or is flat, so that nothing takes them back."""
        if self.points != other.points or abs(np.linalg.det(self.world_from_object)) == 0.0:
            return None
        return np.asarray(other.world_from_object @ np.linalg.inv(self.world_from_object))
