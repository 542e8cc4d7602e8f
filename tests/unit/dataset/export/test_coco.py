"""pycocotools reads what is exported to COCO, and its masks are ours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

import farm.dataset
from farm.dataset.export.formats.coco import keypoint
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from farm.spec.label import Keypoint
from tests.support.datasets import write_dataset
from tests.unit.dataset.export.pictures import half_covered, odd_masks, opened, replace_mask, run

# pycocotools' own, of numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize("segmentation", ["rle", "polygon"])
@pytest.mark.parametrize(
    "source", [{"bit_depth": 8}, {"bit_depth": 16}, {"bit_depth": 16, "picture_format": "jxl"}]
)
def test_masks_are_those_of_the_dataset_pixel_by_pixel(tmp_path: Path, source, segmentation):
    write_dataset(tmp_path / "d", views=3, models=2, passes=("rgb", "mask"), **source)
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "coco", segmentation=segmentation)

    coco = COCO(tmp_path / "out/annotations/instances_train.json")
    assert len(coco.getImgIds()) == 3
    for at, image in enumerate(coco.loadImgs(sorted(coco.getImgIds()))):
        (annotation,) = coco.loadAnns(coco.getAnnIds(image["id"]))
        wanted = half_covered(dataset, at)
        np.testing.assert_array_equal(coco.annToMask(annotation), wanted)
        assert annotation["area"] == wanted.sum()
        (category,) = coco.loadCats(annotation["category_id"])
        assert category["name"] == dataset[at].record.objects[0].category
        x, y, width, height = annotation["bbox"]
        left, top, right, bottom = dataset[at].record.objects[0].box_px
        np.testing.assert_allclose(
            [x, y, x + width, y + height], [left, top, right, bottom], atol=1
        )
        picture = opened((tmp_path / "out/images/train" / image["file_name"]).read_bytes())
        assert picture.dtype == np.uint8
        assert picture.shape == (image["height"], image["width"], 3)
        scale = np.iinfo(dataset[at]["rgb"].dtype).max / 255
        np.testing.assert_allclose(picture, dataset[at]["rgb"] / scale, atol=0.51)


@pytest.mark.parametrize("segmentation", ["rle", "polygon"])
def test_holes_parts_and_nothing_come_out_exactly(tmp_path: Path, segmentation):
    masks = list(odd_masks().values())
    write_dataset(tmp_path / "d", views=len(masks), passes=("rgb", "mask"))
    for at, mask in enumerate(masks):
        replace_mask(tmp_path / "d", at, mask)

    run(tmp_path / "d", tmp_path / "out", "coco", segmentation=segmentation)

    coco = COCO(tmp_path / "out/annotations/instances_train.json")
    for at, mask in enumerate(masks):
        found = coco.loadAnns(coco.getAnnIds(at + 1))
        assert len(found) == int(mask.any())
        for annotation in found:
            np.testing.assert_array_equal(coco.annToMask(annotation), mask)


def test_ids_are_unlike_in_all_splits(tmp_path: Path):
    """People put the files of splits together: no id may stand for two things then."""
    write_dataset(tmp_path / "d", views=6, models=3, objects=2, passes=("rgb", "index"))
    shares = {"train": 0.4, "val": 0.3, "test": 0.3}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="model", seed=0)

    run(tmp_path / "d", tmp_path / "out", "coco")

    listings = [
        json.loads((tmp_path / f"out/annotations/instances_{name}.json").read_bytes())
        for name in shares
    ]
    for kind, wanted in (("images", 6), ("annotations", 12)):
        ids = [each["id"] for listing in listings for each in listing[kind]]
        assert sorted(ids) == list(range(1, wanted + 1))
    assert listings[0]["categories"] == listings[1]["categories"] == listings[2]["categories"]
    for listing in listings:
        images = {image["id"] for image in listing["images"]}
        assert {each["image_id"] for each in listing["annotations"]} == images


def test_several_objects_are_cut_out_by_their_indices(tmp_path: Path):
    write_dataset(tmp_path / "d", views=2, objects=2)
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "coco", classes="model")

    coco = COCO(tmp_path / "out/annotations/instances_train.json")
    for at in (0, 1):
        annotations = coco.loadAnns(coco.getAnnIds(at + 1))
        names = [coco.cats[each["category_id"]]["name"] for each in annotations]
        assert names == ["Ball.0", "Ball.1"]
        for index, each in enumerate(annotations, start=1):
            np.testing.assert_array_equal(coco.annToMask(each), dataset[at]["index"] == index)


@pytest.mark.parametrize(
    ("px", "visible", "wanted"),
    [
        ((3.0, 4.0), True, (3.0, 4.0, 2)),
        ((3.0, 4.0), False, (3.0, 4.0, 1)),
        ((-0.5, 4.0), False, (0.0, 0.0, 0)),
        ((3.0, 49.0), None, (0.0, 0.0, 0)),
        (None, False, (0.0, 0.0, 0)),
    ],
)
def test_a_keypoint_outside_the_picture_is_not_there(px, visible, wanted):
    point = Keypoint(name="top", px=px, depth=1.0, visible=visible)

    assert keypoint(point, (64, 48)) == wanted


def test_keypoints_that_a_class_has_go_along(tmp_path: Path):
    write_dataset(tmp_path / "d", views=2, models=2, passes=("rgb", "mask"))
    dataset = farm.dataset.open(tmp_path / "d")
    lines = [view.record.model_dump_json() for view in dataset]
    label = dataset[1].record.objects[0]
    hidden = label.keypoints[0].model_copy(update={"name": "foot", "visible": None})
    label = label.model_copy(update={"keypoints": (*label.keypoints, hidden)})
    lines[1] = dataset[1].record.model_copy(update={"objects": (label,)}).model_dump_json()
    (tmp_path / "d/views.jsonl").write_text("\n".join(lines) + "\n")

    run(tmp_path / "d", tmp_path / "out", "coco")

    coco = COCO(tmp_path / "out/annotations/instances_train.json")
    first, second = coco.loadAnns(coco.getAnnIds())
    assert coco.cats[first["category_id"]]["keypoints"] == ["top"]
    assert coco.cats[second["category_id"]]["keypoints"] == ["foot", "top"]
    assert first["keypoints"] == [*dataset[0].record.objects[0].keypoints[0].px, 2]
    assert second["keypoints"] == [*hidden.px, 1, *hidden.px, 2]
    assert second["num_keypoints"] == 2


def test_whose_work_it_is_goes_along(tmp_path: Path):
    write_dataset(tmp_path / "d", views=2, models=2, passes=("rgb", "mask"))

    run(tmp_path / "d", tmp_path / "out", "coco")

    found = json.loads((tmp_path / "out/annotations/instances_train.json").read_bytes())
    licences = {each["id"]: each["name"] for each in found["licenses"]}
    assert [licences[image["license"]] for image in found["images"]] == ["CC0 1.0 + unknown"] * 2
    assert "Ball 1" in (tmp_path / "out/ATTRIBUTION.md").read_text()


def test_pictures_may_stay_as_they_are_and_be_links(tmp_path: Path):
    write_dataset(tmp_path / "d", views=1, passes=("rgb", "mask", "depth"))
    view = farm.dataset.open(tmp_path / "d")[0]

    run(tmp_path / "d", tmp_path / "out", "coco", image_format="original", link=True,
        passes=("rgb", "depth"))  # fmt: skip

    picture = tmp_path / f"out/images/train/{view.name}.png"
    assert picture.samefile(tmp_path / "d" / view.path("rgb"))
    depth = tmp_path / f"out/passes/depth/train/{view.name}.exr"
    assert depth.read_bytes() == view.data("depth")


def test_what_a_dataset_lacks_is_named(tmp_path: Path):
    write_dataset(tmp_path / "d", views=1, passes=("mask", "depth"))

    with pytest.raises(
        SpecError, match="coco needs the pass rgb: not all views have it; all have mask"
    ):
        run(tmp_path / "d", tmp_path / "out", "coco")
    with pytest.raises(SpecError, match="--passes uv: not all views have it; all have mask, depth"):
        run(tmp_path / "d", tmp_path / "out", "webdataset", passes=("uv",))
    assert not (tmp_path / "out").exists()


def test_what_a_dataset_lacks_can_be_added_to_it_where_its_recipe_allows_that(tmp_path: Path):
    write_dataset(tmp_path / "d", views=1, passes=("mask", "depth"))

    with pytest.raises(SpecError) as caught:
        run(tmp_path / "d", tmp_path / "out", "webdataset", passes=("uv", "index"))

    assert str(caught.value).endswith(
        "; `farm add-passes DATASET uv,index` adds them, or render again with --passes "
        "mask,depth,uv,index"
    )
