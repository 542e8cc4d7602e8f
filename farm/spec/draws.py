"""What a named number, word or vector of a view is drawn from."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, FiniteFloat, JsonValue, model_validator

from farm.spec.base import Spec
from farm.spec.quote import quoted

MOST_NUMBERS = 1000
"""Largest vector that is drawn at once."""
MOST_CHOICES = 10_000
LARGEST_WHOLE = 2**53
"""Beyond it, JSON readers lose whole numbers."""

EXAMPLES = {
    "uniform": "{kind: uniform, low: 1, high: 5}",
    "normal": "{kind: normal, mean: 3, std: 1}",
    "whole": "{kind: whole, low: 1, high: 5}",
    "choice": "{kind: choice, values: [1, 5]}",
}

Bound = FiniteFloat | Annotated[tuple[FiniteFloat, ...], Field(max_length=MOST_NUMBERS)]
Whole = Annotated[int, Field(ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)]


class Draw(Spec):
    """Base of all that is drawn."""

    model_config = ConfigDict(allow_inf_nan=False)


class UniformDraw(Draw):
    """Anywhere between two numbers, or two vectors number by number."""

    kind: Literal["uniform"] = "uniform"
    low: Bound
    high: Bound

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        same_length(self.low, self.high, "low", "high")
        if any(low > high for low, high in zip(vector(self.low), vector(self.high), strict=True)):
            raise ValueError(f"low: {self.low} is above high, {self.high}")
        return self


class NormalDraw(Draw):
    """Around a mean, by a standard deviation."""

    kind: Literal["normal"] = "normal"
    mean: Bound
    std: Bound

    @model_validator(mode="after")
    def _has_a_width(self) -> Self:
        same_length(self.mean, self.std, "mean", "std")
        if any(width < 0 for width in vector(self.std)):
            raise ValueError(f"std: {self.std} is below 0")
        return self


class WholeDraw(Draw):
    """A whole number between two, both inclusive."""

    kind: Literal["whole"] = "whole"
    low: Whole
    high: Whole

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low: {self.low} is above high, {self.high}")
        return self


class ChoiceDraw(Draw):
    """One of some values, each as likely as the others."""

    kind: Literal["choice"] = "choice"
    values: tuple[JsonValue, ...] = Field(min_length=1, max_length=MOST_CHOICES)


DRAWS: tuple[type[Draw], ...] = (UniformDraw, NormalDraw, WholeDraw, ChoiceDraw)
KEYS_OF_KINDS = {
    each.model_fields["kind"].default: [
        name for name, field in each.model_fields.items() if field.is_required()
    ]
    for each in DRAWS
}
KEYS = {name for each in DRAWS for name in each.model_fields}


def with_its_keys(draw: Any) -> Any:
    """Return a draw that has every key of its kind; what has an unknown one, too, is told of later.

    Raises:
        ValueError: One lacks.
    """
    keys = KEYS_OF_KINDS.get(str(draw.get("kind")), ()) if isinstance(draw, dict) else ()
    lacking = [key for key in keys if key not in draw]
    if lacking and draw.keys() <= KEYS:
        said = {key: value for key, value in draw.items() if key != "kind"}
        raise ValueError(
            f"{quoted(said)} lacks {' and '.join(lacking)}: write it as {EXAMPLES[draw['kind']]}"
        )
    return draw


AnyDraw = Annotated[
    UniformDraw | NormalDraw | WholeDraw | ChoiceDraw,
    Field(discriminator="kind"),
    BeforeValidator(with_its_keys),
]


def vector(bound: Bound) -> tuple[float, ...]:
    """Return a number, or several, as several."""
    return bound if isinstance(bound, tuple) else (bound,)


def same_length(first: Bound, second: Bound, *names: str) -> None:
    """Make sure that two bounds are numbers, or vectors of one length.

    Raises:
        ValueError: They are not.
    """
    lengths = [len(each) if isinstance(each, tuple) else None for each in (first, second)]
    if lengths[0] != lengths[1]:
        raise ValueError(
            f"{' and '.join(names)}: give two numbers, or two lists of as many numbers each"
        )
