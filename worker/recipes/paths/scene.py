"""What a path asks of the scene through which it leads."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


class Hit(Protocol):
    """The first surface that a ray meets."""

    @property
    def distance(self) -> float: ...

    @property
    def name(self) -> str: ...

    @property
    def from_behind(self) -> bool:
        """The surface's normal points along the ray: the ray comes from inside, if it is closed."""


class Body(Protocol):
    """Something to look at."""

    @property
    def middle(self) -> Points: ...

    @property
    def radius(self) -> float: ...

    @property
    def names(self) -> frozenset[str]:
        """Objects of which it is made; none: a point."""


class Scene(Protocol):
    """A scene's surfaces, as they are rendered, at one moment after the other."""

    @property
    def path(self) -> str:
        """The file, as errors name it."""

    def show(self, moment: float) -> None:
        """Go to a moment of the file's time."""

    def first_hit(self, start: Points, end: Points) -> Hit | None:
        """Return what is met first between two points, if anything is."""

    def everything(self) -> Body:
        """Return all that is rendered."""

    def object(self, name: str) -> Body:
        """Return an object with all that belongs to it, as it stands now."""

    def own_camera(self) -> Points | None:
        """Return where the file's own camera stands now, if it has one."""
