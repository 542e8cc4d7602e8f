"""The sequences that tests are written against say the same in all of their labels."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

import farm.dataset
from tests.support.sequences import SEQUENCE_PASSES, write_sequences


def test_flow_leads_to_the_same_colours_where_it_can_be_trusted(tmp_path: Path):
    write_sequences(tmp_path / "d")
    views = list(farm.dataset.open(tmp_path / "d"))

    assert [view.record.view.moment.place for view in views] == [0, 1, 2, 3] * 2
    for view, other in itertools.pairwise(views[:4]):
        assert set(view.passes) == set(SEQUENCE_PASSES)
        valid = view["flow_forward_valid"] == 255
        assert 0.6 < valid.mean() < 0.95
        rows, columns = np.nonzero(valid)
        ends = np.stack([columns, rows], -1) + 0.5 + view["flow_forward"][valid]
        at = np.clip(np.floor(ends).astype(int), 0, 63)
        same = other["index"][at[:, 1], at[:, 0]] == view["index"][valid]
        assert same.mean() > 0.97  # all but at edges, where pixels are whole
        there = other["rgb"][at[:, 1], at[:, 0]][same].astype(int)
        assert np.abs(there - view["rgb"][valid][same]).mean() < 6


def test_labels_have_a_square_a_wall_and_the_sky(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1, frames=1)
    [view] = farm.dataset.open(tmp_path / "d")

    assert set(np.unique(view["index"])) == {0, 1, 2}
    assert np.isinf(view["depth"][view["index"] == 0]).all()
    np.testing.assert_allclose(view["depth"][view["index"] == 1], 5.0, rtol=1e-6)
    np.testing.assert_allclose(view["depth"][view["index"] == 2], 3.0, rtol=1e-6)
    np.testing.assert_allclose(view["normal"][32, 32], (0, 0, 1), atol=1e-6)
    assert not view["flow_backward_valid"][view["index"] == 0].any()
