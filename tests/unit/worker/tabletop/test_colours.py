"""Which basic term is said of a colour."""

from __future__ import annotations

import numpy as np
import pytest

from farm.spec.colour_terms import PROTOTYPES
from tests.support.named_colours import XKCD
from tests.support.tabletop import COLOURS
from worker.tabletop.colours import (
    ASKED,
    SLACK,
    lab_of,
    linear_of,
    might_be_said_of,
    said_of,
    slack_of,
    term_shares,
)


def said(digits):
    return said_of(term_shares(linear_of(digits)[None]))


@pytest.mark.parametrize(
    ("linear", "lab"),
    [
        pytest.param((1.0, 1.0, 1.0), (100.0, 0.0, 0.0), id="white"),
        pytest.param((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), id="black"),
        pytest.param((1.0, 0.0, 0.0), (53.24, 80.09, 67.20), id="red"),
        pytest.param((0.0, 0.0, 1.0), (32.30, 79.19, -107.86), id="blue"),
    ],
)
def test_cielab_is_that_of_the_standard(linear, lab):
    assert lab_of(np.array(linear)) == pytest.approx(lab, abs=0.05)


@pytest.mark.parametrize(("name", "linear"), COLOURS.items())
def test_paints_that_nobody_doubts_are_said(name, linear):
    shares = term_shares(np.array([linear]))

    assert said_of(shares) == name
    assert might_be_said_of(shares) == {name}


def test_what_is_said_is_what_people_said_in_a_survey():
    asked = [(digits, term) for term, group in XKCD.items() for digits in group.split()]
    answers = [(said(digits), term) for digits, term in asked]
    given = [(answer, term) for answer, term in answers if answer]

    assert len(asked) > 130
    assert len(given) >= 0.55 * len(asked)
    assert sum(answer == term for answer, term in given) >= 0.97 * len(given)
    mights = [might_be_said_of(term_shares(linear_of(digits)[None])) for digits, _ in asked]
    assert sum(term in might for might, (_, term) in zip(mights, asked, strict=True)) >= 0.98 * len(
        asked
    )


def test_greys_are_black_grey_or_white_by_their_lightness():
    terms = [said(f"{level:02x}" * 3) for level in range(0, 256, 4)]

    assert {*terms} == {"black", "grey", "white", None}
    known = [term for term in terms if term]
    assert known == sorted(known, key=["black", "grey", "white"].index)
    assert (said("0c0c0c"), said("808080"), said("f0f0f0")) == ("black", "grey", "white")
    assert terms.count(None) < 16


@pytest.mark.parametrize(
    ("digits", "might"),
    [
        pytest.param("008080", {"blue", "green"}, id="teal"),
        pytest.param("6a5acd", {"blue", "purple"}, id="slate blue"),
        pytest.param("ff4500", {"orange", "red"}, id="orange red"),
    ],
)
def test_what_is_between_two_terms_is_called_by_neither(digits, might):
    shares = term_shares(linear_of(digits)[None])

    assert said_of(shares) is None
    assert might_be_said_of(shares) == might


@pytest.mark.parametrize(
    ("red", "blue", "white", "colour"),
    [
        pytest.param(100, 0, 0, "red", id="one colour"),
        pytest.param(60, 25, 15, "red", id="just enough"),
        pytest.param(59, 21, 20, None, id="not most of it"),
        pytest.param(70, 26, 4, None, id="too much of another"),
    ],
)
def test_a_term_is_said_of_what_is_mostly_so(red, blue, white, colour):
    paints = [COLOURS["red"]] * red + [COLOURS["blue"]] * blue + [COLOURS["white"]] * white
    shares = term_shares(np.array(paints))

    assert said_of(shares) == colour
    held = {"red": red, "blue": blue, "white": white}
    assert might_be_said_of(shares) == {term for term, count in held.items() if count >= 5}


@pytest.mark.parametrize("period", [1, 2, 7, 89, 1000, 30_000])
def test_of_a_large_thing_some_pixels_tell_the_shares_of_all(period):
    """Stripes of any width: a fifth of each period is blue."""
    stripes = (
        np.arange(60_000) % period < 0.2 * period if period > 2 else np.arange(60_000) % 5 == 0
    )
    paints = np.where(stripes[:, None], COLOURS["blue"], COLOURS["red"])
    true = stripes.mean()

    shares = term_shares(paints)

    slack = slack_of(len(paints))
    assert shares["blue"] == pytest.approx(true, abs=slack / 2)
    assert shares["red"] == pytest.approx(1 - true, abs=slack / 2)
    assert said_of(shares, slack=slack) == ("red" if true < 0.2 + slack / 2 else None)
    assert slack_of(ASKED) == 0.0


def test_what_is_near_a_limit_is_not_said_of_a_large_thing():
    shares = {"red": 0.62, "white": 0.2, "blue": 0.03}

    assert said_of(shares) == "red"
    assert said_of(shares, slack=SLACK) is None
    assert might_be_said_of(shares) == {"red", "white"}
    assert might_be_said_of(shares, slack=SLACK) == {"red", "white", "blue"}


def test_every_prototype_may_be_called_by_its_own_terms():
    for digits, terms in PROTOTYPES:
        assert set(terms) <= set(term_shares(linear_of(digits)[None])), digits
