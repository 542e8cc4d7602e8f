"""A words.yaml, and what is added to it."""

from __future__ import annotations

import pytest

from farm.errors import SpecError
from farm.spec.words import AssetWords, read_words
from farm.words.guess import Guess
from farm.words.words_file import Proposal, merged


def proposals(*names, why="from its name"):
    return [
        Proposal(name, Guess(AssetWords(noun=name.split(".")[0], size_m=(0.1, 0.2)), why, True))
        for name in names
    ]


def test_a_new_file_says_what_was_proposed_and_why():
    made = merged("", proposals("mug.glb", "shelf.obj"), name="words.yaml")

    assert read_words(made.text, name="words.yaml") == made.words
    assert made.words["shelf.obj"] == AssetWords(
        noun="shelf", plural="shelves", article="a", size_m=(0.1, 0.2)
    )
    assert made.text.count("# from its name\n") == 2
    assert made.added == {"mug.glb", "shelf.obj"}
    assert "confirmed: false" in made.text


def test_what_is_there_stays_to_the_letter():
    there = "# mine\nmug.glb: {noun: beaker, confirmed: true}   # a gift\njar.obj: {noun: pot}"

    made = merged(there, proposals("mug.glb", "jar.obj", "cup.obj"), name="words.yaml")

    assert made.text.startswith(there + "\n\n# from its name\ncup.obj:\n")
    assert made.added == {"cup.obj"}
    assert made.words["mug.glb"] == AssetWords(noun="beaker", confirmed=True)
    assert made.words["jar.obj"].noun == "pot", "not confirmed, but somebody's"
    again = merged(made.text, proposals("mug.glb", "jar.obj", "cup.obj"), name="words.yaml")
    assert (again.text, again.added) == (made.text, frozenset())


@pytest.mark.parametrize(
    "there",
    [
        pytest.param("{mug.glb: {noun: beaker, confirmed: true}}\n", id="in braces"),
        pytest.param("mug.glb: {noun: beaker, confirmed: true}\n...\n", id="ended"),
        pytest.param("  mug.glb: {noun: beaker, confirmed: true}\n", id="indented"),
    ],
)
def test_where_nothing_can_be_added_the_file_is_written_anew_with_all_it_says(there):
    made = merged(there, proposals("cup.obj"), name="words.yaml")

    assert made.rewritten
    assert read_words(made.text, name="x") == made.words
    assert made.words["mug.glb"] == AssetWords(noun="beaker", confirmed=True)
    assert made.words["cup.obj"].noun == "cup"


def test_lines_of_windows_stay_so():
    there = "# mine\r\nmug.glb: {noun: beaker}\r\n"

    made = merged(there, proposals("cup.obj"), name="words.yaml")

    assert made.text.startswith(there)
    assert made.text.count("\n") == made.text.count("\r\n") > 10
    assert set(read_words(made.text, name="x")) == {"mug.glb", "cup.obj"}


def test_a_file_of_comments_alone_is_begun():
    made = merged("# soon\n", proposals("cup.obj"), name="words.yaml")

    assert made.text.startswith("# soon\n\n# from")
    assert set(made.words) == {"cup.obj"}


def test_names_of_strangers_stay_names():
    mug = Guess(AssetWords(noun="mug"), "one\ntwo: 3", True)
    names = ("a: b #c.glb", "null", "- x.obj", "été.obj", "m.obj#1a2b3c4d", "007", "no")
    odd = [Proposal(name, mug) for name in names]

    made = merged("", odd, name="words.yaml")

    assert set(read_words(made.text, name="x")) == {each.key for each in odd}
    assert "# one two: 3\n" in made.text


def test_a_file_that_is_no_such_file_is_not_touched():
    with pytest.raises(SpecError, match="it must map file names to words"):
        merged("- mug\n- cup\n", proposals("cup.obj"), name="words.yaml")
