"""Splits keep a model's views together, are the same every time, and stay as a dataset grows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import farm.dataset
from farm.dataset.reader import open_dataset
from farm.dataset.split import SplitSummary, split_dataset
from farm.dataset.splits import NoSplitError
from farm.errors import SpecError
from tests.datasets import write_dataset

pytest.importorskip("imagecodecs")

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


def split(folder: Path, **changes) -> SplitSummary:
    return split_dataset(
        open_dataset(folder), **{"shares": SHARES, "by": "model", "seed": 3} | changes
    )


def names_of(folder: Path, part: str) -> set[str]:
    return {view.key for view in farm.dataset.open(folder, split=part)}


def write(folder: Path, *, views: int, models: int, **options) -> None:
    write_dataset(folder, views=views, models=models, passes=("mask",), size=(8, 6), **options)


@pytest.mark.parametrize(("by", "count"), [("model", 10), ("hdr", 3)])
def test_no_model_or_hdr_is_in_two_splits(tmp_path, by, count):
    write(tmp_path, views=60, models=10, hdrs=3)

    summary = split(tmp_path, by=by)

    seen = {
        part: {getattr(view.record, by).content for view in farm.dataset.open(tmp_path, split=part)}
        for part in SHARES
    }
    assert all(seen.values())
    assert sum(map(len, seen.values())) == len(set().union(*seen.values())) == count
    assert sum(summary.views.values()) == 60
    if by == "model":
        assert [len(seen[part]) for part in SHARES] == [8, 1, 1]


def test_the_parts_are_the_whole_and_the_reader_finds_any_view_of_a_part(tmp_path):
    write(tmp_path, views=12, models=4)

    split(tmp_path)

    parts = [names_of(tmp_path, part) for part in SHARES]
    assert set().union(*parts) == {view.key for view in farm.dataset.open(tmp_path)}
    train = farm.dataset.open(tmp_path, split="train")
    assert len(train) == len(parts[0]) == 6
    assert [train[at].key for at in range(len(train))] == [view.key for view in train]


def test_the_same_seed_gives_the_same_splits_and_another_does_not(tmp_path):
    write(tmp_path, views=40, models=20)

    first, again = split(tmp_path), split(tmp_path, fresh=True)
    other = split(tmp_path, seed=4)

    assert first == again
    assert {g.name for g in first.groups if g.split == "train"} != {
        g.name for g in other.groups if g.split == "train"
    }


def test_a_model_stays_in_its_split_when_models_are_added(tmp_path):
    write(tmp_path, views=6, models=6)
    before = {group.name: group.split for group in split(tmp_path).groups}
    write(tmp_path, views=12, models=12)

    after = {group.name: group.split for group in split(tmp_path).groups}

    assert len(after) == 12
    assert before.items() <= after.items()


def test_a_view_split_alone_stays_when_views_are_added(tmp_path):
    write(tmp_path, views=30, models=1)
    split(tmp_path, by="view")
    before = {part: names_of(tmp_path, part) for part in SHARES}
    write(tmp_path, views=60, models=1)

    split(tmp_path, by="view")

    assert all(before[part] <= names_of(tmp_path, part) for part in SHARES)


def test_several_datasets_are_split_as_one(tmp_path):
    write(tmp_path / "a", views=6, models=3)
    write(tmp_path / "b", views=6, models=3)

    split(tmp_path)

    for part in SHARES:
        names = names_of(tmp_path, part)
        assert {name.replace("a/", "b/") for name in names} == {
            name.replace("a/", "b/") for name in names if name.startswith("b/")
        }


def test_what_makes_no_sense_is_named(tmp_path):
    write(tmp_path, views=2, models=1)

    with pytest.raises(NoSplitError, match="farm dataset split"):
        farm.dataset.open(tmp_path, split="train")
    with pytest.raises(SpecError, match=r"add up to 0\.9, not to 1"):
        split(tmp_path, shares={"train": 0.8, "val": 0.1})
    split(tmp_path)
    with pytest.raises(NoSplitError, match="has no split 'dev', but train, val, test"):
        farm.dataset.open(tmp_path, split="dev")
    (tmp_path / "splits.json").write_text(json.dumps({"by": "colour"}))
    with pytest.raises(SpecError, match="--fresh"):
        split(tmp_path)
