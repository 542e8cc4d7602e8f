"""What trainers of detectors by sentences read: ODVG's lines, MDETR's COCO, ms-swift's messages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

import farm.dataset
from farm.dataset.splits.split import split_dataset
from farm.spec.expression import Expression
from tests.support.sentences import (
    BOWL,
    BOX,
    HIDDEN,
    MUG,
    PHRASES,
    TWIN,
    mask_of,
    write_sentences,
)
from tests.unit.dataset.export.language.readers import json_lines
from tests.unit.dataset.export.pictures import opened, run

# pycocotools' own, of numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SAID = {
    "The red mug left of the bowl.": (MUG,),
    "the bowl": (BOWL,),
    "Hand me the leftmost mug!": (MUG,),
    "the box behind the post": (BOX,),
    "the mug on the right": (TWIN,),
    "the red mugs": (MUG, TWIN),
    "Is there a green mug?": (),
}
"""What each sentence means."""
HEADS = {
    "The red mug left of the bowl.": "The red mug left of",
    "the box behind the post": "the box behind",
}
"""These without words for other things."""


def test_odvg_has_a_line_for_each_sentence_with_its_boxes(tmp_path: Path):
    write_sentences(tmp_path / "d", views=2)
    dataset = farm.dataset.open(tmp_path / "d")

    summary = run(tmp_path / "d", tmp_path / "out", "odvg")

    assert summary.notes == (
        "2 sentences left out: no target, which Open-GroundingDino cannot take",
    )
    lines = json_lines(tmp_path / "out/annotations/train_grounding.jsonl")
    wanted = [(view, text, targets) for view in dataset for text, targets in SAID.items()
              if targets]  # fmt: skip
    assert len(lines) == len(wanted) == 12
    for line, (view, text, targets) in zip(lines, wanted, strict=True):
        assert line["filename"] == f"{view.name}.jpg"
        assert (line["width"], line["height"]) == (60, 40)
        said = line["grounding"]
        assert said["caption"] == text.rstrip(".!")
        boxes = [region["bbox"] for region in said["regions"]]
        assert boxes == [list(view.record.objects[place].box_px) for place in targets]
        for region in said["regions"]:
            assert region["phrase"] in said["caption"]
            assert region["phrase"] == PHRASES[text]
            ((start, end),) = region["tokens_positive"]
            assert said["caption"][start:end] == HEADS.get(text, PHRASES[text])


def test_odvg_lists_all_objects_with_labels_from_0(tmp_path: Path):
    write_sentences(tmp_path / "d", views=1)
    view = farm.dataset.open(tmp_path / "d")[0]

    run(tmp_path / "d", tmp_path / "out", "odvg")

    names = json.loads((tmp_path / "out/annotations/label_map.json").read_bytes())
    assert list(names) == [str(at) for at in range(len(names))]
    (line,) = json_lines(tmp_path / "out/annotations/train_detection.jsonl")
    seen = [label for label in view.record.objects if label.box_px]
    found = line["detection"]["instances"]
    assert [each["bbox"] for each in found] == [list(label.box_px) for label in seen]
    assert [each["category"] for each in found] == [label.category for label in seen]
    assert [names[str(each["label"])] for each in found] == [label.category for label in seen]
    assert (tmp_path / "out/images/train" / line["filename"]).is_file()


def test_odvg_validates_on_coco_with_the_same_labels(tmp_path: Path):
    write_sentences(tmp_path / "d", views=4)
    split_dataset(farm.dataset.open(tmp_path / "d"), {"train": 0.5, "val": 0.5}, by="view", seed=0)

    run(tmp_path / "d", tmp_path / "out", "odvg")

    names = json.loads((tmp_path / "out/annotations/label_map.json").read_bytes())
    coco = COCO(tmp_path / "out/annotations/instances_val.json")
    assert {str(number): each["name"] for number, each in coco.cats.items()} == names
    assert len(coco.getImgIds()) == 2
    for image in coco.imgs.values():
        lines = json_lines(tmp_path / "out/annotations/val_detection.jsonl")
        (line,) = [line for line in lines if line["filename"] == image["file_name"]]
        boxes = [each["bbox"] for each in coco.loadAnns(coco.getAnnIds(image["id"]))]
        assert boxes == [
            [left, top, right - left, bottom - top]
            for left, top, right, bottom in (
                each["bbox"] for each in line["detection"]["instances"]
            )
        ]


def test_mdetr_sees_each_sentence_as_a_picture_with_one_object(tmp_path: Path):
    write_sentences(tmp_path / "d", views=2)
    dataset = farm.dataset.open(tmp_path / "d")

    assert run(tmp_path / "d", tmp_path / "out", "mdetr").notes == ()

    coco = COCO(tmp_path / "out/annotations/finetune_refcoco_train.json")
    wanted = [(view, text, targets[0]) for view in dataset for text, targets in SAID.items()
              if len(targets) == 1]  # fmt: skip
    assert len(coco.imgs) == len(wanted) == 10
    for image, (view, text, place) in zip(coco.imgs.values(), wanted, strict=True):
        assert image["caption"] == text
        assert image["dataset_name"] == "refcoco"
        (found,) = coco.loadAnns(coco.getAnnIds(image["id"]))  # as its evaluation demands
        np.testing.assert_array_equal(coco.annToMask(found), mask_of(view["index"], place))
        ((start, end),) = found["tokens_positive"]
        assert text[start:end] == HEADS.get(text, PHRASES[text])
        for begin, stop in image["tokens_negative"]:
            assert text[begin:stop] in ("the bowl", "the post")
        picture = opened((tmp_path / "out/train2014" / image["file_name"]).read_bytes())
        assert picture.shape == (40, 60, 3)
    assert coco.imgs[next(iter(coco.imgs))]["tokens_negative"] == [[20, 28]]


def test_mdetr_for_generalized_sentences_has_all(tmp_path: Path):
    write_sentences(tmp_path / "d", views=1)
    view = farm.dataset.open(tmp_path / "d")[0]

    run(tmp_path / "d", tmp_path / "out", "mdetr")

    coco = COCO(tmp_path / "out/annotations/finetune_grefcoco_train.json")
    assert [image["caption"] for image in coco.imgs.values()] == list(SAID)
    for image in coco.imgs.values():
        found = coco.loadAnns(coco.getAnnIds(image["id"]))
        targets = SAID[image["caption"]]
        if not targets:
            (none,) = found
            assert (none["category_id"], none["bbox"], none["empty"]) == (-1, [0, 0, 0, 0], True)
            assert none["tokens_positive"] == [[9, 20]]
            continue
        for each, place in zip(found, targets, strict=True):
            assert not each["empty"]
            np.testing.assert_array_equal(coco.annToMask(each), mask_of(view["index"], place))
    one = COCO(tmp_path / "out/annotations/finetune_refcoco_train.json")
    assert not set(one.anns) & set(coco.anns)


def filled_in(line: dict) -> str:
    """What ms-swift makes of a line: each tag is replaced in turn."""
    text = "\n".join(message["content"] for message in line["messages"])
    for kind, tag in (("ref", "<ref-object>"), ("bbox", "<bbox>")):
        assert text.count(tag) == len(line["objects"][kind])
        for value in line["objects"][kind]:
            text = text.replace(tag, str(value), 1)
    assert text.count("<image>") == len(line["images"])
    return text


def test_swift_asks_for_boxes_and_points(tmp_path: Path):
    write_sentences(tmp_path / "d", views=2)
    dataset = farm.dataset.open(tmp_path / "d")

    assert run(tmp_path / "d", tmp_path / "out", "swift").notes == ()

    lines = json_lines(tmp_path / "out/train.jsonl")
    wanted = [(view, text) for view in dataset for text in SAID]
    assert len(lines) == len(wanted) == 14
    for line, (view, text) in zip(lines, wanted, strict=True):
        boxes = [list(view.record.objects[place].box_px) for place in SAID[text]]
        question, answer = filled_in(line).split("\n")
        assert question.endswith(text)
        assert answer == ("".join(map(str, boxes)) or "There is nothing like that in the picture.")
        assert line["objects"]["bbox_type"] == "real"
        (picture,) = line["images"]
        assert opened((tmp_path / "out" / picture).read_bytes()).shape == (40, 60, 3)
    points = json_lines(tmp_path / "out/train_points.jsonl")
    for line, (view, text) in zip(points, wanted, strict=True):
        filled_in(line)
        for (x, y), place in zip(line["objects"]["bbox"], SAID[text], strict=True):
            assert mask_of(view["index"], place)[int(y), int(x)]


def test_tags_of_swift_have_no_place_in_a_sentence(tmp_path: Path):
    more = Expression(text="the <image>", kind="none", level=1, program=(), targets=())
    write_sentences(tmp_path / "d", views=1, more=[more])

    summary = run(tmp_path / "d", tmp_path / "out", "swift")

    assert summary.notes == (
        "1 sentence left out: a tag of ms-swift, such as <image>, in the text",
    )


@pytest.mark.parametrize("to", ["odvg", "swift"])
def test_what_has_no_box_cannot_be_meant(tmp_path: Path, to):
    more = Expression(text="the key", kind="attribute", level=1, program=(), targets=(HIDDEN,))
    write_sentences(tmp_path / "d", views=1, more=[more])

    notes = run(tmp_path / "d", tmp_path / "out", to).notes

    assert "1 sentence left out: a target that covers no pixel's centre" in notes
