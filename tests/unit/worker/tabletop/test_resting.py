"""What bears a weight, and how deep triangles go through each other: by numbers alone."""

from __future__ import annotations

import numpy as np
import pytest

from worker.tabletop.balance import shares
from worker.tabletop.crossings import apart
from worker.tabletop.sizes import length


def test_a_weight_between_two_supports_is_borne_by_the_nearer_one_more():
    points = np.array([(0.0, 0.0, 0.1), (1.0, 0.0, 0.1)])
    found, beside = shares(points, np.array([0.25, 0.0, 0.5]))

    assert found == pytest.approx([0.75, 0.25])
    assert beside == pytest.approx(0.0, abs=1e-9)


def test_no_point_pulls():
    """A weight outside of all that bears it hangs over the nearest side."""
    square = np.array([(x, y, 0.0) for x in (-1.0, 1.0) for y in (-1.0, 1.0)])
    found, beside = shares(square, np.array([1.4, 0.0, 1.0]))

    assert found.min() >= 0.0
    assert found.sum() == pytest.approx(1.0)
    assert beside == pytest.approx(0.4, abs=0.02)


def test_nothing_bears_what_touches_nothing():
    assert shares(np.empty((0, 3)), np.zeros(3))[1] == float("inf")


LYING = [(-1.0, -1.0, 0.0), (1.0, -1.0, 0.0), (0.0, 2.0, 0.0)]


@pytest.mark.parametrize(
    ("other", "depth"),
    [
        pytest.param([(0, 0, -0.1), (0.2, 0, 1), (-0.2, 0, 1)], 0.1, id="a-tip-through-a-face"),
        pytest.param([(0, 0, 0.1), (0.2, 0, 1), (-0.2, 0, 1)], -0.1, id="a-tip-above-it"),
        pytest.param([(-1, 0, -0.03), (1, 0, -0.03), (0, 0.3, 5)], 0.03, id="an-edge"),
    ],
)
def test_triangles_are_as_deep_in_each_other_as_one_must_move(other, depth):
    found = apart(np.array([LYING]), np.array([other], dtype=float))

    assert found == pytest.approx([depth], abs=1e-9)


def test_ridges_that_cross_are_as_deep_as_they_overlap():
    """Neither triangle's own side is the way out: that is along both edges' cross product."""
    upper = [(-1.0, 0.0, -0.02), (1.0, 0.0, -0.02), (0.0, 0.5, 1.0)]
    lower = [(0.0, -1.0, 0.0), (0.0, 1.0, 0.0), (0.5, 0.0, -1.0)]

    assert apart(np.array([upper]), np.array([lower])) == pytest.approx([0.02], abs=1e-9)


@pytest.mark.parametrize(
    ("metres", "told"), [(3.0, "3 m"), (0.12, "12 cm"), (0.0005, "0.5 mm"), (1.25, "1.25 m")]
)
def test_lengths_are_told_as_people_say_them(metres, told):
    assert length(metres) == told
