"""What rays through places of a picture meet first, found in the picture rather than in space.

Triangles that cover none of the places fall out by four look-ups each, so that no tree of them has
to be built anew for each frame.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]
AT_ONCE = 2_000_000
"""Pairs of a triangle and a place that are looked at together."""
EDGE = 1e-9
"""How far beside a triangle, as a share of it, a ray meets it: none slips through between two."""
ROUNDING = 1e-9
"""Share of a place on a sheet that is lost where a triangle is cut off in front of the camera."""
CUBE = tuple(np.eye(3)[[(axis + 1) % 3, (axis + 2) % 3, axis]] for axis in range(3))
"""Turns that bring x, y and z each to z; the last one turns nothing."""
AS_IT_IS = CUBE[2]
BEHIND = np.diag((-1.0, 1.0, -1.0))
"""A half turn."""


class Wanted(NamedTuple):
    """What is looked for at each of N places, if not what is nearest."""

    depth: Numbers
    """(N,): what is closest to that is kept."""
    owner: Indices
    """(N,), number of the thing whose surface it is."""


@dataclass
class Hits:
    """What has been met so far at each of N places."""

    depth: Numbers
    """(N,), in units of each place's ray; infinite where nothing was met."""
    surface: Indices
    """(N,), which of the surfaces that were looked at; -1 where nothing was met."""
    triangle: Indices
    """(N,), of that surface."""
    wanted: Wanted | None = None

    def takes(self, owner: int, places: Indices) -> NDArray[np.bool_]:
        """Say at which of some places (K,) a thing is looked for."""
        if self.wanted is None:
            return np.ones(len(places), np.bool_)
        return np.asarray(self.wanted.owner[places] == owner)

    def off(self, places: Indices, depths: Numbers) -> Numbers:
        """Return how far depths (K,) at some places are from what is looked for."""
        if self.wanted is None:
            return depths
        return np.asarray(np.abs(depths - self.wanted.depth[places]))


class Sheet(NamedTuple):
    """Where rays go through a plane in front of a camera."""

    turn: Numbers
    """(3, 3), from the camera's frame to that of the sheet, which looks along its -Z."""
    places: Indices
    """(M,), which places are on it."""
    uv: Numbers
    """(M, 2), on the plane 1 in front of the camera; of parallel rays anywhere."""
    parallel: bool


@dataclass(frozen=True, eq=False)
class Aims:
    """Rays of a camera."""

    sheets: tuple[Sheet, ...]
    starts: Numbers
    """(N, 3), in the camera's frame."""
    along: Numbers
    """(N, 3), by how far a ray goes on with each unit of depth."""
    near: float
    """Nothing nearer than that is met."""
    grids: tuple[Grid, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "grids", tuple(Grid(sheet.uv) for sheet in self.sheets))

    def nothing(self, wanted: Wanted | None = None) -> Hits:
        """Return what is met by rays where there is nothing."""
        nowhere = np.full(len(self.starts), -1, dtype=np.int64)
        return Hits(np.full(len(nowhere), np.inf), nowhere, nowhere.copy(), wanted)

    def depths(self, points: Numbers) -> Numbers:
        """Return the depths (N,) of points (N, 3) on the rays."""
        return np.asarray(np.max(np.abs((points - self.starts) * (self.along != 0)), axis=1))

    def at(self, depths: Numbers) -> Numbers:
        """Return the points (N, 3) of the rays at these depths."""
        return np.asarray(self.starts + self.along * depths[:, None])

    def may_meet(self, hulls: Numbers) -> NDArray[np.bool_]:
        """Say which things (K,), by the corners (K, 8, 3) of boxes around them, may be met."""
        count = len(hulls)
        shapes = np.arange(8 * count).reshape(count, 8)
        found = ~np.isfinite(hulls).all(axis=(1, 2))
        for sheet, grid in zip(self.sheets, self.grids, strict=True):
            turned = hulls.reshape(-1, 3) @ sheet.turn.T
            low, high, ahead = boxes(turned, shapes, self.near, parallel=sheet.parallel)
            found |= ahead & grid.any_in(low, high)
        return found

    def cast(
        self, hits: Hits, surface: int, points: Numbers, triangles: Indices, *, owner: int = 0
    ) -> None:
        """Note what the rays meet of one more surface.

        Args:
            hits: What was met before.
            surface: Its number.
            points: (V, 3), in the camera's frame.
            triangles: (T, 3), its points.
            owner: Number of the thing that it is of, where that is looked for.
        """
        for sheet, grid in zip(self.sheets, self.grids, strict=True):
            turned = points if sheet.turn is AS_IT_IS else points @ sheet.turn.T
            for triangle, on_sheet, depth in self._met_on(sheet, grid, turned, triangles):
                place = sheet.places[on_sheet]
                kept = (depth >= self.near) & hits.takes(owner, place)
                note(hits, surface, triangle[kept], place[kept], depth[kept])

    def meetings(self, points: Numbers, triangles: Indices) -> Iterator[tuple[Indices, Numbers]]:
        """Yield places (K,) at which rays meet triangles (T, 3), and at which depth (K,).

        Args:
            points: (V, 3), in the camera's frame.
            triangles: Which of them each has.
        """
        for sheet, grid in zip(self.sheets, self.grids, strict=True):
            turned = points if sheet.turn is AS_IT_IS else points @ sheet.turn.T
            for _, on_sheet, depth in self._met_on(sheet, grid, turned, triangles):
                there = depth >= self.near  # NaN where it is missed
                yield sheet.places[on_sheet[there]], depth[there]

    def _met_on(
        self, sheet: Sheet, grid: Grid, points: Numbers, triangles: Indices
    ) -> Iterator[tuple[Indices, Indices, Numbers]]:
        """Yield triangles, places on a sheet, and at which depth (K,) rays there meet them."""
        low, high, ahead = boxes(points, triangles, self.near, parallel=sheet.parallel)
        near_places = np.flatnonzero(ahead & grid.any_in(low, high))
        for triangle, place in grid.pairs(near_places, low, high):
            corners = points[triangles[triangle]]
            yield triangle, place, met(corners, sheet.uv[place], parallel=sheet.parallel)


class Grid:
    """Where on a sheet there are places: how many lie in a box is known by four look-ups.

    Places are kept cell by cell, row by row, so that those of a stretch of a row lie together.
    """

    SIDE = 512

    def __init__(self, uv: Numbers) -> None:
        self._uv = uv
        self._low = uv.min(axis=0) if len(uv) else np.zeros(2)
        span = np.maximum(uv.max(axis=0) - self._low, 1e-12) if len(uv) else np.ones(2)
        self._scale = (self.SIDE - 1) / span
        cells = self._cells(uv)
        flat = cells[:, 1] * self.SIDE + cells[:, 0]
        counts = np.bincount(flat, minlength=self.SIDE**2)
        self._order = np.argsort(flat, kind="stable")
        self._first = np.concatenate([[0], counts.cumsum()])
        square = counts.reshape(self.SIDE, self.SIDE)
        self._sums = np.pad(square.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))

    def any_in(self, low: Numbers, high: Numbers) -> NDArray[np.bool_]:
        """Say in which boxes (T, 2) there may be a place."""
        apart = (high < self._low) | (low > self._low + (self.SIDE - 1) / self._scale)
        count = self._count(self._cells(low), self._cells(high))
        return np.asarray((count > 0) & ~(apart[:, 0] | apart[:, 1]))

    def pairs(
        self, triangles: Indices, low: Numbers, high: Numbers
    ) -> Iterator[tuple[Indices, Indices]]:
        """Yield some of the triangles (T,), and places (K, K), that lie in their boxes (T, 2)."""
        low, high = low[triangles] - EDGE, high[triangles] + EDGE
        first, last = self._cells(low), self._cells(high)
        work = (self._count(first, last) + last[:, 1] - first[:, 1] + 1).cumsum()
        ends = np.searchsorted(work, np.arange(AT_ONCE, work[-1] if len(work) else 0, AT_ONCE))
        for some in np.split(np.arange(len(triangles)), np.unique(ends)):
            which, place = self._in_cells(first[some], last[some])
            which = some[which]
            inside = np.ones(len(which), np.bool_)
            for axis in range(2):  # much faster than along a short axis
                at = self._uv[place, axis]
                inside &= (at >= low[which, axis]) & (at <= high[which, axis])
            yield triangles[which[inside]], place[inside]

    def _in_cells(self, first: Indices, last: Indices) -> tuple[Indices, Indices]:
        """Return which boxes, by their corner cells (T, 2), hold which places (K, K)."""
        of, row = spread(last[:, 1] - first[:, 1] + 1)
        begin = (first[of, 1] + row) * self.SIDE
        start = self._first[begin + first[of, 0]]
        stretch, step = spread(self._first[begin + last[of, 0] + 1] - start)
        return of[stretch], self._order[start[stretch] + step]

    def _count(self, first: Indices, last: Indices) -> Indices:
        """Return how many places lie in boxes, by their corner cells (T, 2)."""
        sums, end = self._sums, last + 1
        return np.asarray(
            sums[end[:, 1], end[:, 0]] - sums[first[:, 1], end[:, 0]]
            - sums[end[:, 1], first[:, 0]] + sums[first[:, 1], first[:, 0]]
        )  # fmt: skip

    def _cells(self, uv: Numbers) -> Indices:
        cells = (uv - self._low) * self._scale
        return np.fmin(np.fmax(cells, 0), self.SIDE - 1).astype(np.int64)  # NaN is in the first


def aims(points: Numbers, near: float, *, parallel: bool) -> Aims:
    """Return rays from a camera through points (N, 3) in its frame, none of them NaN.

    Depths are along the camera's axis, or along that of the side of a cube around it.

    Args:
        points: Where the rays go through.
        near: Nothing nearer than that is met.
        parallel: All rays run along the axis, rather than from the camera's centre.
    """
    if parallel:
        sheet = Sheet(AS_IT_IS, np.arange(len(points)), points[:, :2], parallel=True)
        return Aims((sheet,), points * (1.0, 1.0, 0.0), np.array([[0.0, 0.0, -1.0]]), near)
    far = np.abs(points)
    side = np.argmax(far, axis=1)
    along = points / far.max(axis=1, initial=0.0)[:, None]
    found = []
    for axis, turn in enumerate(CUBE):
        for full in (turn, BEHIND @ turn):
            turned = along @ full.T
            places = np.flatnonzero((side == axis) & (turned[:, 2] < 0))
            if len(places):
                found.append(Sheet(full, places, turned[places, :2], parallel=False))
    return Aims(tuple(found), np.zeros_like(points), along, near)


def boxes(
    points: Numbers, shapes: Indices, near: float, *, parallel: bool
) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    """Return the boxes (T, 2), lowest and highest, on a sheet, of what some points are the hull of.

    Also which of them are in front at all; of those that are partly so, that part counts.

    Args:
        points: (V, 3).
        shapes: (T, K), the points of each.
        near: Nothing nearer than that is met.
        parallel: Rays run side by side.
    """
    ahead = points[:, 2] <= -near
    if parallel:
        uv = points[:, :2]
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            uv = points[:, :2] / -points[:, 2:]
    low = high = uv[shapes[:, 0]]
    some = every = ahead[shapes[:, 0]]
    for corner in shapes.T[1:]:  # much faster than along a short axis
        there = uv[corner]
        low, high = np.minimum(low, there), np.maximum(high, there)
        some, every = some | ahead[corner], every & ahead[corner]
    if parallel:
        return low, high, some
    partly = np.flatnonzero(some & ~every)
    low[partly], high[partly] = boxes_in_front(points[shapes[partly]], near)
    return low, high, some


def boxes_in_front(corners: Numbers, near: float) -> tuple[Numbers, Numbers]:
    """Return the boxes (T, 2) on a sheet of what is in front of hulls around corners (T, K, 3).

    It ends where the lines between corners go through the plane that is `near` in front.
    """
    low, high = np.full((2, len(corners), 2), np.inf)
    high = -high
    beyond = -near - corners[..., 2]  # at least 0 in front
    for one, other in itertools.combinations_with_replacement(range(corners.shape[1]), 2):
        begin, end = beyond[:, one], beyond[:, other]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where((begin >= 0) == (end >= 0), 0.0, begin / (begin - end))[:, None]
            place = corners[:, one] * (1 - share) + corners[:, other] * share
            uv = place[:, :2] / np.maximum(-place[:, 2:], near)
        there = ((begin >= 0) | (end >= 0))[:, None]
        low = np.where(there, np.fmin(low, uv - ROUNDING * np.abs(uv)), low)
        high = np.where(there, np.fmax(high, uv + ROUNDING * np.abs(uv)), high)
    return low, high


def spread(counts: Indices) -> tuple[Indices, Indices]:
    """Return 0 0 0 1 1 ... and 0 1 2 0 1 ...: each number as often as its count, and which time."""
    of = np.repeat(np.arange(len(counts)), counts)
    return of, np.arange(len(of)) - np.repeat(counts.cumsum() - counts, counts)


def met(corners: Numbers, uv: Numbers, *, parallel: bool) -> Numbers:
    """Return at which depth (K,) rays meet their triangles (K, 3, 3); NaN where they miss them."""
    ones = np.ones(len(uv))
    if parallel:
        start = np.stack([uv[:, 0], uv[:, 1], 0 * ones], axis=1)
        along = np.stack([0 * ones, 0 * ones, -ones], axis=1)
    else:
        start, along = np.zeros((len(uv), 3)), np.stack([uv[:, 0], uv[:, 1], -ones], axis=1)
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(along, two)
    scale = (one * across).sum(axis=1)
    from_first = start - corners[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        v = (from_first * across).sum(axis=1) / scale
        turned = np.cross(from_first, one)
        w = (along * turned).sum(axis=1) / scale
        depth = (two * turned).sum(axis=1) / scale
    inside = (v >= -EDGE) & (w >= -EDGE) & (v + w <= 1 + EDGE)
    return np.where(inside, depth, np.nan)


def note(hits: Hits, surface: int, triangle: Indices, place: Indices, depth: Numbers) -> None:
    """Keep what is closer to what is looked for than what was met before."""
    off = hits.off(place, depth)
    order = np.lexsort((triangle, off))
    triangle, place, depth, off = triangle[order], place[order], depth[order], off[order]
    places, first = np.unique(place, return_index=True)
    closer = off[first] < hits.off(places, hits.depth[places])
    places, first = places[closer], first[closer]
    hits.depth[places] = depth[first]
    hits.surface[places] = surface
    hits.triangle[places] = triangle[first]


def weights_of(corners: Numbers, points: Numbers) -> Numbers:
    """Return the weights (N, 3) of triangles' corners (N, 3, 3) that make points (N, 3) in them."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    to = points - corners[:, 0]
    aa, ab, bb = (one * one).sum(1), (one * two).sum(1), (two * two).sum(1)
    ca, cb = (to * one).sum(1), (to * two).sum(1)
    scale = aa * bb - ab * ab
    v, w = (bb * ca - ab * cb) / scale, (aa * cb - ab * ca) / scale
    return np.stack([1 - v - w, v, w], axis=1)
