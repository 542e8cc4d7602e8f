"""Where in a picture a thing is seen."""

from __future__ import annotations

import numpy as np
import pytest

from worker.tabletop.pixels import deepest, inner


def mask_of(*rows):
    return np.array([[char == "#" for char in row] for row in rows])


def test_what_is_at_the_edge_of_a_thing_or_of_the_picture_is_not_within():
    mask = mask_of("###...", "#####.", "#####.", "###...")

    assert np.array_equal(inner(mask), mask_of("......", ".#....", ".#....", "......"))


def test_of_nothing_nothing_is_within():
    assert not inner(np.zeros((4, 4), bool)).any()


def depths(mask):
    """How many pixels a square around each pixel of a mask reaches before it leaves the mask."""
    found = np.zeros(mask.shape, int)
    while mask.any():
        found += mask
        padded = np.pad(mask, 1)
        height, width = mask.shape
        mask = np.all(
            [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0
        )
    return found


@pytest.mark.parametrize("seed", range(20))
def test_the_point_of_a_thing_is_as_far_from_its_edge_as_any(seed):
    rng = np.random.default_rng(seed)
    mask = np.zeros((40, 60), bool)
    for _ in range(4):
        top, left = rng.integers(0, 30), rng.integers(0, 50)
        mask[top : top + rng.integers(1, 20), left : left + rng.integers(1, 20)] = True

    u, v = deepest(mask)

    assert (u % 1, v % 1) == (0.5, 0.5)
    depth = depths(mask)
    assert depth[int(v), int(u)] == depth.max()


def test_of_several_such_points_it_is_in_the_middle():
    assert deepest(mask_of("......", ".#####", ".#####", ".#####")) == (3.5, 2.5)
    assert deepest(mask_of("...", ".#.", "...")) == (1.5, 1.5)
