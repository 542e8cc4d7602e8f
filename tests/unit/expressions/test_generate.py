"""What sentences a view gets, and that they are true."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.expressions.generate import expressions_of
from farm.expressions.levels import level_of
from farm.expressions.seen import SeenObject, SeenScene
from farm.spec.expression import Expression, ExpressionKind, ExpressionRules
from farm.spec.words import AssetWords
from tests.support.plain_programs import Reader
from tests.support.seen_scenes import TABLE, a_thing, a_view, called, drawn_view

MUG = called("mug", "cup", hypernym="container")
CAN = called("can", hypernym="container")
BOWL = called("bowl", hypernym="container")
MANY = ExpressionRules(per_view=60)
TRUE_KINDS: tuple[ExpressionKind, ...] = (
    "attribute", "relation", "between", "nearest", "ordinal", "superlative", "same", "negation",
    "plural",
)  # fmt: skip


def told(view: SeenScene, rules: ExpressionRules = MANY, seed: int = 0) -> tuple[Expression, ...]:
    return expressions_of(view, rules, np.random.default_rng(seed))


def of_kinds(*kinds: ExpressionKind, per_view: int = 60) -> ExpressionRules:
    return ExpressionRules(per_view=per_view, kinds=kinds)


TWINS = tuple(a_thing(place, MUG, (x, 0.0), colour="red") for place, x in ((1, -0.2), (2, 0.2)))
VIEWS = st.builds(
    lambda seed, count, kinds: drawn_view(np.random.default_rng(seed), count, kinds),
    st.integers(0, 2**32 - 1),
    st.integers(1, 14),
    st.integers(1, 6),
)


@settings(max_examples=60, deadline=None)
@given(view=VIEWS, seed=st.integers(0, 1000))
def test_each_sentence_means_exactly_its_targets_for_strict_and_for_generous_readers(
    view: SeenScene, seed: int
) -> None:
    for each in told(view, seed=seed):
        for reader in (Reader(view, generous=True), Reader(view, generous=False, margin=0.3)):
            assert reader.reads(each.program) == frozenset(each.targets), each.text


@settings(max_examples=30, deadline=None)
@given(view=VIEWS, seed=st.integers(0, 1000))
def test_what_is_named_can_be_seen(view: SeenScene, seed: int) -> None:
    at = {each.place: each for each in view.objects}

    for each in told(view, seed=seed):
        named = {*each.targets, *(place for phrase in each.phrases for place in phrase.objects)}
        assert all(view.can_be_named(at[place]) for place in named), each.text
        assert each.boxes_px == tuple(at[place].box_px for place in each.targets)
        assert each.points_px == tuple(at[place].point_px for place in each.targets)


@settings(max_examples=30, deadline=None)
@given(view=VIEWS, seed=st.integers(0, 1000))
def test_negatives_are_true_sentences_with_one_word_changed(view: SeenScene, seed: int) -> None:
    rules = ExpressionRules(per_view=40, negatives=0.5)

    for each in told(view, rules, seed):
        assert each.negative == (each.kind == "none") == (not each.targets)
        if each.negative:
            assert each.edited
            assert each.edited_from
            assert changed_words(each.text, each.edited_from) <= longest_change(each.edited)


def changed_words(text: str, other: str) -> int:
    """Words that one text has and the other has not, of whichever has more of them."""
    one, two = (Counter(each.strip(".,?").casefold() for each in t.split()) for t in (text, other))
    return max((one - two).total(), (two - one).total())


def longest_change(edited: str) -> int:
    """Words that an edit may change: `in front of` is three, and `a` may become `an`."""
    what, _, change = edited.partition(" ")
    longest = max(len(side.split()) for side in change.split(" > "))
    return {"relation": 4, "pose": 6}.get(what, longest) + 1


@pytest.mark.parametrize("seed", range(5))
def test_a_view_gets_the_same_sentences_for_the_same_seed(seed: int) -> None:
    view = drawn_view(np.random.default_rng(seed))

    assert told(view, seed=seed) == told(view, seed=seed)
    assert told(view, seed=seed) != told(view, seed=seed + 1)


@pytest.mark.parametrize("seed", range(10))
def test_no_two_sentences_of_a_view_say_or_mean_the_same(seed: int) -> None:
    made = told(drawn_view(np.random.default_rng(seed)), ExpressionRules(per_view=200), seed)

    assert len({each.text for each in made}) == len(made)
    assert len({each.program for each in made}) == len(made)


def test_kinds_are_as_even_as_a_view_allows() -> None:
    rules = ExpressionRules(per_view=36, negatives=0.25)

    counts = Counter(
        each.kind
        for seed in range(40)
        for each in told(drawn_view(np.random.default_rng(seed), 12), rules, seed)
    )

    assert set(counts) == {*TRUE_KINDS, "none"}
    assert counts["none"] == pytest.approx(0.25 * counts.total(), rel=0.1)
    true = [counts[kind] for kind in TRUE_KINDS]
    assert max(true) < 1.2 * 3 * 40
    assert min(true) > 0.4 * 3 * 40


@pytest.mark.parametrize("kind", TRUE_KINDS)
def test_only_the_kinds_that_are_wanted_are_written(kind: ExpressionKind) -> None:
    made = [
        each
        for seed in range(5)
        for each in told(drawn_view(np.random.default_rng(seed), 12, 3), of_kinds(kind), seed)
    ]

    assert made
    assert {each.kind for each in made} == {kind}


def test_only_negatives_are_written_where_only_they_are_wanted() -> None:
    made = told(drawn_view(np.random.default_rng(1)), of_kinds("none", per_view=20))

    assert len(made) == 20
    assert {each.kind for each in made} == {"none"}


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_only_the_levels_that_are_wanted_are_written(level: int) -> None:
    rules = ExpressionRules(per_view=30, levels=(level,))

    made = [
        each
        for seed in range(5)
        for each in told(drawn_view(np.random.default_rng(seed), 12), rules, seed)
    ]

    assert made
    assert {each.level for each in made} == {level}
    assert all(level_of(each.program, each.rivals) == level for each in made)


def test_a_view_without_sentences_wanted_or_things_gets_none() -> None:
    assert told(drawn_view(np.random.default_rng(0)), ExpressionRules(per_view=0)) == ()
    assert told(a_view()) == ()


def test_twins_are_told_apart_by_how_they_lie() -> None:
    made = told(a_view(*TWINS))

    assert {each.kind for each in made} <= {"superlative", "plural", "none", "nearest"}
    assert {each.targets for each in made if each.kind == "superlative"} == {(1,), (2,)}


def test_twins_beside_something_else_are_told_apart_by_it() -> None:
    made = told(a_view(*TWINS, a_thing(3, CAN, (0.0, 0.0), colour="blue")))

    relations = [each for each in made if each.kind == "relation"]
    assert {each.targets for each in relations} >= {(1,), (2,)}
    assert {each.targets for each in made if each.kind == "attribute"} == {(3,)}


def ordinals(view: SeenScene) -> dict[str, tuple[int, ...]]:
    return {
        step.value or "": each.targets
        for each in told(view, of_kinds("ordinal", per_view=400))
        for step in each.program
        if step.op == "ordinal" and ("noun", "mug") in {(s.op, s.value) for s in each.program}
    }


def test_rows_are_counted_from_each_side() -> None:
    row = [a_thing(place, MUG, (0.15 * place, 0.0)) for place in range(1, 5)]

    found = ordinals(a_view(*row))

    assert found == {
        f"{nth} {side}": (nth if side == "left" else 5 - nth,)
        for side in ("left", "right")
        for nth in range(1, 5)
    }


def test_two_things_and_things_that_are_not_clearly_apart_are_no_row() -> None:
    pair = [a_thing(place, MUG, (0.15 * place, 0.0)) for place in (1, 2)]
    close = [a_thing(3, MUG, (0.31, 0.2))]

    assert ordinals(a_view(*pair)) == {}
    assert "1 left" not in ordinals(a_view(*pair, *close))


def test_a_row_with_one_of_which_little_is_seen_is_not_counted() -> None:
    row = [a_thing(place, MUG, (0.15 * place, 0.0)) for place in range(1, 5)]

    assert ordinals(a_view(*row[:3], replace(row[3], visible_fraction=0.1))) == {}


def targets_of(view: SeenScene, *kinds: ExpressionKind) -> set[tuple[int, ...]]:
    rules = of_kinds(*(kinds or ("attribute",)), per_view=200)
    return {each.targets for each in told(view, rules)}


RED_MUG = a_thing(1, MUG, (-0.2, 0.0), colour="red")
BLUE_CAN = a_thing(2, CAN, (0.2, 0.0), colour="blue")


def test_what_is_barely_seen_blocks_what_may_mean_it() -> None:
    barely = a_thing(3, MUG, (0.0, 0.2), colour="red", visible_fraction=0.01, area_px=1.0)

    assert targets_of(a_view(RED_MUG, BLUE_CAN)) == {(1,), (2,)}
    assert targets_of(a_view(RED_MUG, BLUE_CAN, barely)) == {(2,)}


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param({"visible_fraction": 0.39}, id="a small share"),
        pytest.param({"area_px": 199.0}, id="few pixels"),
    ],
)
def test_what_is_seen_too_little_is_never_named(seen: dict[str, float]) -> None:
    view = a_view(replace(RED_MUG, **seen), BLUE_CAN, a_thing(3, BOWL, (0.0, 0.0), colour="green"))

    for each in told(view):
        assert 1 not in each.targets
        assert all(1 not in phrase.objects for phrase in each.phrases)


def test_a_colour_that_is_not_known_blocks_all_colours() -> None:
    unknown = a_thing(3, MUG, (0.0, 0.2), colours=frozenset())

    for each in told(a_view(RED_MUG, BLUE_CAN, unknown), of_kinds("attribute")):
        assert each.targets == (2,)


def test_a_colour_that_somebody_might_say_blocks_that_colour_alone() -> None:
    pinkish = a_thing(3, MUG, (0.0, 0.2), colour="pink", colours=frozenset({"pink", "red"}))
    greenish = a_thing(3, MUG, (0.0, 0.2), colour="green")

    assert (1,) not in targets_of(a_view(RED_MUG, BLUE_CAN, pinkish))
    assert (1,) in targets_of(a_view(RED_MUG, BLUE_CAN, greenish))


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(AssetWords(noun="mug"), id="nobody has confirmed them"),
        pytest.param(None, id="there are none"),
    ],
)
def test_what_may_be_called_anything_blocks_nouns(words: AssetWords | None) -> None:
    stranger = a_thing(3, words, (0.0, 0.2), colour="red")

    made = told(a_view(RED_MUG, BLUE_CAN, stranger), of_kinds("attribute"))

    assert (1,) not in {each.targets for each in made}
    assert (2,) in {each.targets for each in made}  # it is blue, and nothing else may be


def test_what_has_no_words_is_never_named() -> None:
    made = told(a_view(RED_MUG, BLUE_CAN, a_thing(3, None, (0.0, 0.2), colour="green")))

    assert made
    assert all(3 not in each.targets for each in made)
    assert all(3 not in phrase.objects for each in made for phrase in each.phrases)


def words_in(view: SeenScene) -> str:
    return " ".join(each.text.casefold() for each in told(view, ExpressionRules(per_view=100)))


def test_unconfirmed_nouns_are_never_said_and_their_kind_is() -> None:
    teapot = AssetWords(noun="teapot", synonyms=("pot",), hypernym="vessel")

    said = words_in(a_view(RED_MUG, a_thing(2, teapot, (0.2, 0.0), colour="blue")))

    assert "pot" not in said
    assert "vessel" in said


@pytest.mark.parametrize("banned", ["mug", "mugs", "Cup", "coffee mug", "container"])
def test_what_the_surroundings_may_show_is_never_said(banned: str) -> None:
    bowl = a_thing(3, BOWL, (0.0, 0.0), colour="red")

    said = words_in(a_view(RED_MUG, bowl, BLUE_CAN, banned=frozenset({banned})))

    assert not any(word in said for word in ("mug", "cup", "container"))
    assert ("bowl" in said) is (banned != "container")
    assert "object" in said or "thing" in said


def test_a_thing_that_is_called_a_table_is_an_object() -> None:
    toy = called("toy table", hypernym="toy")

    said = words_in(a_view(RED_MUG, a_thing(2, toy, (0.2, 0.0), colour="blue")))

    assert "table" not in said
    assert "blue" in said


@pytest.mark.parametrize("noun", ["left", "object", "two", "Everything"])
def test_nouns_that_no_sentence_can_hold_are_not_said(noun: str) -> None:
    view = a_view(RED_MUG, a_thing(2, called(noun), (0.2, 0.0), colour="blue"))

    for each in told(view):
        assert "||" not in each.text
        assert {s.value for s in each.program if s.op == "noun"} <= {
            *MUG.nouns,
            "container",
            "object",
        }


def test_a_word_that_is_part_of_anothers_name_blocks_it() -> None:
    plain, travel = (
        a_thing(place, called(noun), (0.1 * place, 0.0), colour="red")
        for place, noun in ((1, "mug"), (2, "travel mug"))
    )

    assert targets_of(a_view(plain, travel, replace(BLUE_CAN, place=3))) == {(3,)}


def relations(view: SeenScene) -> set[tuple[tuple[int, ...], str, tuple[int, ...]]]:
    """(target, direction, anchor) of what is said with one relation."""
    return {
        (each.targets, steps[0], each.phrases[1].objects)
        for each in told(view, of_kinds("relation", per_view=300))
        if len(steps := [s.value or "" for s in each.program if s.op == "relate"]) == 1
    }


@pytest.mark.parametrize(
    ("at_m", "said"),
    [
        pytest.param((-0.041, 0.0), "left", id="left from 0.4 sizes on"),
        pytest.param((0.041, 0.0), "right", id="right"),
        pytest.param((0.0, -0.041), "front", id="in front"),
        pytest.param((0.0, 0.041), "behind", id="behind"),
        pytest.param((-0.039, 0.0), None, id="nearer than 0.4 sizes"),
    ],
)
def test_relations_are_said_from_a_margin_on(at_m: tuple[float, float], said: str | None) -> None:
    view = a_view(a_thing(1, MUG, at_m), a_thing(2, BOWL, (0.0, 0.0)))

    assert {way for targets, way, _ in relations(view) if targets == (1,)} == ({said} - {None})


def test_a_relation_is_not_said_where_another_might_meet_it() -> None:
    """It is 0.1 sizes to the left of the bowl: nobody can say that it is not."""
    bowl, clear = a_thing(2, BOWL, (0.0, 0.0)), a_thing(1, MUG, (-0.2, 0.0))
    doubtful = a_thing(3, MUG, (-0.01, 0.2))

    said = told(a_view(bowl, clear, doubtful), of_kinds("relation", "plural", per_view=300))

    left_of_bowl = ["scene", "bowl", "unique", "left", "mug"]
    assert said
    assert left_of_bowl not in [[step.value or step.op for step in each.program] for each in said]


def test_what_carries_a_thing_is_told_apart_from_what_it_only_touches() -> None:
    book, box = called("book"), called("box")
    below = a_thing(1, book, (0.0, 0.0), size_m=0.2, height_m=0.02)
    above = a_thing(2, MUG, (0.0, 0.0), on=frozenset({1}), height_m=0.12)
    leaning = a_thing(3, CAN, (0.2, 0.0), on=frozenset({TABLE, 4}))
    beside = a_thing(4, box, (0.3, 0.0))

    said = relations(a_view(below, above, leaning, beside))

    assert ((2,), "on", (1,)) in said
    assert not any(way == "on" and targets == (3,) for targets, way, _ in said)
    assert {way for targets, way, anchor in said if (targets, anchor) == ((2,), (1,))} == {"on"}


def test_what_lies_in_a_bowl_is_said_to() -> None:
    apple = a_thing(2, called("apple"), (0.0, 0.0), inside=frozenset({1}), on=frozenset())

    assert ((2,), "in", (1,)) in relations(a_view(a_thing(1, BOWL, (0.0, 0.0)), apple))


def superlatives(view: SeenScene) -> set[tuple[str, tuple[int, ...]]]:
    return {
        (step.value or "", each.targets)
        for each in told(view, of_kinds("superlative", per_view=300))
        for step in each.program
        if step.op == "superlative"
    }


def sized(place: int, size_m: float, x: float) -> SeenObject:
    return a_thing(place, MUG, (x, 0.0), size_m=size_m)


def test_what_rests_on_something_unseen_is_not_the_taller_one() -> None:
    low = a_thing(1, MUG, (-0.2, 0.0), height_m=0.05)
    high = a_thing(2, MUG, (0.2, 0.0), height_m=0.1)
    raised = replace(high, on=frozenset({3}))  # by a book that is wholly hidden

    assert ("tallest", (2,)) in superlatives(a_view(low, high))
    assert ("tallest", (2,)) not in superlatives(a_view(low, raised))


def test_what_rests_on_something_unseen_may_be_on_anything() -> None:
    book = called("book")
    below = a_thing(1, book, (0.0, 0.0), size_m=0.2, height_m=0.02)
    above = a_thing(2, MUG, (0.0, 0.0), on=frozenset({1}), height_m=0.12)
    other = a_thing(3, MUG, (0.05, 0.0), height_m=0.15)
    over_it = replace(other, on=frozenset({4}))  # which is wholly hidden, and may be on the book

    assert ((2,), "on", (1,)) in relations(a_view(below, above, other))
    assert ((2,), "on", (1,)) not in relations(a_view(below, above, over_it))


def test_sizes_are_said_from_a_ratio_on() -> None:
    clear = superlatives(a_view(sized(1, 0.1, -0.3), sized(2, 0.131, 0.3)))
    near = superlatives(a_view(sized(1, 0.1, -0.3), sized(2, 0.129, 0.3)))

    assert {("largest", (2,)), ("smallest", (1,)), ("tallest", (2,))} <= clear
    assert not {value for value, _ in near} & {"largest", "smallest", "tallest"}


def test_what_lies_askew_may_be_as_tall_as_its_box() -> None:
    lying = replace(sized(1, 0.1, -0.3), rise_m=0.12)

    assert ("tallest", (2,)) not in superlatives(a_view(lying, sized(2, 0.14, 0.3)))
    assert ("tallest", (2,)) in superlatives(a_view(lying, sized(2, 0.15, 0.3)))


def test_a_long_thin_thing_is_not_the_largest() -> None:
    pencil = a_thing(1, called("pencil"), (-0.3, 0.0), size_m=0.2, height_m=0.01, area_px=700.0)

    assert ("largest", (1,)) not in superlatives(a_view(pencil, sized(2, 0.12, 0.3)))


def test_the_nearest_is_said_from_a_ratio_on() -> None:
    bowl = a_thing(1, BOWL, (0.0, 0.0))
    nearer = a_thing(2, MUG, (0.2, 0.0))

    def nearest(far_m: float) -> set[tuple[int, ...]]:
        view = a_view(bowl, nearer, a_thing(3, MUG, (-far_m, 0.0)))
        return {
            each.targets
            for each in told(view, of_kinds("nearest"))
            if each.program[1].value == "mug"
        }

    assert nearest(0.27) == {(2,)}
    assert nearest(0.26) == set()


def test_between_is_said_of_what_is_well_between() -> None:
    ends = a_thing(1, BOWL, (-0.3, 0.0)), a_thing(2, CAN, (0.3, 0.0))

    assert targets_of(a_view(*ends, a_thing(3, MUG, (0.0, 0.1))), "between") == {(3,)}
    assert targets_of(a_view(*ends, a_thing(3, MUG, (0.0, 0.2))), "between") == set()
    assert targets_of(a_view(*ends, a_thing(3, MUG, (0.25, 0.0))), "between") == set()


def test_harder_words_have_higher_levels() -> None:
    view = drawn_view(np.random.default_rng(3), 12)

    levels = {
        kind: np.mean([each.level for each in told(view, of_kinds(kind, per_view=100))])
        for kind in ("attribute", "between")
    }

    assert levels["attribute"] < levels["between"]


def test_phrases_of_anchors_mean_what_they_name() -> None:
    green = a_thing(3, BOWL, (0.0, 0.0), colour="green")
    own = {"the red mug": (1,), "the blue can": (2,), "the green bowl": (3,)}

    found = {
        (phrase.objects, own[said])
        for each in told(a_view(RED_MUG, BLUE_CAN, green))
        for phrase in each.phrases
        if (said := each.text[phrase.start : phrase.end]) in own and phrase.role == "anchor"
    }

    assert found == {(place, place) for place in own.values()}


def test_things_of_one_kind_may_be_meant_by_the_same_kind() -> None:
    mugs = a_thing(1, MUG, (-0.3, 0.0), colour="red"), a_thing(2, MUG, (0.0, 0.0), colour="blue")
    bowls = [a_thing(3, words, (0.3, 0.0)) for words in (BOWL, called("plate"))]

    meant = [
        {each.targets for each in told(a_view(*mugs, other), of_kinds("same"))} for other in bowls
    ]

    assert meant == [set(), {(1,), (2,)}]


def test_the_other_red_thing_is_said_only_beside_one_that_is_red() -> None:
    """Glass may look red, but nobody says that it is."""
    box = called("box")
    red, green = (
        a_thing(place, box, at_m, colour=colour)
        for place, at_m, colour in ((1, (-0.3, 0.0), "red"), (2, (0.0, 0.3), "green"))
    )
    glass = a_thing(3, box, (0.3, 0.0), materials=frozenset({"glass"}))
    red_glass = replace(glass, colour="red", colours=frozenset({"red"}))

    texts = [
        {each.text for seed in range(4) for each in told(view, of_kinds("same"), seed)}
        for view in (a_view(red, green, glass), a_view(red, green, red_glass))
    ]

    assert any(" red " in text for text in texts[0])
    assert not any("other red" in text for text in texts[0])
    assert any("other red" in text for text in texts[1])
