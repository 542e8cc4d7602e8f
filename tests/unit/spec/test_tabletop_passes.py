"""Passes by which sentences are proven come along with them."""

from __future__ import annotations

from farm.spec.expression import ExpressionRules
from farm.spec.job import JobSpec
from farm.spec.recipes.tabletop import RecipeSpec


def passes(recipe: RecipeSpec) -> tuple[str, ...]:
    spec = JobSpec(assets={"objects": ("things",)}, recipe=recipe, passes=("rgb", "mask", "depth"))
    return spec.passes


def test_what_proves_sentences_comes_with_them() -> None:
    assert passes(RecipeSpec()) == ("rgb", "mask", "depth", "index", "albedo")


def test_without_sentences_there_is_what_was_asked_for() -> None:
    silent = RecipeSpec(expressions=ExpressionRules(per_view=0))

    assert passes(silent) == ("rgb", "mask", "depth")
