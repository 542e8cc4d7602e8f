"""What a thing's silhouette is told by: its triangles, if they tell all of it; numpy only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from worker.points.first_hits import Numbers
from worker.points.surfaces import Surface


@dataclass(frozen=True, eq=False)
class Body:
    """All surfaces of a thing, or of a part of it."""

    surfaces: tuple[Surface, ...] = ()
    whole: bool = True
    """It has nothing else: no hair, no mist, nothing half clear or displaced by its material."""

    def moved(self, matrix: Numbers) -> Body:
        """Return it where a (4, 4) matrix takes it."""
        return Body(
            tuple(each._replace(matrix=matrix @ each.matrix) for each in self.surfaces), self.whole
        )


def joined(bodies: Iterable[Body]) -> Body:
    """Return parts as one."""
    parts = tuple(bodies)
    surfaces = tuple(surface for part in parts for surface in part.surfaces)
    return Body(surfaces, all(part.whole for part in parts))
