"""What REFER's API and gRefCOCO's read of exports for them."""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

import farm.dataset
from farm.dataset.export.formats.language.plain_pickle import write_pickle
from farm.dataset.splits.split import split_dataset
from farm.spec.expression import Expression
from tests.support.sentences import (
    BOWL,
    BOX,
    HIDDEN,
    MUG,
    TABLE,
    TWIN,
    draw,
    mask_of,
    told,
    write_sentences,
)
from tests.unit.dataset.export.language.readers import GRefer, Refer
from tests.unit.dataset.export.pictures import files_of, opened, run

# pycocotools' own, of numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
PICTURES = "images/mscoco/images/train2014"


def test_each_ref_is_one_object_with_all_its_sentences(tmp_path: Path):
    write_sentences(tmp_path / "d", views=3)
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "refcoco")

    refer = Refer(tmp_path / "out")
    assert len(refer.images) == 3
    for view, image in zip(dataset, refer.images.values(), strict=True):
        refs = [ref for ref in refer.refs.values() if ref["image_id"] == image["id"]]
        said = {ref["ann_id"]: [each["raw"] for each in ref["sentences"]] for ref in refs}
        assert list(said.values()) == [
            ["The red mug left of the bowl.", "Hand me the leftmost mug!"],
            ["the bowl"],
            ["the box behind the post"],
            ["the mug on the right"],
        ]
        for ref, place in zip(refs, (MUG, BOWL, BOX, TWIN), strict=True):
            np.testing.assert_array_equal(refer.mask(ref["ann_id"]), mask_of(view["index"], place))
            label = view.record.objects[place]
            left, top, right, bottom = label.box_px
            found = refer.annotations[ref["ann_id"]]
            assert found["bbox"] == [left, top, right - left, bottom - top]
            assert found["area"] == label.area_px
            assert refer.categories[ref["category_id"]] == label.category
            assert ref["split"] == "train"
            assert ref["sent_ids"] == [each["sent_id"] for each in ref["sentences"]]
        picture = opened((tmp_path / "out" / PICTURES / image["file_name"]).read_bytes())
        assert picture.shape == (image["height"], image["width"], 3) == (40, 60, 3)
        np.testing.assert_allclose(picture, view["rgb"], atol=40)  # JPEG


def test_words_are_small_and_without_stops(tmp_path: Path):
    write_sentences(tmp_path / "d", views=1)

    run(tmp_path / "d", tmp_path / "out", "refcoco")

    first = next(iter(Refer(tmp_path / "out").refs.values()))["sentences"][0]
    assert first["raw"] == "The red mug left of the bowl."
    assert first["sent"] == "the red mug left of the bowl"
    assert first["tokens"] == ["the", "red", "mug", "left", "of", "the", "bowl"]


def test_all_objects_are_there_and_the_table_is_never_meant(tmp_path: Path):
    """What is not seen has no annotation; a part of several polygons, and one with a hole, do."""
    write_sentences(tmp_path / "d", views=1)
    view = farm.dataset.open(tmp_path / "d")[0]

    run(tmp_path / "d", tmp_path / "out", "refcoco")

    refer = Refer(tmp_path / "out")
    places = [at for at in range(len(view.record.objects)) if at != HIDDEN]
    for place, each in zip(places, refer.annotations.values(), strict=True):
        np.testing.assert_array_equal(refer.mask(each["id"]), mask_of(view["index"], place))
    assert len(list(refer.annotations.values())[BOX]["segmentation"]) == 2
    table = list(refer.annotations)[TABLE]
    assert table not in {ref["ann_id"] for ref in refer.refs.values()}
    coco = COCO(tmp_path / "out/refcoco/instances.json")
    assert len(coco.getAnnIds()) == len(places)


def test_pictures_have_the_names_that_readers_make_of_numbers(tmp_path: Path):
    write_sentences(tmp_path / "d", views=2)

    run(tmp_path / "d", tmp_path / "out", "refcoco")

    refer = Refer(tmp_path / "out")
    for ref in refer.refs.values():
        name = f"COCO_train2014_{ref['image_id']:012d}.jpg"
        assert refer.images[ref["image_id"]]["file_name"] == name
        assert "_".join(ref["file_name"].split("_")[:-1]) + ".jpg" == name
        assert (tmp_path / "out" / PICTURES / name).is_file()


def test_the_pickle_holds_plain_values_alone(tmp_path: Path):
    """Nothing is imported or called when it is read, and Python 2 can read it."""
    write_sentences(tmp_path / "d", views=2)

    run(tmp_path / "d", tmp_path / "out", "refcoco")

    data = (tmp_path / "out/refcoco/refs(unc).p").read_bytes()
    steps = [opcode for opcode, _value, _at in pickletools.genops(data)]
    assert max(step.proto for step in steps) <= 2
    assert not {"GLOBAL", "REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ"} & {s.name for s in steps}


def test_a_pickle_item_by_item_is_the_list(tmp_path: Path):
    items = [{"a": [1, 2], "b": "é"}, {"a": [], "b": {"c": -1.5, "d": None, "e": True}}, [], "x"]
    with (tmp_path / "list.p").open("wb") as file:
        write_pickle(file, iter(items))

    assert pickle.loads((tmp_path / "list.p").read_bytes()) == items


def test_ids_of_several_datasets_are_unlike(tmp_path: Path):
    write_sentences(tmp_path / "all/one", views=2)
    write_sentences(tmp_path / "all/two", views=3, size=(72, 44))

    run(tmp_path / "all", tmp_path / "out", "refcoco")

    refer = Refer(tmp_path / "out")
    assert len(refer.images) == 5
    assert len(refer.refs) == 20
    assert {image["width"] for image in refer.images.values()} == {60, 72}
    views = [image["view"] for image in refer.images.values()]
    assert views[::2] == ["one/table_0000", "two/table_0000", "two/table_0002"]
    for ref in refer.refs.values():
        found = refer.annotations[ref["ann_id"]]
        assert found["image_id"] == ref["image_id"]


@pytest.mark.parametrize(
    ("name", "makers", "test"),
    [
        ("refcoco", ["google", "unc"], "testA"),
        ("refcoco+", ["unc"], "testA"),
        ("refcocog", ["google", "umd"], "test"),
    ],
)
def test_it_may_be_called_as_readers_ask_for_it(tmp_path: Path, name, makers, test):
    write_sentences(tmp_path / "d", views=6)
    shares = {"train": 0.5, "val": 0.25, "test": 0.25}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="view", seed=0)

    summary = run(tmp_path / "d", tmp_path / "out", "refcoco", refer_name=name)

    found = sorted(path.name for path in (tmp_path / "out" / name).iterdir())
    assert found == ["instances.json", *(f"refs({by}).p" for by in makers)]
    refer = Refer(tmp_path / "out", name, makers[-1])
    for split in ("train", "val"):
        assert len(refer.of_split(split)) == 4 * summary.splits[split] > 0
    for asked in {"test", test}:
        assert len(refer.of_split(asked)) == 4 * summary.splits["test"] > 0
    assert {ref["split"] for ref in refer.refs.values()} == {"train", "val", test}
    assert not [note for note in summary.notes if "asks for the splits" in note]


def test_splits_that_readers_do_not_ask_for_are_told(tmp_path: Path):
    write_sentences(tmp_path / "d", views=4)
    shares = {"fit": 0.5, "testB": 0.5}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="view", seed=0)

    summary = run(tmp_path / "d", tmp_path / "out", "refcoco")

    assert [note for note in summary.notes if "'fit'" in note] == [
        "REFER's API asks for the splits train, val, test, testA, testB, never for 'fit'"
    ]
    assert len(Refer(tmp_path / "out").of_split("testB")) == 4 * summary.splits["testB"]


@pytest.mark.parametrize("to", ["refcoco", "grefcoco"])
def test_bars_have_no_place_in_a_sentence(tmp_path: Path, to):
    more = [told("the bowl || the dish", draw(0, (60, 40)).index, [BOWL], ["the bowl"])]
    write_sentences(tmp_path / "d", views=2, more=more)

    summary = run(tmp_path / "d", tmp_path / "out", to)

    assert "2 sentences left out: || in the text, where LISA ends a sentence" in summary.notes
    assert not [path for path, data in files_of(tmp_path / "out").items() if b"||" in data]


def test_what_covers_no_pixel_cannot_be_meant(tmp_path: Path):
    more = Expression(
        text="the key", kind="attribute", level=1, program=(), targets=(HIDDEN,),
        points_px=((1.0, 1.0),),
    )  # fmt: skip
    write_sentences(tmp_path / "d", views=1, more=[more])

    for to in ("refcoco", "grefcoco", "polyformer", "lmms-eval", "mdetr", "clevr-ref", "refgrasp"):
        notes = run(tmp_path / "d", tmp_path / to, to).notes
        assert "1 sentence left out: a target that covers no pixel's centre" in notes


def test_several_targets_and_none_are_refs_of_grefcoco(tmp_path: Path):
    write_sentences(tmp_path / "d", views=2)
    dataset = farm.dataset.open(tmp_path / "d")

    summary = run(tmp_path / "d", tmp_path / "out", "grefcoco")

    assert summary.notes == ()
    refer = GRefer(tmp_path / "out")
    for number, view in enumerate(dataset, start=1):
        refs = [ref for ref in refer.refs.values() if ref["image_id"] == number]
        said = {ref["sentences"][0]["raw"]: ref for ref in refs}
        assert len(refs) == 6
        both = said["the red mugs"]
        for mask, place in zip(refer.masks(both), (MUG, TWIN), strict=True):
            np.testing.assert_array_equal(mask, mask_of(view["index"], place))
        assert both["category_id"] == [refer.annotations[each]["category_id"]
                                       for each in both["ann_id"]]  # fmt: skip
        assert (
            said["Is there a green mug?"]["ann_id"]
            == said["Is there a green mug?"]["category_id"]
            == [-1]
        )
        assert refer.masks(said["Is there a green mug?"]) == []
        assert said["the bowl"]["ann_id"] == [
            each["id"] for each in refer.annotations.values()
            if each["image_id"] == number and refer.categories[each["category_id"]] == "bowl"
        ]  # fmt: skip
    for image in refer.images.values():
        assert (tmp_path / "out/images/train2014" / image["file_name"]).is_file()
