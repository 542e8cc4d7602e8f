"""Nouns that an HDRI shows, too."""

from __future__ import annotations

import pytest

from farm.spec.asset import Credit
from farm.spec.words import AssetWords
from farm.words.banned import banned_nouns, shown_by
from tests.builders import an_asset

KITCHEN = an_asset("kitchen_01_2k.hdr", kind="hdr").model_copy(
    update={
        "credit": Credit(
            name="Old Kitchen", category="indoor", tags=("Coffee Table", "mugs", "knives", "glass")
        )
    }
)


def test_an_hdri_shows_what_its_name_category_and_tags_say():
    assert shown_by(KITCHEN) >= {
        "kitchen", "old", "indoor", "coffee", "table", "coffee table", "mug", "knife", "glass",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("noun", "banned"),
    [
        pytest.param("mug", True, id="as a tag, one"),
        pytest.param("Knife", True, id="irregular, other case"),
        pytest.param("coffee mug", True, id="a kind of it"),
        pytest.param("mug tree", False, id="of another kind"),
        pytest.param("mu", False, id="part of a word"),
        pytest.param("glass", True, id="no plural, although it ends in s"),
        pytest.param("bottle", False, id="not shown"),
    ],
)
def test_a_noun_is_banned_where_the_hdri_may_show_such_a_thing(noun, banned):
    found = banned_nouns(KITCHEN, [AssetWords(noun=noun), None])

    assert (noun.casefold() in found) is banned


def test_synonyms_and_kinds_are_banned_too_and_their_plurals():
    words = AssetWords(noun="tumbler", synonyms=("glass",), hypernym="table")

    assert banned_nouns(KITCHEN, [words]) == {"glass", "glasses", "table", "tables"}


def test_without_an_hdri_all_may_be_said():
    assert banned_nouns(None, [AssetWords(noun="mug")]) == frozenset()
