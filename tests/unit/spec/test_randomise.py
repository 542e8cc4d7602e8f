"""What `randomise:` takes, and what it refuses by one sentence."""

from __future__ import annotations

import pytest

from farm.errors import SpecError
from farm.spec.draws import ChoiceDraw, NormalDraw, UniformDraw, WholeDraw
from farm.spec.load import parse_spec
from farm.spec.recipes.tabletop import TableRandomise


def randomised(value: object) -> TableRandomise:
    recipe = {"kind": "tabletop", "randomise": value}
    return parse_spec({"objects": ["things"], "recipe": recipe}).recipe.randomise


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        pytest.param("20..80", UniformDraw(low=20, high=80), id="a range"),
        pytest.param([20, 80], UniformDraw(low=20, high=80), id="a list of two"),
        pytest.param(40, UniformDraw(low=40, high=40), id="a number"),
        pytest.param("40", UniformDraw(low=40, high=40), id="a number of a flag"),
        pytest.param({"mean": 40, "std": 5}, NormalDraw(mean=40, std=5), id="a mean"),
        pytest.param({"values": [20, 40]}, ChoiceDraw(values=(20, 40)), id="values"),
        pytest.param({"low": 1, "high": 2}, UniformDraw(low=1, high=2), id="bounds"),
        pytest.param(
            {"kind": "whole", "low": 1, "high": 9}, WholeDraw(low=1, high=9), id="whole numbers"
        ),
    ],
)
def test_a_number_is_drawn_from_what_is_said_of_it(said, meant):
    assert randomised({"lights": {"power_w": said}}).lights.power_w == meant


def test_how_many_lamps_there_are_is_a_whole_number():
    assert randomised({"lights": {"count": "0..2"}}).lights.count == WholeDraw(low=0, high=2)


def test_names_stand_for_groups_as_they_are():
    assert randomised("lights, camera") == randomised({"lights": {}, "camera": None})
    everything = randomised("all")
    assert all(getattr(everything, name) is not None for name in TableRandomise.model_fields)


def test_a_field_may_be_set_over_the_names_of_a_flag():
    over = randomised({"kind": "lights,exposure", "lights": {"power_w": 7}})
    assert over.lights.power_w == UniformDraw(low=7, high=7)
    assert over.exposure == randomised("exposure").exposure


def test_what_was_read_reads_the_same_again():
    spec = randomised("all")
    assert TableRandomise.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"lights": {"power_w": "9..2"}}, "low: 9.0 is above high, 2.0"),
        ({"lights": {"kelvin": 100}}, "lights.kelvin: 100 is not within 1667..25000"),
        ({"lights": {"kelvin": "2000..30000"}}, "30000 is not within 1667..25000"),
        ({"lights": {"count": "1..2.5"}}, "lights.count: 2.5 is not a whole number"),
        ({"lights": {"power_w": [1, 2, 3]}}, "[1, 2, 3] is not a range: write it as 1..5"),
        ({"lights": {"power_w": "bright"}}, "'bright' is not a range"),
        ({"lights": {"power_w": {"values": ["a"]}}}, "'a' is not a number"),
        ({"lights": {"power_w": {"values": [True]}}}, "True is not a number"),
        ({"lights": {"power_w": {"mean": 2}}}, "{'mean': 2} lacks std"),
        ({"lights": {"power_w": {"low": [1, 2], "high": [3, 4]}}}, "[1, 2] is not a number"),
        ({"lights": {"kinds": ["sun"]}}, "'sun' is not one of 'area', 'point' or 'spot'"),
        ({"lights": {"kinds": []}}, "lights.kinds"),
        ({"materials": {"share": 3}}, "materials.share: 3 is more than 1.0"),
        ({"camera": {"elevation_deg": "20..200"}}, "200 is not within -90..90"),
        ("lights,foo", "randomise.foo: is not a field"),
        ({"lights": 3}, "lights: 3 is not a group of fields"),
    ],
)
def test_what_makes_no_sense_is_refused_by_one_sentence(said, told):
    with pytest.raises(SpecError) as refused:
        randomised(said)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("recipe", [{}, {"kind": "tabletop"}], ids=["sod", "tabletop"])
@pytest.mark.parametrize("randomise", ["lights", "all", {"exposure": {"ev": "1..2"}}], ids=str)
def test_what_a_program_wrote_down_is_read_as_it_was(recipe, randomise):
    """A job that is sent or kept must not draw what nobody asked for."""
    files = {"objects": ["o"]} if recipe else {"models": ["m"], "hdrs": ["h"]}
    spec = parse_spec({**files, "recipe": {**recipe, "randomise": randomise}})

    assert parse_spec(spec.model_dump(mode="json")) == spec
    assert type(spec).model_validate_json(spec.model_dump_json()) == spec


def test_a_group_that_is_named_and_left_blank_is_as_usual():
    spec = parse_spec({"models": ["m"], "hdrs": ["h"], "recipe": {"randomise": {"lights": None}}})

    assert spec.recipe.randomise.lights is not None
    assert spec.recipe.randomise.exposure is None


@pytest.mark.parametrize("range_", [[], "x" * 5000], ids=["empty", "endless"])
def test_what_is_not_a_range_is_told_in_short(range_):
    with pytest.raises(SpecError, match="is not a range") as caught:
        parse_spec(
            {
                "models": ["m"],
                "hdrs": ["h"],
                "recipe": {"randomise": {"exposure": {"ev": range_}}},
            }
        )

    assert len(str(caught.value)) < 400
