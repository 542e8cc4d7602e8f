"""Borders with few points still enclose what the mask shows."""

from __future__ import annotations

import numpy as np
import pytest

from farm.dataset.export.formats.language.borders import (
    MOST_NUMBERS,
    along_edges,
    along_pixels,
    text_of,
)
from tests.unit.dataset.export.language.readers import filled, is_clockwise, polygons_in
from tests.unit.dataset.export.pictures import iou, odd_masks

# pycocotools' own, of numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SIZE = (64, 48)


def a_disc(radius: float = 15.0) -> np.ndarray:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    return (x - 30) ** 2 + (y - 22) ** 2 < radius**2


@pytest.mark.parametrize("name", [name for name in odd_masks() if name != "empty"])
def test_every_step_along_the_edges_encloses_exactly_the_mask(name):
    """But for holes, which are lost."""
    mask = odd_masks()[name]

    border = along_edges(mask)

    found = filled(border.walked, SIZE)
    assert (found | ~mask).all()
    if "hole" not in name and name != "noise":
        np.testing.assert_array_equal(found, mask)
    for part in border.walked:
        steps = np.abs(np.roll(part, -1, axis=0) - part).max(axis=1)
        assert (steps <= 1).all()


@pytest.mark.parametrize("along", [along_edges, along_pixels])
@pytest.mark.parametrize("name", [name for name in odd_masks() if name != "empty"])
def test_polygons_are_as_readers_expect(name, along):
    """Few numbers, clockwise, from the point nearest to the origin on, in that order."""
    border = along(odd_masks()[name])

    for parts in (border.simple, border.walked):
        firsts = [tuple(part[0] ** 2) for part in parts]
        assert [sum(each) for each in firsts] == sorted(sum(each) for each in firsts)
        for part in parts:
            assert (part[0] ** 2).sum() == (part**2).sum(axis=1).min()
            assert (
                len(part) < 3
                or len(np.unique(part, axis=0)) < 3
                or is_clockwise(part)
                or thin(part)
            )
    assert 0 < sum(part.size for part in border.simple) <= MOST_NUMBERS


def thin(part: np.ndarray) -> bool:
    """It encloses nothing: a line that is walked there and back."""
    x, y = part.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) == 0


@pytest.mark.parametrize("mask", [a_disc(), a_disc(4.0), odd_masks()["parts"]])
def test_few_points_still_enclose_most(mask):
    assert iou(filled(along_edges(mask).simple, SIZE), mask) > 0.9


def test_a_slope_needs_no_points_for_its_steps():
    y, x = np.mgrid[:48, :64]

    (part,) = along_edges((x > y) & (y > 2) & (x < 40)).simple

    assert len(part) <= 5


def test_pixels_on_the_border_are_those_of_the_mask_that_touch_others():
    mask = a_disc()
    inside = mask.copy()
    for axis in (0, 1):
        for way in (-1, 1):
            inside &= np.roll(mask, way, axis)

    (walked,) = along_pixels(mask).walked

    found = {(int(x), int(y)) for x, y in walked}
    assert found == {(int(x), int(y)) for y, x in np.argwhere(mask & ~inside)}


def test_one_pixel_is_one_point_or_a_triangle():
    mask = np.zeros((48, 64), dtype=bool)
    mask[7, 9] = True

    assert text_of(along_pixels(mask).simple) == "9,7 "
    assert text_of(along_edges(mask).walked) == "9,7,10,7,10,8,9,8 "
    assert text_of(along_edges(mask).simple) == "9,7,10,8,9,8 "


def test_cells_end_with_a_blank():
    parts = along_edges(odd_masks()["parts"]).simple

    text = text_of(parts)

    assert text.endswith(" ")
    for found, wanted in zip(polygons_in(text), parts, strict=True):
        np.testing.assert_array_equal(found, wanted)
