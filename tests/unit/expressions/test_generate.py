"""What sentences a view gets, and that they are true."""

from __future__ import annotations

import numpy as np
import pytest

from farm.expressions.generate import expressions_of
from farm.spec.expression import ExpressionRules
from tests.support.seen_scenes import drawn_view


@pytest.mark.parametrize("seed", range(5))
def test_a_view_gets_the_same_sentences_for_the_same_seed(seed: int) -> None:
    view = drawn_view(np.random.default_rng(seed))
    rules = ExpressionRules(per_view=30)

    told = [expressions_of(view, rules, np.random.default_rng(seed)) for _ in range(2)]

    assert told[0] == told[1]
    assert len(told[0]) == 30
