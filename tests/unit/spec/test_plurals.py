"""One thing and several."""

from __future__ import annotations

import pytest

from farm.spec.plurals import plural_of, singular_of


@pytest.mark.parametrize(
    ("one", "many"),
    [("mug", "mugs"), ("box", "boxes"), ("glass", "glasses"), ("berry", "berries"),
     ("brush", "brushes"), ("toy", "toys"), ("shelf", "shelves"), ("knife", "knives"),
     ("pie", "pies"), ("vase", "vases"), ("dish", "dishes"), ("cookie", "cookies"),
     ("tomato", "tomatoes"), ("die", "dice"), ("computer mouse", "computer mice"),
     ("loaf of bread", "loaves of bread"), ("pair of scissors", "pairs of scissors"),
     ("coffee mug", "coffee mugs")],
)  # fmt: skip
def test_several_of_a_thing(one, many):
    assert plural_of(one) == many
    if " " not in one:
        assert singular_of(many) == one


@pytest.mark.parametrize("word", ["cactus", "bus", "scissors", "iris", "glass", "gas", "mug"])
def test_what_names_one_thing_stays(word):
    assert singular_of(word) == word


def test_what_has_no_other_form_stays():
    assert plural_of("scissors") == "scissors"
    assert plural_of("Knife") == "Knives"
