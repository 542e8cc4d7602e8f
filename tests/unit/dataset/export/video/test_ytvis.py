"""YouTube-VIS and OVIS: the JSON as their API reads it, masks decoded by pycocotools."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as rle

import farm.dataset
from farm.dataset.splits.split import split_dataset
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.pictures import run

# Of pycocotools.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_tracks_are_the_objects_of_each_frame(tmp_path: Path):
    write_sequences(tmp_path / "d")
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "ytvis", classes="model")

    data = json.loads((tmp_path / "out/train/instances.json").read_text())
    classes = {each["id"]: each["name"] for each in data["categories"]}
    assert sorted(classes.values()) == ["Square", "Wall"]
    assert [each["length"] for each in data["videos"]] == [4, 4]
    for video, four in zip(data["videos"], (views[:4], views[4:]), strict=True):
        shown = tmp_path / "out/train/JPEGImages"
        for name, view in zip(video["file_names"], four, strict=True):
            with Image.open(shown / name) as file:
                assert file.size == (video["width"], video["height"]) == (64, 64)
                assert np.abs(np.asarray(file).astype(int) - view["rgb"]).mean() < 3
        tracks = [each for each in data["annotations"] if each["video_id"] == video["id"]]
        assert sorted(classes[each["category_id"]] for each in tracks) == ["Square", "Wall"]
        for track in tracks:
            assert track["avg_area"] == pytest.approx(np.mean(track["areas"]))
            value = {"Wall": 1, "Square": 2}[classes[track["category_id"]]]
            for view, segm, box, area in zip(
                four, track["segmentations"], track["bboxes"], track["areas"], strict=True
            ):
                wanted = view["index"] == value
                np.testing.assert_array_equal(rle.decode(segm).astype(bool), wanted)
                assert rle.toBbox(segm).tolist() == box
                assert area == wanted.sum()


def test_an_object_has_no_mask_in_frames_that_do_not_show_it(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1)
    lines = (tmp_path / "d/views.jsonl").read_text().splitlines(keepends=True)
    record = json.loads(lines[1])
    record["objects"] = record["objects"][:1]
    lines[1] = json.dumps(record) + "\n"
    (tmp_path / "d/views.jsonl").write_text("".join(lines))

    run(tmp_path / "d", tmp_path / "out", "ytvis")

    data = json.loads((tmp_path / "out/train/instances.json").read_text())
    square = next(each for each in data["annotations"] if each["name"] == "Square")
    for key in ("segmentations", "bboxes", "areas"):
        assert [each is not None for each in square[key]] == [True, False, True, True]


def test_ids_are_unlike_in_all_splits(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=3, frames=2)
    shares = {"train": 0.67, "val": 0.33}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="group", seed=0)

    run(tmp_path / "d", tmp_path / "out", "ytvis")

    found = [json.loads((tmp_path / f"out/{split}/instances.json").read_text()) for split in shares]
    for key, count in (("videos", 3), ("annotations", 6)):
        assert sorted(each["id"] for data in found for each in data[key]) == [*range(1, count + 1)]
    for data in found:
        assert {each["video_id"] for each in data["annotations"]} == {
            each["id"] for each in data["videos"]
        }
