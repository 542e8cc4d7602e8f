"""A package that brings a recipe is used, or left out with a sentence; ours go on in any case."""

from importlib.metadata import EntryPoint

import pytest
from pydantic import ValidationError

from farm.errors import SpecError
from farm.expand import recipe as doors
from farm.spec import load as loading
from farm.spec import recipes
from farm.spec.job import JobSpec
from farm.spec.load import parse_spec, sentence
from farm.spec.recipe_contract import FIELDS_OF_SPECS

SPEC = """\
from typing import ClassVar, Literal
from pydantic import Field
from farm.spec.recipes.base import AssetRole, Recipe, Setup as BaseSetup
from farm.spec.view import View as BaseView
class RecipeSpec(Recipe):
    roles: ClassVar = (AssetRole("tools", "model", "tool"),)
    kind: Literal["bench"] = "bench"
    rows: int = Field(default=3, ge=1)
    look: Literal["rows", "plain"] = "plain"
class Setup(BaseSetup):
    kind: Literal["bench"] = "bench"
class View(BaseView):
    kind: Literal["bench"] = "bench"
"""

OURS = ["script", "sequence", "sod", "tabletop"]


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Return what looks for recipes where a package with this `spec` is installed."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(recipes, "BROKEN", {})

    def install(spec: str, *, name: str = "bench", parts: tuple[str, ...] = ("expand", "stage")):
        package = f"bench_{tmp_path.name.replace('-', '_')}"
        (tmp_path / package).mkdir()
        for part, text in {"__init__": "", "spec": spec, **dict.fromkeys(parts, "")}.items():
            (tmp_path / package / f"{part}.py").write_text(text)
        point = EntryPoint(name, package, recipes.ENTRY_POINTS)
        monkeypatch.setattr(recipes, "entry_points", lambda group: [point])
        monkeypatch.setattr(recipes, "RECIPES", recipes.find_recipes())
        for module in (doors, loading):  # which have it by name
            monkeypatch.setattr(module, "RECIPES", recipes.RECIPES)
        return recipes.RECIPES

    return install


def test_a_package_that_fits_is_found(load):
    assert load(SPEC)["bench"].roles[0].name == "tools"
    assert recipes.BROKEN == {}


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        ("def (", "SyntaxError"),
        ("raise SystemExit('bye')", "SystemExit('bye')"),
        (SPEC.replace("class View(", "class Sight("), ".spec has no View"),
        (SPEC.replace("(Recipe)", ""), "RecipeSpec is not made from farm.spec.recipes.base.Recipe"),
        (SPEC.replace("(BaseSetup)", ""), "Setup is not made from farm.spec.recipes.base.Setup"),
        (SPEC.replace("bench", "other"), 'lacks the line: kind: Literal["bench"] = "bench"'),
        (SPEC.replace('Literal["bench"] =', "str ="), 'lacks the line: kind: Literal["bench"]'),
        (SPEC.replace('"tools", "model"', '"tools", "mesh"'), "has the kind 'mesh', not one of"),
        (SPEC.replace('"tools"', '"passes"'), "its role 'passes' cannot be a field of a spec"),
        (SPEC.replace('"tools"', '"my tools"'), "its role 'my tools' cannot be a field of a spec"),
        (SPEC.replace('"tools"', '"hdrs"'), "its role 'hdrs' takes the kind 'model', but that of"),
        (SPEC.replace('AssetRole("tools", "model", "tool"),', '"tools",'), "is not an AssetRole"),
    ],
)  # fmt: skip
def test_a_package_that_does_not_fit_is_left_out_and_why_is_said_to_who_asks(load, spec, sentence):
    assert list(load(spec)) == OURS

    with pytest.raises(SpecError) as caught:
        parse_spec({"models": "m.obj", "hdrs": "h.exr", "recipe": {"kind": "bench"}})
    known = "'script', 'sequence', 'sod', 'tabletop'"
    told = f"recipe.kind: 'bench' is not one of {known}: the recipe 'bench' of"
    assert told in str(caught.value)
    assert sentence in str(caught.value)


def test_a_package_without_one_of_its_parts_is_left_out(load):
    assert list(load(SPEC, parts=("expand",))) == OURS
    assert "has no module stage" in recipes.BROKEN["bench"]


def test_a_package_cannot_take_the_name_of_ours(load):
    ours = recipes.RECIPES["sod"]

    assert load(SPEC.replace("bench", "sod"), name="sod")["sod"] == ours
    assert "another recipe has that name" in recipes.BROKEN["sod"]


def test_words_of_every_spec_are_known_to_whoever_looks_at_roles():
    assert set(JobSpec.model_fields) == FIELDS_OF_SPECS


def test_a_field_is_named_though_a_choice_is_called_like_it(load):
    load(SPEC)

    assert recipes.without_tags(["bench", "rows"]) == ["rows"]
    assert recipes.without_tags(["sod", "grid", "yaw"]) == ["yaw"]


def test_assets_of_a_recipe_that_is_gone_are_counted_by_their_role():
    assert recipes.word_of("hdrs") == "HDRI"
    assert recipes.word_of("backdrops") == "backdrop"
    assert recipes.word_of("floor_tiles") == "floor tile"


def test_an_expansion_that_fails_is_told_with_its_line(load, tmp_path):
    package = load(SPEC)["bench"].expansion.partition(".")[0]
    (tmp_path / package / "expand.py").write_text("\n\n1 / 0\n")
    doors.expansion_of.cache_clear()

    with pytest.raises(SpecError) as caught:
        doors.tell_apart("bench", ())

    assert "recipe 'bench': " in str(caught.value)
    assert "expand.py, line 3: ZeroDivisionError: division by zero" in str(caught.value)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), "nan"])
def test_a_recipes_numbers_are_such_that_a_job_can_hold_them(load, number):
    """JSON would have nothing in their place, which is another job."""
    bench = load(SPEC.replace("rows: int", "size: float = 1.0\n    rows: int"))["bench"]

    with pytest.raises(ValidationError, match="finite number"):
        bench.spec(size=number)


@pytest.mark.parametrize(
    ("path", "shown_by"),
    [
        (("recipe", "bench", "quux"), "`farm render --recipe bench --help`"),
        (("recipe", "sod", "grid", "quux"), "`farm spec`"),
        (("recipe", "quux"), "`farm spec`"),
    ],
)
def test_a_field_that_is_not_there_leads_to_those_of_its_recipe(load, path, shown_by):
    load(SPEC)

    said = sentence({"type": "extra_forbidden", "loc": path, "input": 1, "msg": ""})

    assert said == f"recipe.quux: is not a field; {shown_by} shows all of them"
