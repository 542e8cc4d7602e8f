"""What quality is measured by."""

from __future__ import annotations

import numpy as np
import pytest

from worker.render.quality import Error, edges_of, error_between, small_size


def test_errors_are_told_of_the_model_and_of_its_edges_apart():
    covered = np.zeros((9, 9), np.float32)
    covered[3:6, 3:6] = 1.0
    covered[4, 6] = 0.5
    one, another = np.zeros((9, 9, 3), np.float32), np.zeros((9, 9, 3), np.float32)
    another[4, 4] = 0.3  # inside, beside no edge
    another[4, 6] = 0.4  # the edge
    another[0, 0] = 1.0  # the background does not count

    found = error_between(one, another, covered)

    assert found.inside == pytest.approx((0.3**2 + 0.4**2) / 10)
    assert found.edges == pytest.approx(0.4**2 / 9)
    assert np.count_nonzero(edges_of(covered)) == 9


def test_what_is_wrong_at_few_pixels_is_told_apart():
    covered = np.ones((10, 10), np.float32)
    one, another = np.zeros((10, 10, 3), np.float32), np.full((10, 10, 3), 0.1, np.float32)
    another[:2, 0] = 1.0

    found = error_between(one, another, covered)

    assert found.inside == pytest.approx(0.02 + 0.98 * 0.01)
    assert found.common_inside == pytest.approx(0.01)
    assert found.edges == found.common_edges == 0.0


def test_an_error_exceeds_another_by_either():
    same = Error(1.0, 1.0, 1.0, 1.0)

    assert not same.exceeds(same)
    for name in Error._fields:
        assert same._replace(**{name: 1.1}).exceeds(same)
        assert not same._replace(**{name: 0.9}).exceeds(same)


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((640, 640), (192, 192)),
        ((1280, 720), (192, 108)),
        ((256, 256), (128, 128)),
        ((100, 80), (80, 64)),
        ((64, 64), (64, 64)),
        ((2000, 64), (2000, 64)),
    ],
)
def test_a_probe_is_small_and_of_the_same_shape(size, small):
    assert small_size(size) == small
