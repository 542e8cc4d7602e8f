"""Values drawn from what a spec says of them."""

from __future__ import annotations

import numpy as np
from pydantic import JsonValue

from farm.spec.draws import AnyDraw, Bound, ChoiceDraw, NormalDraw, UniformDraw
from farm.spec.randomise import Within


def draw(what: AnyDraw, rng: np.random.Generator) -> JsonValue:
    """Draw one value."""
    if isinstance(what, ChoiceDraw):
        return what.values[int(rng.integers(len(what.values)))]
    if isinstance(what, UniformDraw):
        return plain(what.low, rng.uniform(what.low, what.high))
    if isinstance(what, NormalDraw):
        return plain(what.mean, rng.normal(what.mean, what.std))
    return int(rng.integers(what.low, what.high, endpoint=True))


def plain(like: Bound, numbers: object) -> JsonValue:
    """Return what was drawn as a number, or as a list where the bounds were lists."""
    array = np.asarray(numbers, dtype=float)
    return [float(each) for each in array] if isinstance(like, tuple) else float(array)


def draw_number(what: AnyDraw, within: Within, rng: np.random.Generator) -> float:
    """Draw one number that makes sense."""
    drawn = draw(what, rng)
    assert isinstance(drawn, int | float)
    return within.cut(round(drawn) if within.whole else float(drawn))
