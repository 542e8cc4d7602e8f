"""Outlines of the objects in a view, from its index pass, as short lines to draw; numpy alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from farm.dataset.reader import DatasetError, DatasetView
from farm.errors import SetupError, SpecError
from farm.spec.label import ObjectLabel

TOLERANCE_PX = 0.6
"""How far a line may be from the middles of the edges between pixels that it stands for."""
LEAST_EDGES = 6
"""Edges of pixels around what is worth a line; a pixel alone has 4."""
MOST_POINTS = 160
"""Of the outlines of one object; of more, coarser ones are drawn."""

Mask = NDArray[np.bool_]
Point = tuple[float, float]
Loop = list[Point]
"""Points (x, y) in pixels; the last one is joined to the first."""


def object_outlines(
    view: DatasetView, wanted: Collection[int], size: tuple[int, int]
) -> dict[int, list[Loop]]:
    """Return the outlines of some of a view's objects, by their places in the record.

    An object that no pixel of the index pass shows, or all where there is none, is its box.

    Args:
        view: Where they are seen.
        wanted: Places in the record's `objects`; those that are not there are passed over.
        size: (width, height) of the picture that they are drawn on, pixels.
    """
    labels = dict(enumerate(view.record.objects))
    there = sorted(at for at in set(wanted) if at in labels)
    index = read_index(view, size) if there else None
    return {at: outline_of(labels[at], index, view.record.resolution_px, size) for at in there}


def read_index(view: DatasetView, size: tuple[int, int]) -> NDArray[np.uint16] | None:
    """Return the index pass, at a smaller size if that is wanted; None where it cannot be read."""
    if "index" not in view.passes:
        return None
    try:
        index = view["index"]
    except SetupError:
        raise
    except (DatasetError, SpecError):
        return None
    rows, columns = (
        ((np.arange(min(new, old)) + 0.5) * old / min(new, old)).astype(np.intp)
        for new, old in zip(size[::-1], index.shape[:2], strict=True)
    )
    return np.asarray(index[rows[:, None], columns])


def outline_of(
    label: ObjectLabel,
    index: NDArray[np.uint16] | None,
    resolution_px: tuple[int, int],
    size: tuple[int, int],
) -> list[Loop]:
    """Return the outlines of one object."""
    if index is not None:
        loops = simple_contours(np.isin(index, label.indices))
        if loops:
            return scaled(loops, size[0] / index.shape[1], size[1] / index.shape[0])
    if label.box_px is None:
        return []
    left, top, right, bottom = label.box_px
    corners: Loop = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return scaled([corners], size[0] / resolution_px[0], size[1] / resolution_px[1])


def scaled(loops: list[Loop], across: float, down: float) -> list[Loop]:
    """Return outlines on a larger or smaller picture."""
    return [[(x * across, y * down) for x, y in loop] for loop in loops]


def widened(loops: list[Loop], by_px: float) -> list[Loop]:
    """Return outlines that are larger on all sides, about the middle of all of them."""
    if not by_px or not loops:
        return loops
    points = np.concatenate([np.array(loop) for loop in loops])
    low, high = points.min(axis=0), points.max(axis=0)
    across, down = ((high - low + 2 * by_px) / np.maximum(high - low, 1.0)).tolist()
    x0, y0 = ((low + high) / 2).tolist()
    return [[(x0 + (x - x0) * across, y0 + (y - y0) * down) for x, y in loop] for loop in loops]


def simple_contours(mask: Mask) -> list[Loop]:
    """Return the outlines of a mask, (H, W), by few points: of holes as well."""
    loops = [middles(loop) for loop in contours(mask) if len(loop) >= LEAST_EDGES]
    tolerance_px = TOLERANCE_PX
    while True:
        simple = [simplified(loop, tolerance_px) for loop in loops]
        if sum(map(len, simple)) <= max(MOST_POINTS, 4 * len(simple)):
            break
        tolerance_px *= 2
    return sorted(simple, key=len, reverse=True)[: MOST_POINTS // 4]


def middles(loop: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middles of a loop's edges: stairs of pixels become straight lines."""
    return np.asarray((loop + np.roll(loop, -1, axis=0)) / 2)


def contours(mask: Mask) -> list[NDArray[np.float64]]:
    """Return the edges between pixels that are set and others, as closed loops of points (N, 2)."""
    starts = directed_edges(mask)
    loops = []
    while starts:
        first = here = next(iter(starts))
        loop = []
        while True:
            loop.append(here)
            ends = starts[here]
            there = ends.pop()
            if not ends:
                del starts[here]
            here = there
            if here == first:
                break
        loops.append(np.array(loop, np.float64))
    return loops


def directed_edges(mask: Mask) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Return the ends of the edges that begin at each point: what is set is to their right."""
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    sides = (
        (padded[:-2, 1:-1], (0, 0), (1, 0)),
        (padded[1:-1, 2:], (1, 0), (1, 1)),
        (padded[2:, 1:-1], (1, 1), (0, 1)),
        (padded[1:-1, :-2], (0, 1), (0, 0)),
    )
    found: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for beside, (x0, y0), (x1, y1) in sides:
        for y, x in np.argwhere(inside & ~beside).tolist():
            found[x + x0, y + y0].append((x + x1, y + y1))
    return found


def simplified(loop: NDArray[np.float64], tolerance_px: float) -> Loop:
    """Return the points of a loop that keep its lines within a tolerance (Douglas and Peucker)."""
    far = int(np.argmax(((loop - loop[0]) ** 2).sum(axis=1)))
    closed = np.concatenate([loop, loop[:1]])
    kept = sorted(
        {
            0,
            far,
            *needed(closed, 0, far, tolerance_px),
            *needed(closed, far, len(loop), tolerance_px),
        }
    )
    return [(float(x), float(y)) for x, y in loop[kept]]


def needed(
    points: NDArray[np.float64], first: int, last: int, tolerance_px: float
) -> Iterator[int]:
    """Yield the places between two points that their straight line misses."""
    waiting = [(first, last)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        away = distances(points[first + 1 : last], points[first], points[last])
        at = first + 1 + int(np.argmax(away))
        if away.max() > tolerance_px:
            yield at
            waiting += [(first, at), (at, last)]


def distances(
    points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far points (N, 2) are from the line from `start` to `end`."""
    way = end - start
    length = float(np.hypot(*way))
    if length == 0.0:
        return np.asarray(np.hypot(*(points - start).T))
    across = (points - start) @ np.array([-way[1], way[0]])
    return np.asarray(np.abs(across) / length)
