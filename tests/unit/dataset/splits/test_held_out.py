"""Colours and nouns that are held out are shown and named together in the test alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import farm.dataset
from farm.cli.main import make_app
from farm.dataset.reader import open_dataset
from farm.dataset.splits.earlier import SplitsThereError
from farm.dataset.splits.held_out import parse_pairs
from farm.dataset.splits.split import split_dataset
from farm.dataset.splits.summary import SplitSummary
from farm.dataset.spoken import pairs_said
from farm.errors import SpecError
from farm.spec.expression import Expression, Step
from tests.support.table_views import (
    BLUE_MUG,
    GREEN_BOWL,
    RED_BOWL,
    RED_MUG,
    Thing,
    nothing_like,
    the_one,
    write_table_views,
)

pytest.importorskip("imagecodecs")

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
PLAIN = (BLUE_MUG, GREEN_BOWL)


def write(folder: Path, scenes, **options) -> None:
    write_table_views(folder, scenes, passes=("mask",), size=(32, 24), **{"views": 2} | options)


def split(folder: Path, *hold_out: str, **changes) -> SplitSummary:
    options = {"shares": SHARES, "by": "group", "seed": 3} | changes
    return split_dataset(open_dataset(folder), hold_out=hold_out, **options)


def scenes_of(folder: Path, part: str) -> set[int]:
    return {view.record.view.scene for view in farm.dataset.open(folder, split=part)}


def test_whole_scenes_that_show_the_pair_are_for_testing_and_the_rest_is_split_as_ever(tmp_path):
    write(tmp_path, [(RED_MUG, GREEN_BOWL), *[PLAIN] * 8, (BLUE_MUG, RED_MUG)])

    summary = split(tmp_path, "Red  mug")

    assert scenes_of(tmp_path, "test") == {0, 9}
    assert scenes_of(tmp_path, "train") | scenes_of(tmp_path, "val") == set(range(1, 9))
    assert scenes_of(tmp_path, "val")
    assert not scenes_of(tmp_path, "train") & scenes_of(tmp_path, "val")
    assert [held.model_dump() for held in summary.held_out] == [
        {"pair": "red mug", "views": 4, "groups": 2}
    ]
    assert {group.name for group in summary.groups} == {f"scene {at}" for at in range(10)}


def test_a_view_that_only_names_the_pair_takes_its_scene_along(tmp_path):
    """A negative says `the purple mug` where none is."""

    def some_name_it(objects):
        named = nothing_like(objects, 1)
        return (named,) if objects[2].words.noun == "bowl" else (the_one(objects, 1),)

    write(tmp_path, [PLAIN, *[(BLUE_MUG, Thing("can", "red"))] * 4], sentences=some_name_it)

    split(tmp_path, "purple mug")

    assert scenes_of(tmp_path, "test") == {0}


def test_synonyms_are_the_same_thing(tmp_path):
    """A sentence may say `red cup` where a mug's words are not at hand."""

    def cups(objects):
        if objects[1].words.noun != "mug":
            return ()
        found = nothing_like(objects, 1)
        steps = tuple(
            step.model_copy(update={"value": {"mug": "cup"}.get(step.value, step.value)})
            for step in found.program
        )
        return (found.model_copy(update={"program": steps}),)

    write(tmp_path, [PLAIN, *[(Thing("can", "red"), GREEN_BOWL)] * 5], sentences=cups)

    split(tmp_path, "purple mug")

    assert scenes_of(tmp_path, "test") == {0}


def test_a_thing_whose_colour_is_not_told_here_may_have_the_one_that_is_told_elsewhere(tmp_path):
    """A mug in the shade is no colour for sure, but it is the red mug of other scenes."""
    unsure = Thing("mug", None, tint="red")
    assert unsure.asset == RED_MUG.asset
    write(tmp_path, [(RED_MUG, GREEN_BOWL), *[PLAIN] * 4, (unsure, GREEN_BOWL)])

    split(tmp_path, "red mug")

    assert scenes_of(tmp_path, "test") == {0, 5}


def test_a_pair_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    write(tmp_path, [(RED_MUG, GREEN_BOWL)] * 3)

    with pytest.raises(SpecError, match=r"blue mug: no view shows .* there are .*red mug.*mean"):
        split(tmp_path, "blue mug")
    assert not (tmp_path / "splits.json").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mug", "give a colour and a noun"),
        ("rde mug", "did you mean 'red'"),
        ("", "give a colour and a noun"),
    ],
)
def test_what_is_no_pair_is_named(text, sentence):
    with pytest.raises(SpecError, match=sentence):
        parse_pairs([text])


def test_nothing_is_left_to_train_on_where_every_scene_has_it(tmp_path):
    write(tmp_path, [(RED_MUG, GREEN_BOWL)] * 3)

    with pytest.raises(SpecError, match="each of the 3 groups"):
        split(tmp_path, "red mug")


def test_scenes_stay_whole_and_there_must_be_a_test(tmp_path):
    write(tmp_path, [(RED_MUG, GREEN_BOWL), *[PLAIN] * 3])

    with pytest.raises(SpecError, match="two splits"):
        split(tmp_path, "red mug", by="view")
    with pytest.raises(SpecError, match="--test"):
        split(tmp_path, "red mug", shares={"train": 0.9, "val": 0.1, "test": 0.0})


def test_other_pairs_are_other_splits_and_a_scene_stays_where_it_is(tmp_path):
    write(tmp_path, [(RED_MUG, GREEN_BOWL), *[PLAIN] * 4, (RED_BOWL, BLUE_MUG)])
    split(tmp_path, "red mug")

    with pytest.raises(SplitsThereError, match="red mug held out"):
        split(tmp_path, "red bowl")
    with pytest.raises(SplitsThereError):
        split(tmp_path)
    before = {part: scenes_of(tmp_path, part) for part in SHARES}
    split(tmp_path, "red mug")
    assert before == {part: scenes_of(tmp_path, part) for part in SHARES}


def test_a_scene_that_is_trained_on_is_not_moved_when_new_views_name_the_pair(tmp_path):
    write(tmp_path, [(RED_MUG, GREEN_BOWL), *[PLAIN] * 6], sentences=lambda _objects: ())
    split(tmp_path, "red mug")
    trained = min(scenes_of(tmp_path, "train"))

    def naming(objects):
        steps = the_one(objects, 1)
        red = tuple(
            step.model_copy(update={"value": "red"}) if step.op == "colour" else step
            for step in steps.program
        )
        return (steps.model_copy(update={"program": red, "targets": ()}),)

    write(tmp_path, [(RED_MUG, GREEN_BOWL), *[PLAIN] * 6], sentences=naming)

    with pytest.raises(SpecError, match=r"already in (train|val); --fresh"):
        split(tmp_path, "red mug")
    assert trained in scenes_of(tmp_path, "train")


def test_assets_of_scenes_that_share_some_are_one_and_the_remedy_is_named(tmp_path):
    write(tmp_path / "mixed", [(RED_MUG, GREEN_BOWL), (GREEN_BOWL, BLUE_MUG)])

    with pytest.raises(SpecError, match=r"link all 3.*--holdout 0\.2 and split --by objects"):
        split(tmp_path / "mixed", by="objects")


def test_scenes_drawn_apart_are_split_by_assets_with_most_of_them_for_training(tmp_path):
    many = [(RED_MUG, GREEN_BOWL), (GREEN_BOWL, BLUE_MUG), (BLUE_MUG, RED_BOWL)]
    write(tmp_path, [*many, (Thing("can", "black"), Thing("can", "white"))])
    shares = {"train": 0.8, "val": 0.0, "test": 0.2}

    for seed in range(4):
        summary = split(tmp_path, by="objects", shares=shares, seed=seed, fresh=True)

        assert [(group.linked, group.split) for group in summary.groups] in (
            [(4, "train"), (2, "test")],
            [(2, "test"), (4, "train")],
        )
        assert scenes_of(tmp_path, "train") == {0, 1, 2}
        assert scenes_of(tmp_path, "test") == {3}


def test_pairs_are_those_that_one_thing_has():
    """`the red mug left of the blue bowl` names neither a blue mug nor a red bowl."""
    steps = (
        Step(op="scene"),
        Step(op="noun", inputs=(0,), value="bowl"),
        Step(op="colour", inputs=(1,), value="blue"),
        Step(op="unique", inputs=(2,)),
        Step(op="relate", inputs=(3,), value="left"),
        Step(op="noun", inputs=(0,), value="mug"),
        Step(op="colour", inputs=(5,), value="red"),
        Step(op="both", inputs=(4, 6)),
        Step(op="not_colour", inputs=(7,), value="green"),
        Step(op="unique", inputs=(8,)),
    )
    said = pairs_said(Expression(text="x", kind="relation", level=2, program=steps, targets=(1,)))

    assert said == {("blue", "bowl"), ("red", "mug")}


def test_the_command_says_what_is_held_out(tmp_path):
    write(tmp_path, [(RED_MUG, GREEN_BOWL), *[PLAIN] * 4])

    words = ["dataset", "split", str(tmp_path), "--hold-out", "red mug"]
    done = CliRunner().invoke(make_app(), words)

    assert done.exit_code == 0, done.output
    assert "red mug: 2 views of 1 group show or name one; all are in test" in done.output
