"""What is measured of a thing, and what is not said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from farm.spec.words import AssetWords
from tests.support.tabletop import COLOURS
from worker.finish import PLAIN, Finish
from worker.tabletop.attributes import Colour, colour_of, materials_of, pose_of

METAL = Finish(metallic=1.0, transmission=0.0, roughness=0.1, alpha=1.0)
GLASS = Finish(metallic=0.0, transmission=1.0, roughness=0.0, alpha=1.0)
MIXED = Finish(scatters=True)
PLASTIC = Finish(metallic=0.0, transmission=0.0, roughness=0.5, alpha=1.0, scatters=True)
CLEAR = PLASTIC._replace(alpha=0.4, scatters=False)


def picture(*, paint=1, other=1, others=0):
    """A mask of all of 12 x 12 pixels, and the material of each: some columns of `other`."""
    paints = np.full((12, 12), paint, np.uint16)
    paints[:, :others] = other
    return np.ones((12, 12), bool), paints


def albedo_of(colour, edge=None):
    albedo = np.empty((12, 12, 3), np.float32)
    albedo[:] = COLOURS[edge or colour]
    albedo[1:-1, 1:-1] = COLOURS[colour]
    return albedo


@pytest.mark.parametrize("finish", [PLAIN, PLASTIC, MIXED], ids=["plain", "plastic", "mixed"])
def test_the_colour_of_what_scatters_is_said(finish):
    mask, paints = picture()

    assert colour_of(mask, albedo_of("red"), paints, [finish]) == Colour("red", frozenset({"red"}))


@pytest.mark.parametrize("finish", [METAL, GLASS, CLEAR], ids=["metal", "glass", "clear"])
def test_what_does_not_scatter_has_no_colour(finish):
    mask, paints = picture()

    assert colour_of(mask, albedo_of("black"), paints, [finish]) == Colour(None, frozenset())


def test_a_bit_of_metal_hides_no_colour_but_more_does():
    for others, known in ((2, "red"), (4, None)):
        mask, paints = picture(other=2, others=others)
        colour = colour_of(mask, albedo_of("red"), paints, [PLASTIC, METAL])
        assert colour.said == known


def test_pixels_at_the_edge_are_not_asked_for_their_colour():
    mask, paints = picture()

    assert colour_of(mask, albedo_of("red", edge="blue"), paints, [PLASTIC]).might == {"red"}


@pytest.mark.parametrize(("rows", "known"), [(3, None), (4, "red")])
def test_a_colour_takes_more_than_a_few_pixels(rows, known):
    """Of stripes, a few pixels may show only one."""
    mask, paints = picture()
    mask[rows:], mask[:, 6:] = False, False  # 4 pixels, or 8, have no edge

    assert colour_of(mask, albedo_of("red"), paints, [PLASTIC]).said == known


def test_a_thing_that_is_all_edge_has_no_colour():
    mask, paints = picture()
    mask[2:] = False

    assert colour_of(mask, albedo_of("red"), paints, [PLASTIC]) == Colour(None, frozenset())


@pytest.mark.parametrize(
    ("finish", "said"),
    [
        pytest.param(METAL, {"metal", "shiny"}, id="metal"),
        pytest.param(GLASS, {"glass", "shiny"}, id="glass"),
        pytest.param(CLEAR, {"see-through"}, id="clear"),
        pytest.param(PLASTIC, set(), id="plastic"),
    ],
)
def test_materials_are_said_by_their_numbers(finish, said):
    mask, paints = picture()

    assert materials_of(mask, paints, [finish], None) == (said, set())


def test_of_what_nodes_decide_nothing_is_known():
    mask, paints = picture()

    found = materials_of(mask, paints, [MIXED], None)

    assert found == (set(), {"metal", "glass", "shiny", "see-through"})


def test_glass_that_is_frosted_through_and_through_is_not_called_glass():
    mask, paints = picture()
    frosted = GLASS._replace(roughness=0.8)

    assert materials_of(mask, paints, [frosted], None) == (set(), {"glass"})


def test_materials_count_by_the_area_that_is_seen():
    for others, said in ((2, {"metal"}), (3, set())):
        mask, paints = picture(other=2, others=others)
        dull = METAL._replace(roughness=0.6)
        assert materials_of(mask, paints, [dull, PLASTIC], None).said == said


def test_words_for_materials_are_said_once_confirmed():
    mask, paints = picture()
    wooden = AssetWords(noun="bowl", material="wooden")
    confirmed = wooden.model_copy(update={"confirmed": True})

    assert materials_of(mask, paints, [PLASTIC], wooden).said == set()
    assert materials_of(mask, paints, [PLASTIC], confirmed).said == {"wooden"}


def tilted(degrees):
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return ((0.1, 0, 0, 0), (0, 0.1 * cos, -0.1 * sin, 0), (0, 0.1 * sin, 0.1 * cos, 0),
            (0, 0, 0, 1))  # fmt: skip


@pytest.mark.parametrize(
    ("degrees", "pose"),
    [(0, "upright"), (19, "upright"), (21, None), (69, None), (71, "lying"), (90, "lying"),
     (109, "lying"), (130, None), (180, None)],
)  # fmt: skip
def test_what_is_high_stands_or_lies_by_its_own_up(degrees, pose):
    assert pose_of(tilted(degrees), (0.07, 0.07, 0.12), AssetWords(noun="can")) == pose


@pytest.mark.parametrize(
    ("size", "words"),
    [
        pytest.param((0.1, 0.1, 0.1), AssetWords(noun="cube"), id="cube"),
        pytest.param((0.2, 0.2, 0.02), AssetWords(noun="plate"), id="plate"),
        pytest.param((0.05, 0.18, 0.04), AssetWords(noun="banana"), id="lying in its file"),
        pytest.param((0.1, 0.1, 0.2), AssetWords(noun="egg", symmetric=True), id="symmetric"),
    ],
)
def test_what_is_no_higher_than_wide_neither_stands_nor_lies(size, words):
    assert pose_of(tilted(0), size, words) is None
