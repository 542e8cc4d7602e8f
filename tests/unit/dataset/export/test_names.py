"""Names of an export stay apart, whatever the datasets are called."""

from __future__ import annotations

from pathlib import Path

import farm.dataset
from farm.dataset.export.survey import look, short_labels
from tests.datasets import write_dataset


def test_labels_of_datasets_stay_apart():
    labels = short_labels(["a/b", "a-b", "a__b", "a_b", "_", "__", "Töpfe"])

    assert labels == {
        "a/b": "a-b",
        "a-b": "a-b-2",
        "a__b": "a_b",
        "a_b": "a_b-2",
        "_": "dataset",
        "__": "dataset-2",
        "Töpfe": "Töpfe",
    }


def test_one_dataset_needs_no_label():
    assert short_labels(["grid/vase_sky"]) == {"grid/vase_sky": ""}


def test_equal_names_in_several_datasets_become_different_ones(tmp_path: Path):
    for folder in ("a", "a__b", "b/a"):
        write_dataset(tmp_path / folder, views=2, passes=("mask",))
    dataset = farm.dataset.open(tmp_path)

    survey = look({"train": dataset}, "category")

    stems = [survey.stem(view) for view in dataset]
    assert len(set(stems)) == 6
    assert stems[0] == f"a__{dataset[0].name}"
    assert not any("/" in stem for stem in stems)
