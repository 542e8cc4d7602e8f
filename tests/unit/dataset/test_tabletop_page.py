"""The page about tabletop says what its spec can say, and what it shows runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from farm.spec.expression import ExpressionKind, ExpressionRules
from farm.spec.recipes.tabletop import ROLES, Dome, RecipeSpec, TableRandomise
from tests.support.snippets import run_snippet
from tests.support.table_views import write_table_views

pytest.importorskip("imagecodecs")
PAGE = (Path(__file__).parents[3] / "docs/tabletop.md").read_text()
WORDS = re.sub(r"^```.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE)
CODE = frozenset(re.findall(r"`([^`]+)`", WORDS))


def fields_of(spec: type) -> set[str]:
    return set(spec.model_fields) - {"kind", "allow_empty_masks"}


def randomised() -> set[str]:
    """Return the fields of all groups of `randomise:`."""
    groups = TableRandomise.model_fields.values()
    kinds = [
        kind for group in groups for kind in get_args(group.annotation) if kind is not type(None)
    ]
    return {field for kind in kinds for field in fields_of(kind)}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(fields_of(RecipeSpec), id="recipe"),
        pytest.param(fields_of(Dome), id="camera"),
        pytest.param(fields_of(ExpressionRules), id="expressions"),
        pytest.param(fields_of(TableRandomise), id="randomise"),
        pytest.param(randomised(), id="groups of randomise"),
        pytest.param({role.name for role in ROLES}, id="roles"),
        pytest.param(set(get_args(ExpressionKind)), id="kinds"),
    ],
)
def test_whatever_can_be_said_is_on_the_page(names):
    assert sorted(names - CODE) == []


def test_the_snippet_prints_sentences_and_what_they_mean(tmp_path, monkeypatch, capsys):
    write_table_views(tmp_path / "tabletop", passes=("mask",), size=(24, 18), views=1)
    monkeypatch.chdir(tmp_path)

    run_snippet("docs/tabletop.md", under="Look, count, split, train")

    told = capsys.readouterr().out.splitlines()
    assert told[0] == "the red mug ['red_mug']"
    assert len(told) == 10
