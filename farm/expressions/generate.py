"""Which sentences a view gets."""

from __future__ import annotations

import numpy as np

from farm.expressions.seen import SeenScene
from farm.spec.expression import Expression, ExpressionRules


def expressions_of(
    scene: SeenScene, rules: ExpressionRules, rng: np.random.Generator
) -> tuple[Expression, ...]:
    """Return sentences about a view, each proven on it."""
    del scene, rules, rng
    return ()
