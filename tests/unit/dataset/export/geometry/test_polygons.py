"""Polygons enclose exactly the pixels of a mask."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as rle

from farm.dataset.export.geometry.polygons import Polygon, joined, outlines
from tests.unit.dataset.export.pictures import odd_masks

# pycocotools' own, of numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def rasterised(polygons: list[Polygon], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if not polygons:
        return np.zeros(shape, dtype=bool)
    flat = [[side for point in polygon for side in point] for polygon in polygons]
    return rle.decode(rle.merge(rle.frPyObjects(flat, *shape))).astype(bool)


def area(polygon: Polygon) -> float:
    x, y = np.array(polygon, dtype=float).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@pytest.mark.parametrize("name", odd_masks())
def test_a_hard_mask_is_enclosed_exactly(name):
    mask = odd_masks()[name]

    parts = outlines(mask)

    np.testing.assert_array_equal(rasterised(parts, mask.shape), mask)
    assert sum(map(area, parts)) == mask.sum()
    if parts:
        np.testing.assert_array_equal(rasterised([joined(parts)], mask.shape), mask)


def test_any_mask_is_enclosed_exactly():
    rng = np.random.default_rng(0)
    for _ in range(300):
        shape = tuple(rng.integers(1, 14, size=2))
        mask = rng.random(shape) < rng.random()

        parts = outlines(mask)

        np.testing.assert_array_equal(rasterised(parts, mask.shape), mask)
        assert sum(map(area, parts)) == mask.sum()
        if parts:
            np.testing.assert_array_equal(rasterised([joined(parts)], mask.shape), mask)


def test_a_part_is_a_polygon_that_turns_at_each_point():
    mask = np.zeros((6, 8), dtype=bool)
    mask[1:4, 2:7] = True

    assert outlines(mask) == [[(2, 1), (7, 1), (7, 4), (2, 4)]]
