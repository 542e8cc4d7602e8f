"""Sentences are read back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.expressions.generate import expressions_of
from farm.expressions.lexicon import Lexicon
from farm.expressions.meaning import (
    Between,
    Nearest,
    Ordinal,
    Relation,
    Same,
    Superlative,
    Thing,
    canonical,
    program_of,
)
from farm.expressions.parse import NotReadError, read
from farm.expressions.seen import SeenScene
from farm.spec.expression import ExpressionRules
from farm.spec.words import AssetWords
from tests.support.seen_scenes import VOCABULARY, a_thing, a_view, called, drawn_view

LEXICON = Lexicon([*VOCABULARY, called("spoon", material="wooden", hypernym="utensil")])
MUG, RED_MUG = Thing("mug"), Thing("mug", colour="red")
BOWL, CAN, BLUE_CAN = Thing("bowl"), Thing("can"), Thing("can", colour="blue")
LEFT_OF_BOWL = Thing("mug", places=(Relation("left", BOWL),))


def meant(text: str) -> Thing:
    return canonical(read(text, LEXICON).thing)


def lexicon_of(view: SeenScene) -> Lexicon:
    return Lexicon([each.words for each in view.objects if each.words])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(2, 14),
    kinds=st.integers(1, 6),
    negatives=st.sampled_from([0.0, 0.5]),
)
def test_each_sentence_is_read_back_as_its_own_program(
    seed: int, count: int, kinds: int, negatives: float
) -> None:
    view = drawn_view(np.random.default_rng(seed), count, kinds)
    lexicon = lexicon_of(view)
    rules = ExpressionRules(per_view=25, negatives=negatives)

    for each in expressions_of(view, rules, np.random.default_rng(seed)):
        reading = read(each.text, lexicon)
        assert reading.program == each.program, each.text
        assert reading.thing.plural is (len(each.targets) > 1) or each.negative, each.text
        assert [(phrase.start, phrase.end) for phrase in reading.phrases] == [
            (phrase.start, phrase.end) for phrase in each.phrases
        ], each.text


NAMES = (
    "salt and pepper shaker", "hand cream", "remote control", "first-aid kit", "glass", "bottle",
    "wine glass", "Rubik's cube", "USB stick", "box of tissues", "can of beans", "left shoe",
    "metal file", "orange", "orange juice carton", "sheep", "kit with two needles",
    "point-and-shoot camera", "pick",
    "one-way sign", "7-up can", "Dr. Pepper can", "shot glass that is cracked",
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    nouns=st.lists(st.sampled_from(NAMES), min_size=3, max_size=8),
    seed=st.integers(0, 1000),
)
def test_names_with_words_of_the_grammar_are_read_back(nouns: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    view = a_view(
        *(
            a_thing(
                at,
                called(noun, plural="sheep" if noun == "sheep" else ""),
                (0.2 * at, float(rng.uniform(-0.4, 0.4))),
                colour=str(rng.choice(["red", "orange", "green"])),
            )
            for at, noun in enumerate(nouns, start=1)
        )
    )
    lexicon = lexicon_of(view)

    for each in expressions_of(view, ExpressionRules(per_view=25), rng):
        assert read(each.text, lexicon).program == each.program, each.text


@pytest.mark.parametrize(
    "text",
    [
        "The red mug.",
        "the red mug",
        "red mug",
        "Pick up the red mug",
        "pick the red mug please",
        "Please, could you grab the red mug?",
        "Would you be so kind as to hand me the red mug?",
        "Robot, get me the red mug, thanks!",
        "Where's the red mug?",
        "Can you show me where the red mug is?",
        "I'm after the red mug.",
        "I would love to have a red mug, please.",
        "Which object is the red mug?",
        "The mug that is red.",
        "The mug which is red, please.",
        "The mug that's coloured red.",
        "Is there a red mug?",
        "I want you to reach out for the red mug.",
        "The red mug is the one I want.",
        "Could you please pass me the red mug right now",
        "Go ahead and pick up the red mug for me.",
        "GIVE ME THE RED MUG!",
    ],
)
def test_one_meaning_is_read_in_many_words(text: str) -> None:
    assert meant(text) == RED_MUG


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("the mug left of the bowl", LEFT_OF_BOWL),
        ("The mug to the left of the bowl.", LEFT_OF_BOWL),
        ("Fetch the mug that's on the left-hand side of the bowl.", LEFT_OF_BOWL),
        ("the mug sitting just to the left of the bowl", LEFT_OF_BOWL),
        ("the mug located to the left of the bowl", LEFT_OF_BOWL),
        ("the mug in front of the bowl", Thing("mug", places=(Relation("front", BOWL),))),
        ("the mug in back of the bowl", Thing("mug", places=(Relation("behind", BOWL),))),
        ("the mug standing on top of the bowl", Thing("mug", places=(Relation("on", BOWL),))),
        ("the mug inside of the bowl", Thing("mug", places=(Relation("in", BOWL),))),
        (
            "the mug between the bowl and the blue can",
            Thing("mug", places=(Between(BOWL, BLUE_CAN),)),
        ),
        (
            "the mug that is in between the blue can and the bowl",
            Thing("mug", places=(Between(BOWL, BLUE_CAN),)),
        ),
        ("the mug closest to the bowl", Thing("mug", pick=Nearest(BOWL))),
        ("the mug that is the nearest to the bowl", Thing("mug", pick=Nearest(BOWL))),
        ("the closest mug to the bowl", Thing("mug", pick=Nearest(BOWL))),
        ("the nearest red mug to the bowl", Thing("mug", colour="red", pick=Nearest(BOWL))),
        ("the smallest one among the mugs", Thing("mug", pick=Superlative("smallest"))),
        ("the largest of all the mugs", Thing("mug", pick=Superlative("largest"))),
        ("the mug that is third from left", Thing("mug", pick=Ordinal(3, "left"))),
        ("the red-colored mug", RED_MUG),
        ("the red coloured mug", RED_MUG),
        ("the mug situated left of the bowl", LEFT_OF_BOWL),
        ("the mug nearer the bowl", Thing("mug", pick=Nearest(BOWL))),
        ("the second mug from the left", Thing("mug", pick=Ordinal(2, "left"))),
        ("the mug that is second from the right", Thing("mug", pick=Ordinal(2, "right"))),
        ("the third mug counted from the back", Thing("mug", pick=Ordinal(3, "behind"))),
        ("the biggest mug", Thing("mug", pick=Superlative("largest"))),
        ("the smaller of the two mugs", Thing("mug", pick=Superlative("smallest"))),
        ("the mug furthest to the left", Thing("mug", pick=Superlative("leftmost"))),
        ("the left mug", Thing("mug", pick=Superlative("leftmost"))),
        ("the mug on the right", Thing("mug", pick=Superlative("rightmost"))),
        ("the object that isn't red", Thing(not_colour="red")),
        ("the non-red object", Thing(not_colour="red")),
        ("the object whose color is not grey", Thing(not_colour="grey")),
        ("all mugs except the red one", Thing("mug", not_colour="red", plural=True)),
        ("the gray thing", Thing(colour="grey")),
        ("the glossy item", Thing(material="shiny")),
        ("the spoon made of wood", Thing("spoon", material="wooden")),
        ("the can made out of metal", Thing("can", material="metal")),
        ("the fallen can", Thing("can", pose="lying")),
        ("the can that has tipped over", Thing("can", pose="lying")),
        ("the can standing upright", Thing("can", pose="upright")),
        ("the half-hidden can", Thing("can", hidden=True)),
        ("both mugs", Thing("mug", plural=True)),
        ("all three of the mugs", Thing("mug", plural=True)),
        ("each of the mugs", Thing("mug", plural=True)),
        ("every mug", Thing("mug", plural=True)),
        ("everything in the bowl", Thing(places=(Relation("in", BOWL),), plural=True)),
        (
            "the object that matches the colour of the bowl",
            Thing(places=(Same("colour", BOWL),)),
        ),
        (
            "the mug to the left of the bowl and behind the blue can",
            Thing("mug", places=(Relation("left", BOWL), Relation("behind", BLUE_CAN))),
        ),
        (
            "the mug to the left of the can that is behind the bowl",
            Thing(
                "mug",
                places=(Relation("left", Thing("can", places=(Relation("behind", BOWL),))),),
            ),
        ),
        ("the tape measure", Thing("tape measure")),
        ("the red scissors", Thing("scissors", colour="red")),
        ("a pair of red scissors", Thing("scissors", colour="red")),
        ("both boxes of tissues", Thing("box of tissues", plural=True)),
        ("the orange orange", Thing("orange", colour="orange")),
        ("the orange", Thing("orange")),
    ],
)
def test_phrases_are_understood(text: str, thing: Thing) -> None:
    assert meant(text) == canonical(thing)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("both mugs", 2),
        ("the three mugs", 3),
        ("all four mugs", 4),
        ("all of the mugs", None),
        ("the mug", None),
    ],
)
def test_numbers_are_read(text: str, count: int | None) -> None:
    assert read(text, LEXICON).number == count


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has 0 words"),
        ("the mug " * 41, "has 82 words"),
        ("the crimson mug", "words that are not known here: crimson"),
        ("the red teapot", "words that are not known here: teapot"),
        ("Give me the mug's lid.", "words that are not known here: mug's, lid"),
        ("Don't pick up the red mug.", "not put in a way"),
        ("Put the red mug on the bowl.", "put"),
        ("Move the red mug to the left of the bowl.", "move"),
        ("Pass me the red mug and the bowl.", "not put in a way"),
        ("The mug, not the bowl.", "not put in a way"),
        ("the red blue mug", "not put in a way"),
        ("the mug that", "not put in a way"),
        ("the second mug", "not put in a way"),
        ("the nearest mug", "not put in a way"),
        ("the two largest mugs", "not put in a way"),
        ("a mugs", "not put in a way"),
        ("Is the red mug to the left of the bowl?", "not put in a way"),
        (
            "the mug to the left of the can that is behind the bowl and in front of the apple",
            "several meanings",
        ),
    ],
)
def test_what_is_not_understood_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(NotReadError, match=reason):
        read(text, LEXICON)


def test_several_things_are_told_from_one() -> None:
    assert meant("the red mugs") == RED_MUG._replace(plural=True)
    assert meant("the red mug") != meant("the red mugs")


def test_words_that_mean_the_same_things_have_one_canonical_word() -> None:
    shared = Lexicon(
        [called("mug", "cup"), called("bowl", hypernym="dish"), called("plate", "dish")]
    )

    assert shared.canonical("cup") == shared.canonical("mug")
    assert shared.canonical("dish") != shared.canonical("bowl")


def test_unconfirmed_nouns_are_not_known() -> None:
    lexicon = Lexicon([AssetWords(noun="teapot", hypernym="vessel")])

    assert read("the vessel", lexicon).thing == Thing("vessel")
    with pytest.raises(NotReadError, match="teapot"):
        read("the teapot", lexicon)


def test_the_order_of_what_is_said_does_not_matter() -> None:
    first = meant("the mug behind the blue can and to the left of the bowl")
    second = meant("the mug to the left of the bowl and behind the blue can")

    assert program_of(first) == program_of(second)
