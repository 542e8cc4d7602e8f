"""Names of an export stay apart, whatever the datasets are called."""

from __future__ import annotations

from pathlib import Path

import pytest

import farm.dataset
from farm.dataset.export.output_folder import OutputFolder
from farm.dataset.export.survey import look, short_labels
from farm.dataset.reader import DatasetError
from farm.dataset.split_lists import NoSplitError
from farm.errors import StorageError
from tests.support.datasets import write_dataset
from tests.unit.dataset.export.pictures import run


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


@pytest.mark.parametrize("name", ["../../out", "a/b", "..", ".hidden", "two\nlines", "nul\0"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name):
    write_dataset(tmp_path / "d", views=1, passes=("rgb", "mask"))
    record = farm.dataset.open(tmp_path / "d")[0].record
    view = record.view.model_copy(update={"name": name})
    line = record.model_copy(update={"view": view}).model_dump_json()
    (tmp_path / "d/views.jsonl").write_text(line + "\n")

    for to in ("folders", "webdataset"):
        with pytest.raises(DatasetError, match="is not a name that a view's files can have"):
            run(tmp_path / "d", tmp_path / "out/deep", to)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"views": {"../x": 1}}', '{"views": 3}'])
def test_splits_that_are_none_are_refused(tmp_path: Path, text):
    write_dataset(tmp_path / "d", views=1, passes=("rgb", "mask"))
    (tmp_path / "d/splits.json").write_text(text)

    with pytest.raises(NoSplitError, match=r"splits.json: names no splits"):
        run(tmp_path / "d", tmp_path / "out", "folders")
    with pytest.raises(NoSplitError, match=r"splits.json: names no splits"):
        farm.dataset.open(tmp_path / "d", split="train")


def test_an_outbox_writes_nothing_elsewhere(tmp_path: Path):
    outbox = OutputFolder(tmp_path / "out")
    outbox.clear()

    with pytest.raises(StorageError, match="leads out"):
        outbox.put("images/../../x.png", b"")
    with pytest.raises(StorageError, match="leads out"):
        outbox.remove("../x.png")
