"""What is known of the things in a view: what programs run on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from farm.spec.words import AssetWords

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SeenObject:
    """A thing in a view of which at least one pixel is seen."""

    place: int
    """Among the record's `objects`."""
    words: AssetWords | None
    """None of what sentences never name: a table, a distractor."""
    is_surface: bool
    """It is what all lies on."""
    colour: str | None
    """None where no basic term holds of most of it."""
    colours: frozenset[str]
    """Terms that may be said of it by somebody; a term that is not among them is surely not its
    colour. Empty where nothing is known."""
    materials: frozenset[str]
    pose: str | None
    size_m: float
    """Longest side of its box."""
    height_m: float
    """From the table's plane to its top."""
    centre_m: Numbers
    """(3,), the middle of its box, in the world."""
    seen_m: Numbers
    """(3,), the mean of its visible points, in the world."""
    mean_px: Numbers
    """(2,), of its visible pixels."""
    point_px: tuple[float, float]
    """The middle of a pixel that shows it, far from its edge."""
    box_px: tuple[float, float, float, float]
    area_px: float
    visible_fraction: float
    on: frozenset[int]
    inside: frozenset[int]
    """Places of what it rests on, and lies in."""
    rise_m: float | None = None
    """How high the box itself is, from its lowest corner to its highest: of what lies askew, more
    than the thing. None where that is not known."""
    maybe_materials: frozenset[str] | None = None
    """Besides `materials`, those that may be said of it by somebody; any other is surely not its
    own. None where nothing is known."""


@dataclass(frozen=True, eq=False)
class SeenScene:
    """A view, as sentences speak of it."""

    objects: tuple[SeenObject, ...]
    """All of which at least one pixel is seen."""
    world_from_camera: Numbers
    """(4, 4), Blender's camera: looks along -Z, +Y up."""
    fraction: float
    """Least share to be seen of what is named."""
    pixels: int
    """Least pixels of it."""
    banned: frozenset[str] = frozenset()
    """Nouns that the surroundings may show, too."""
    focal_px: float | None = None
    """Focal length along the picture's width; None where that is not known."""
    unseen_m: tuple[tuple[int, float], ...] = ()
    """Place and size of objects of which no pixel is seen."""

    @cached_property
    def right(self) -> Numbers:
        """(3,), the picture's right, in the world."""
        return np.asarray(self.world_from_camera[:3, 0])

    @cached_property
    def away(self) -> Numbers:
        """(3,), away from the camera, level over the table."""
        forward = -self.world_from_camera[:3, 2]
        level = forward * (1.0, 1.0, 0.0)
        if np.linalg.norm(level) < 0.1:  # it looks straight down: what is up is far
            level = self.world_from_camera[:3, 1] * (1.0, 1.0, 0.0)
        return np.asarray(level / np.linalg.norm(level))

    def can_be_named(self, thing: SeenObject) -> bool:
        """Say whether enough of a thing is seen."""
        return (
            not thing.is_surface
            and thing.visible_fraction >= self.fraction
            and thing.area_px >= self.pixels
        )
