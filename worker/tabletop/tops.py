"""Tables: where the top of a model is, and how much of it things may lie on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.errors import AssetError
from worker.bounds import Points
from worker.tabletop.bodies import Body
from worker.tabletop.sizes import length

if TYPE_CHECKING:  # whose room needs Blender
    from worker.blender.physics.solid import Solid

CELLS = 64
"""Of a grid over a table, along each side, through which it is looked at from above."""
EVEN = 0.004
"""How far a top's heights may be apart, as a share of its longest side."""
FLAT = 0.6
"""Share of a table's outline, seen from above, that its top must be."""
FULL = 0.98
"""Share of the area for things that must be top."""
SHORTEST_M, LONGEST_M = 0.05, 20.0
"""Sides that a table's top may have."""


class Table(NamedTuple):
    """What things lie on."""

    body: Body
    """The middle of its top is the origin of the world."""
    top_m: tuple[float, float]
    """Length and width of the part of its top, around the middle, on which things may lie."""


def table_of(solid: Solid) -> Table:
    """Return a model as a table.

    Raises:
        AssetError: It has no flat top, or is too large or too small.
    """
    grid = Grid(solid)
    level, is_top = top_of(grid, solid)
    rows, columns = np.nonzero(is_top)
    middle = np.array([grid.x[[rows.min(), rows.max()]].mean(),
                       grid.y[[columns.min(), columns.max()]].mean(), level])  # fmt: skip
    metres = solid.metres_per_file_unit
    sides = inner_rectangle(grid, is_top, middle) * metres
    if not SHORTEST_M <= sides.min() <= sides.max() <= LONGEST_M:
        raise AssetError(
            solid.path,
            f"the top of this table is {length(sides[0])} by {length(sides[1])}, where "
            f"{length(SHORTEST_M)} to {length(LONGEST_M)} are expected: scale it in its file",
        )
    body = Body(solid, "the table", metres, np.eye(3), -middle * metres)
    return Table(body, (float(sides[0]), float(sides[1])))


class Grid:
    """A table as it is seen from above."""

    def __init__(self, solid: Solid) -> None:
        low, high = solid.points.min(axis=0), solid.points.max(axis=0)
        steps = (np.arange(CELLS) + 0.5) / CELLS
        self.x, self.y = (low[axis] + steps * (high - low)[axis] for axis in (0, 1))
        self.cell = (high - low)[:2] / CELLS
        start = high[2] + solid.size * 0.01
        across, along = np.meshgrid(self.x, self.y, indexing="ij")
        points = np.stack([across, along, np.full_like(across, start)], axis=-1)
        down = np.array([0.0, 0.0, -1.0])
        self.heights: Points = start - solid.surface.first_hits(points.reshape(-1, 3), down)[
            0
        ].reshape(CELLS, CELLS)
        """(x, y); minus infinity where nothing is."""


def top_of(grid: Grid, solid: Solid) -> tuple[float, NDArray[np.bool_]]:
    """Return the height of a table's top, and which cells of a grid are part of it.

    Raises:
        AssetError: It has none.
    """
    seen = grid.heights[np.isfinite(grid.heights)]
    even = EVEN * solid.size
    if not len(seen):
        raise AssetError(solid.path, NO_TOP.format(share=0.0))
    ordered = np.sort(seen)
    counts = np.searchsorted(ordered, ordered + even, side="right") - np.arange(len(ordered))
    best = int(counts.argmax())
    share = counts[best] / len(seen)
    if share < FLAT:
        raise AssetError(solid.path, NO_TOP.format(share=share))
    found = ordered[best : best + counts[best]]
    is_top = (grid.heights >= found[0]) & (grid.heights <= found[-1])
    return float(np.median(found)), is_top


NO_TOP = (
    "only {share:.0%} of it, seen from above, are flat and level, so that nothing can lie on it: "
    "use a model with a flat top, or none for a plain board"
)


def inner_rectangle(grid: Grid, is_top: NDArray[np.bool_], middle: Points) -> Points:
    """Return the sides (2,) of the largest part, around the middle, that is all top."""
    x, y = np.abs(grid.x - middle[0]), np.abs(grid.y - middle[1])
    reach = np.array([x[is_top.any(axis=1)].max(), y[is_top.any(axis=0)].max()])
    half = reach + grid.cell / 2
    for share in np.linspace(1.0, 0.05, 96):
        inside = np.ix_(x <= share * half[0], y <= share * half[1])
        if is_top[inside].size and is_top[inside].mean() >= FULL:
            return np.asarray(2 * share * half)
    return np.zeros(2)
