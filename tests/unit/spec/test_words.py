"""What things are called, as a person writes it down."""

from __future__ import annotations

import pytest

from farm.errors import SpecError
from farm.spec.words import AssetWords, key_of, of_category, read_words, words_for


def test_words_are_read_as_they_are_written():
    [(name, words)] = read_words(
        "mug.glb: {noun: coffee mug, synonyms: 'mug; cup', size_m: [0.07, 0.15]}", name="w.yaml"
    ).items()

    assert (name, words.synonyms, words.plural_noun) == ("mug.glb", ("mug", "cup"), "coffee mugs")
    assert words.nouns == (), "nobody has confirmed it"
    assert words.model_copy(update={"confirmed": True}).nouns == ("coffee mug", "mug", "cup")


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        pytest.param("{nuon: mug}", "'nuon' is not something that is known of words: it takes noun",
                     id="unknown"),
        pytest.param("{plural: mugs}", "it has no noun: say what it is called", id="no noun"),
        pytest.param("{noun: }", "noun: it says nothing: write a word", id="empty"),
        pytest.param("{noun: no}", "noun: YAML reads it as False: put it in quotes", id="norway"),
        pytest.param("{noun: 7}", "noun: YAML reads it as 7: put it in quotes", id="number"),
        pytest.param("{noun: '7'}", "noun: '7' is not a word that a sentence can say", id="digit"),
        pytest.param("{noun: coffee_mug}", "'coffee_mug' is not a word", id="underscore"),
        pytest.param("{noun: a mug}", "begins with an article: leave it out", id="article"),
        pytest.param("{noun: '<b>'}", "is not a word that a sentence can say", id="signs"),
        pytest.param("{noun: mug, article: the}", "article: String should match", id="article of"),
        pytest.param("{noun: mug, synonyms: [cup, 3]}", "synonyms.1: YAML reads it as 3",
                     id="synonym"),
        pytest.param("{noun: mug, size_m: [0.2, 0.1]}", "is not a range of metres", id="size"),
        pytest.param("{noun: mug, confirmed: maybe}", "confirmed: Input should be a valid boolean",
                     id="confirmed"),
        pytest.param("mug", "'mug' says nothing of it: write such as {noun: mug}", id="bare"),
        pytest.param("[mug]", "says nothing of it", id="list"),
        pytest.param("", "says nothing of it", id="nothing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_and_entry(entry, sentence):
    with pytest.raises(SpecError) as caught:
        read_words(f"jar.obj: {{noun: jar}}\nmug.glb: {entry}\n", name="my/words.yaml")

    assert str(caught.value).startswith("my/words.yaml: mug.glb: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("text", ["", "- mug", "mug", "3"])
def test_a_file_of_another_shape_is_refused(text):
    with pytest.raises(SpecError, match=r"w\.yaml: is not a list of words: it must map file names"):
        read_words(text, name="w.yaml")


def test_files_of_one_name_have_words_of_their_own():
    own = key_of("model.obj", "1a2b3c4d" + "0" * 56)
    words = {own: AssetWords(noun="mug"), "model.obj": AssetWords(noun="thing")}

    assert own == "model.obj#1a2b3c4d"
    assert words_for(words, "model.obj", "1a2b3c4d" + "0" * 56).noun == "mug"
    assert words_for(words, "model.obj", "f" * 64).noun == "thing"
    assert words_for(words, "other.obj", "f" * 64) is None


@pytest.mark.parametrize(
    ("category", "noun", "hypernym"),
    [
        ("chair", "chair", "chair"),
        ("Mugs", "mug", "mug"),
        ("coffee_tables", "coffee table", "coffee table"),
        ("Bottles and Cans", "object", None),
        ("3D!", "object", None),
        ("props", "object", None),
        ("Decorative", "object", None),
        (None, "object", None),
    ],
)
def test_of_what_has_no_words_the_category_is_said(category, noun, hypernym):
    words = of_category(category)

    assert (words.noun, words.hypernym, words.confirmed) == (noun, hypernym, False)
