"""Single facts changed by chance, in records and passes: they are found."""

from __future__ import annotations

from collections import Counter

import pytest

from farm.dataset.images import decode_pass
from farm.dataset.proof.measured import USUAL
from tests.support.lies import LIES, random_lie
from tests.support.tabletop_views import KITCHEN, TRUE, make_view

pytest.importorskip("imagecodecs")
pytest.importorskip("OpenEXR")

LIES_TOLD = 60


def test_random_lies_are_found() -> None:
    record, files = make_view(0, KITCHEN, TRUE)
    arrays = {
        name: decode_pass(data, record.files[name].path, name) for name, data in files.items()
    }
    told = [each for seed in range(90) if (each := random_lie(record, arrays, USUAL, seed))]

    told = told[:LIES_TOLD]

    assert len(told) == LIES_TOLD
    assert len({each.lie for each in told}) > 0.6 * len(LIES)
    missed = [each for each in told if not each.noticed]
    assert not missed, Counter(each.lie for each in missed)
