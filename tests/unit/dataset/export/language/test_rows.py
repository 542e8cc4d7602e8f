"""`datasets` reads the rows of sentences, offline."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import farm.dataset
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from farm.spec.expression import Expression
from tests.support.sentences import BOWL, BOX, MUG, PHRASES, TWIN, mask_of, write_sentences
from tests.unit.dataset.export.pictures import iou, opened, run

TARGETS = (MUG, BOWL, BOX, TWIN)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return lambda *args, **options: datasets.load_dataset(
        *args, cache_dir=str(tmp_path / "cache"), **options
    )


def test_rows_of_jxu124_are_one_for_each_object(tmp_path: Path, load):
    write_sentences(tmp_path / "d", views=2)
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "hf-refcoco")

    rows = load(str(tmp_path / "out"), split="train")
    assert rows.column_names == [
        "sent_ids", "file_name", "ann_id", "ref_id", "image_id", "split", "sentences",
        "category_id", "raw_anns", "raw_image_info", "raw_sentences", "image_path", "bbox",
        "captions", "global_image_id", "anns_id",
    ]  # fmt: skip
    assert len(rows) == 8
    for at, row in enumerate(rows):
        view, place = dataset[at // 4], TARGETS[at % 4]
        assert row["bbox"] == list(view.record.objects[place].box_px)
        assert [each["sent"] for each in row["sentences"]] == row["captions"]
        assert row["sentences"] == json.loads(row["raw_sentences"])
        thing, image = json.loads(row["raw_anns"]), json.loads(row["raw_image_info"])
        assert thing["image_id"] == image["id"] == row["image_id"]
        left, top, width, height = thing["bbox"]
        assert row["bbox"] == [left, top, left + width, top + height]
        assert thing["area"] == mask_of(view["index"], place).sum()
        assert row["image_path"] == f"coco/train2014/{image['file_name']}"
        picture = opened((tmp_path / "out" / row["image_path"]).read_bytes())
        assert picture.shape == (image["height"], image["width"], 3)
    assert len(set(rows["ann_id"])) == len(set(rows["anns_id"])) == 8
    assert len({number for row in rows for number in row["sent_ids"]}) == 10


def test_rows_of_lmms_lab_have_their_picture(tmp_path: Path, load):
    write_sentences(tmp_path / "d", views=2)
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "lmms-eval", image_format="png")

    rows = load(str(tmp_path / "out"), split="train")
    assert rows.column_names == [
        "question_id", "image", "question", "answer", "segmentation", "bbox", "iscrowd",
        "file_name",
    ]  # fmt: skip
    assert len(set(rows["question_id"])) == len(rows) == 8
    for at, row in enumerate(rows):
        view, place = dataset[at // 4], TARGETS[at % 4]
        np.testing.assert_array_equal(np.asarray(row["image"]), view["rgb"])
        left, top, width, height = row["bbox"]  # what the evaluation makes of it
        assert [left, top, left + width, top + height] == list(view.record.objects[place].box_px)
        drawn = Image.new("1", row["image"].size)
        ImageDraw.Draw(drawn).polygon(row["segmentation"], fill=1)
        assert iou(np.asarray(drawn), mask_of(view["index"], place)) > 0.6  # edges count, too
    assert rows[0]["answer"] == ["The red mug left of the bowl.", "Hand me the leftmost mug!"]


def test_points_are_pixels_on_what_is_meant(tmp_path: Path, load):
    write_sentences(tmp_path / "d", views=2)
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "pixmo", image_format="png")

    rows = load(str(tmp_path / "out"), split="train")
    said = [(view, each) for view in dataset for each in view.record.expressions]
    assert len(rows) == len(said) == 14
    for row, (view, each) in zip(rows, said, strict=True):
        assert row["label"] == PHRASES[each.text]
        assert row["count"] == len(row["points"]) == len(each.targets)
        for point, place in zip(row["points"], each.targets, strict=True):
            assert mask_of(view["index"], place)[int(point["y"]), int(point["x"])]
        assert row["collection_method"] == "pointing"
        assert row["image_sha256"] == hashlib.sha256(view.data("rgb")).hexdigest()
    assert len(set(rows["image_url"])) == 2


def test_a_sentence_without_points_has_no_row(tmp_path: Path, load):
    more = Expression(text="the bowl", kind="attribute", level=1, program=(), targets=(BOWL,))
    write_sentences(tmp_path / "d", views=1, more=[more])

    notes = run(tmp_path / "d", tmp_path / "out", "pixmo").notes

    assert notes == ("1 sentence left out: no point of each target in the record",)
    assert len(load(str(tmp_path / "out"), split="train")) == 7


@pytest.mark.parametrize(
    ("to", "names"),
    [
        ("hf-refcoco", {"train": "train", "val": "validation", "testA": "test"}),
        ("lmms-eval", {"train": "train", "val": "val", "testA": "testA"}),
        ("pixmo", {"train": "train", "val": "val", "testA": "testA"}),
    ],
)
def test_splits_have_the_names_that_readers_know(tmp_path: Path, load, to, names):
    write_sentences(tmp_path / "d", views=6)
    shares = {"train": 0.5, "val": 0.25, "testA": 0.25}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="view", seed=0)

    summary = run(tmp_path / "d", tmp_path / "out", to)

    loaded = load(str(tmp_path / "out"))
    each = 7 if to == "pixmo" else 4
    assert {name: len(rows) for name, rows in loaded.items()} == {
        names[split]: each * views for split, views in summary.splits.items()
    }


@pytest.mark.parametrize("to", ["hf-refcoco", "lmms-eval"])
def test_views_without_a_sentence_for_the_format_have_no_rows(tmp_path: Path, load, to):
    """Also where they are the first shard, whose types readers take."""
    write_sentences(tmp_path / "d", views=4)
    lines = (tmp_path / "d/views.jsonl").read_text().splitlines()
    for at in (0, 1):
        record = json.loads(lines[at])
        record["expressions"] = record["expressions"][-2:]
        lines[at] = json.dumps(record)
    (tmp_path / "d/views.jsonl").write_text("\n".join(lines) + "\n")

    run(tmp_path / "d", tmp_path / "out", to, shard_views=2)

    assert len(load(str(tmp_path / "out"), split="train")) == 8


@pytest.mark.parametrize("to", ["hf-refcoco", "lmms-eval", "pixmo"])
def test_the_card_explains_each_column(tmp_path: Path, load, to):
    write_sentences(tmp_path / "d", views=2)

    run(tmp_path / "d", tmp_path / "out", to)

    card = (tmp_path / "out/README.md").read_text()
    rows = [line.split(" | ") for line in card.splitlines() if line.startswith("| `")]
    loaded = load(str(tmp_path / "out"), split="train")
    assert [row[0].strip("| `") for row in rows] == loaded.column_names
    assert f"| train | {len(loaded)} |" in card


def test_a_split_that_readers_cannot_name_is_refused(tmp_path: Path):
    write_sentences(tmp_path / "d", views=2)
    shares = {"train": 0.5, "train-2": 0.5}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="view", seed=0)

    with pytest.raises(SpecError, match="'train-2': pixmo allows only letters"):
        run(tmp_path / "d", tmp_path / "out", "pixmo")
