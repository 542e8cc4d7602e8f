"""Renders of a rectangle become whole pictures again."""

from __future__ import annotations

import numpy as np
import pytest

from worker.images.cut import FAR, Cut, Window, is_cut_off
from worker.images.multilayer import Passes

SIZE = (6, 4)
WINDOW = Window(1, 1, 4, 3)


def cut_passes() -> Passes:
    combined = np.zeros((2, 3, 4), np.float32)
    combined[0, 1] = (0.1, 0.2, 0.3, 0.5)
    layers = {
        "Combined": combined,
        "Environment": np.full((2, 3, 3), 7.0, np.float32),
        "Depth": np.full((2, 3, 1), 2.0, np.float32),
        "Object Index": np.ones((2, 3, 1), np.float32),
    }
    return Passes(layers, sample_s=1.5)


def test_what_was_not_rendered_is_empty_and_shows_what_is_behind():
    sky = np.arange(4 * 6 * 3, dtype=np.float32).reshape(4, 6, 3)

    whole = Cut(WINDOW, SIZE, lambda: sky).restore(cut_passes())

    outside = np.ones((4, 6), bool)
    outside[1:3, 1:4] = False
    assert not whole.layers["Combined"][outside].any()
    assert not whole.layers["Object Index"][outside].any()
    assert (whole.layers["Depth"][outside] == FAR).all()
    assert np.array_equal(whole.layers["Environment"][outside], sky[outside])
    assert np.array_equal(whole.layers["Combined"][1:3, 1:4], cut_passes().layers["Combined"])


def test_within_the_rectangle_only_what_nothing_covers_is_looked_up():
    sky = np.zeros((4, 6, 3), np.float32)

    environment = Cut(WINDOW, SIZE, lambda: sky).restore(cut_passes()).layers["Environment"]

    assert (environment[1, 2] == 7.0).all()  # covered by half
    assert np.count_nonzero(environment) == 3


def test_the_inside_of_labels_alone_needs_no_picture():
    whole = Cut(WINDOW, SIZE, None).restore(cut_passes())

    assert whole.layers["Environment"].sum() == 7.0 * 3 * 6
    assert whole.sample_s == 1.5


@pytest.mark.parametrize(("row", "column"), [(0, 1), (1, 1), (0, 0), (1, 2)])
def test_what_touches_a_side_of_the_rectangle_is_cut_off(row, column):
    alpha = np.zeros((2, 3), np.float32)
    alpha[row, column] = 0.01

    assert is_cut_off(alpha, WINDOW, SIZE)
    assert not is_cut_off(np.zeros_like(alpha), WINDOW, SIZE)


def test_what_reaches_the_pictures_own_sides_is_whole():
    assert not is_cut_off(np.ones((4, 6), np.float32), Window(0, 0, *SIZE), SIZE)
    assert is_cut_off(np.ones((4, 5), np.float32), Window(0, 0, 5, 4), SIZE)
