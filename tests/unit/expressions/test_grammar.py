"""Sentences are plain English."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pytest

from farm.expressions.generate import expressions_of
from farm.expressions.nouns import article
from farm.spec.expression import Expression, ExpressionRules
from farm.spec.words import AssetWords
from tests.support.seen_scenes import VOCABULARY, a_thing, a_view, called, drawn_view

VIEWS, PER_VIEW = 500, 20


@pytest.fixture(scope="module")
def many() -> tuple[Expression, ...]:
    """Sentences about many views."""
    rules = ExpressionRules(per_view=PER_VIEW)
    return tuple(
        each
        for seed in range(VIEWS)
        for each in expressions_of(
            drawn_view(np.random.default_rng(seed), 6 + seed % 8, 2 + seed % 5),
            rules,
            np.random.default_rng(seed),
        )
    )


def texts(made: Iterable[Expression]) -> list[str]:
    return [each.text for each in made]


def test_there_are_ten_thousand_of_them_and_they_vary(many: tuple[Expression, ...]) -> None:
    assert len(many) >= 9_500
    assert len(set(texts(many))) > 0.9 * len(many)
    assert len({each.text.split()[0] for each in many}) > 15


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(r"  |^ | $|\|\||\n", id="spaces and bars"),
        pytest.param(r"\b(\w+) \1\b(?<!orange orange)", id="a word twice"),
        pytest.param(r"\ba (?=[aeio])", id="a before a vowel"),
        pytest.param(r"\ban (?=[^aeiou])", id="an before a consonant"),
        pytest.param(r" [,.?]|,,|\.\.", id="a space before a full stop"),
        pytest.param(r"scissorses|knifes|mugss|tissueses|box of tissueses|boxs", id="plurals"),
        pytest.param(r"\bboth (of the )?(red |green |blue )?(mug|bowl|can|apple|knife)\b",
                     id="both and one"),
        pytest.param(r"\bevery (red |green |blue )?(mugs|bowls|cans|apples|knives)\b", id="every"),
        pytest.param(r"\b(a|an|every) (\w+ )?(mugs|bowls|apples|knives|scissors)\b",
                     id="an article of one before several"),
        pytest.param(r"(mugs|bowls|cans|apples|knives|objects|ones) that is", id="verbs of one"),
        pytest.param(r"(\bmug|\bbowl|\bcan|\bapple|\bknife|\bobject|\bthing|\bone) that are\b",
                     id="verbs of several"),
        pytest.param(r"Where is (the |both )?(two |all )?(\w+ )?(mugs|bowls|apples|scissors)\b",
                     id="questions"),
        pytest.param(r"scissors (that|which) (is|isn't|has)\b", id="scissors are"),
        pytest.param(r"\bthe one\b(?! I)[.?]", id="one of nothing"),
    ],
)  # fmt: skip
def test_none_has_this_fault(many: tuple[Expression, ...], wrong: str) -> None:
    assert [text for text in texts(many) if re.search(wrong, text)] == []


def test_each_begins_with_a_capital_and_ends_as_its_kind_does(many: tuple[Expression, ...]) -> None:
    asks = re.compile(r"(Where|Which|Can|Could|Would|May|Do) ")
    for text in texts(many):
        assert text[0].isupper(), text
        assert text[-1] == ("?" if asks.match(text) else "."), text
        assert not re.search(r"[A-Z]", text[1:].replace(" I ", "").replace(" I'", "")), text


def test_phrases_are_noun_phrases_of_the_text(many: tuple[Expression, ...]) -> None:
    starts = ("the", "a", "an", "all", "both", "every", "everything")
    for each in many:
        said = [each.text[phrase.start : phrase.end] for phrase in each.phrases]
        assert [phrase.role for phrase in each.phrases].count("target") == 1, each.text
        for phrase, text in zip(each.phrases, said, strict=True):
            assert text.split()[0].casefold() in starts, (text, each.text)
            assert not text.endswith((" ", ".", ",", "?")), (text, each.text)
            assert 0 <= phrase.start < phrase.end < len(each.text)


def test_phrases_of_anchors_lie_within_that_of_the_target(many: tuple[Expression, ...]) -> None:
    for each in many:
        whole, *others = each.phrases
        assert whole.role == "target"
        for phrase in others:
            assert phrase.role == "anchor"
            assert whole.start < phrase.start < phrase.end <= whole.end


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("apple", "an"), ("mug", "a"), ("hourglass", "an"), ("hammer", "a"), ("ukulele", "a"),
        ("umbrella", "an"), ("unicorn", "a"), ("utensil", "a"), ("USB stick", "a"), ("urn", "an"),
        ("heirloom", "an"), ("orange mug", "an"), ("upright can", "an"), ("onion", "an"),
        ("one-eyed doll", "a"), ("École map", "an"), ("university mug", "a"),
    ],
)  # fmt: skip
def test_articles_go_by_how_a_word_sounds(word: str, expected: str) -> None:
    assert article(word) == expected


def said_of(*words: AssetWords, seeds: int = 20) -> str:
    view = a_view(
        *(a_thing(at, each, (0.2 * at, 0.1 * (at % 2)), colour="red" if at % 2 else "blue")
          for at, each in enumerate(words, start=1))
    )  # fmt: skip
    rules = ExpressionRules(per_view=100)
    return "\n".join(
        each.text
        for seed in range(seeds)
        for each in expressions_of(view, rules, np.random.default_rng(seed))
    )


def test_given_articles_and_plurals_are_used() -> None:
    leaf = called("leaf", plural="leaves")
    herb = called("herb", article="an")

    said = said_of(leaf, leaf, herb, herb, called("mug"))

    assert "leaves" in said
    assert "leafs" not in said
    assert not re.search(r"\ba herb\b", said)


def test_words_that_come_in_pairs_are_plural_where_one_is_meant() -> None:
    said = said_of(called("scissors", plural="scissors"), called("mug"), called("glasses"))

    assert re.search(r"are the (\w+ )?(scissors|glasses)\b", said)
    assert not re.search(r"\bis the (\w+ )?(scissors|glasses)\b", said)
    assert not re.search(r"\ba (red |blue )?(scissors|glasses)\b|both (red )?scissors", said)


def test_nobody_says_the_orange_orange() -> None:
    fruit = called("orange", hypernym="fruit")
    view = a_view(
        a_thing(1, fruit, (0.0, 0.0), colour="orange"),
        a_thing(2, fruit, (0.3, 0.0), colour="green"),
        a_thing(3, called("mug"), (0.0, 0.3), colour="orange"),
    )

    for seed in range(20):
        for each in expressions_of(view, ExpressionRules(per_view=60), np.random.default_rng(seed)):
            assert "orange orange" not in each.text


def test_a_name_keeps_its_capitals() -> None:
    said = said_of(called("Rubik's cube"), called("USB stick"), called("Dr. Pepper can"))

    assert "Rubik's cube" in said
    assert "USB stick" in said


def test_all_words_of_a_thing_are_used(many: tuple[Expression, ...]) -> None:
    said = " ".join(texts(many)).casefold()

    for words in VOCABULARY:
        for noun in (words.noun, *words.synonyms, words.hypernym or "object"):
            assert re.search(rf"\b{noun}\b", said), noun
