"""The flags that are made from a recipe's fields, and what their help says."""

from enum import StrEnum
from typing import ClassVar, Literal

import pytest
from pydantic import Field

from farm.cli.request import recipe_flags
from farm.errors import SpecError
from farm.spec import recipes
from farm.spec.recipes import RecipeKind
from farm.spec.recipes.base import AssetRole, Recipe, Setup
from farm.spec.view import View


class Rig(StrEnum):
    LOW = "low"
    HIGH = "high"


class Bench(Recipe):
    roles: ClassVar[tuple[AssetRole, ...]] = (
        AssetRole("tools", "model", "tool"),
        AssetRole("backdrops", "model", "backdrop", at_least=0, at_most=2),
        AssetRole("skies", "hdr", "sky", at_most=1),
    )
    kind: Literal["bench"] = "bench"
    radius: float = Field(
        default=3.0, description="Distance, e.g. 3.5 of its size. From its middle."
    )
    rig: Rig = Field(default=Rig.LOW, description="How high cameras stand.")
    eyes: tuple[Literal["left", "right"], ...] = Field(("left",), description="Which cameras.")
    lens_mm: float | None = Field(default=None, description="Focal length [mm]; left out: 50.")
    seen: bool = Field(default=True, description="Whether it is seen.")
    shifts: dict[str, float] = Field(default_factory=dict, description="By name.")


@pytest.fixture(autouse=True)
def bench(monkeypatch):
    kind = RecipeKind("bench", Bench, Setup, View, "", "")
    monkeypatch.setitem(recipes.RECIPES, "bench", kind)
    return kind


def test_help_says_what_a_field_takes_and_what_it_is_when_left_out(bench):
    told = {
        name: recipe_flags.help_of(field) for name, field in recipe_flags.fields_of(bench).items()
    }

    assert told["radius"] == "Distance, e.g. 3.5 of its size. (default: 3.0)"
    assert told["rig"] == "How high cameras stand. (one of low, high; default: low)"
    assert told["eyes"] == "Which cameras. (one of left, right; default: left)"
    assert told["lens_mm"] == "Focal length (mm); left out: 50."
    assert told["seen"] == "Whether it is seen. (default: true)"


def test_help_says_what_files_a_role_takes_and_how_many():
    tools, backdrops, skies = map(recipe_flags.help_of_role, Bench.roles)

    assert tools.endswith("each file a 3D model; may be repeated. (needed, 1 or more)")
    assert backdrops.endswith("(may be left out, 2 at most)")
    assert "each file an HDR environment" in skies
    assert skies.endswith("(needed, 1)")


def test_the_recipe_of_a_spec_file_brings_its_flags(tmp_path, bench):
    spec = tmp_path / "bench.yaml"
    spec.write_text("recipe: {kind: bench}")

    assert recipe_flags.recipe_in([str(spec), "--radius", "4"]) is bench
    assert recipe_flags.recipe_in([str(spec), "--recipe", "sod"]) is None
    spec.write_text("recipe: [")
    assert recipe_flags.recipe_in([str(spec)]) is None, "who reads it whole says what is wrong"


def test_a_recipe_that_is_not_there_is_named_even_when_help_is_asked_for():
    with pytest.raises(SpecError, match=r"--recipe: 'bunch' is not one of .*'sod', .*'bench'"):
        recipe_flags.recipe_in(["--recipe", "bunch", "--help"])


@pytest.mark.parametrize(
    ("recipe", "flag", "given", "taken"),
    [
        ("tabletop", "recipe.table_m", "0.5,,2", ["0.5", "", "2"]),
        ("sod", "recipe.elevation_range", "0, 90", ["0", "90"]),
        ("tabletop", "recipe.table_m", " ", []),
        ("sequence", "recipe.cameras", "left,,right,", ["left", "right"]),
    ],
)
def test_an_empty_number_of_a_list_is_kept_to_be_refused(recipe, flag, given, taken):
    """It may be one that got lost; an empty name means nothing."""
    assert recipe_flags.split_lists(recipes.RECIPES[recipe], {flag: given}) == {flag: taken}
