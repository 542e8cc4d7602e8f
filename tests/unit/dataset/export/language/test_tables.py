"""PolyFormer's tables, RefGrasp's folders and CLEVR-Ref+'s scenes, read as they are documented."""

from __future__ import annotations

import base64
import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import farm.dataset
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from tests.support.sentences import (
    BOWL,
    BOX,
    INDICES,
    MUG,
    POST,
    TWIN,
    mask_of,
    write_sentences,
)
from tests.unit.dataset.export.language.readers import filled, is_clockwise, polygons_in
from tests.unit.dataset.export.pictures import iou, opened, run

# pycocotools' own, of numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SIZE = (60, 40)
MEANT = (MUG, BOWL, MUG, BOX, TWIN)
"""What the sentences of one target mean, in order."""
TEXTS = (
    "The red mug left of the bowl.", "the bowl", "Hand me the leftmost mug!",
    "the box behind the post", "the mug on the right",
)  # fmt: skip


def cells(path: Path) -> list[list[str]]:
    """Rows of a table, split as its readers do."""
    return [line.rstrip("\n").split("\t") for line in path.read_text().splitlines()]


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)


def test_polyformer_has_picture_mask_and_polygons_in_a_row(tmp_path: Path):
    write_sentences(tmp_path / "d", views=2)
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "polyformer", image_format="png")

    rows = cells(tmp_path / "out/refcoco_train.tsv")
    assert len(rows) == 10
    assert len({row[0] for row in rows}) == 10
    for at, row in enumerate(rows):
        assert len(row) == 8
        view, place = dataset[at // 5], MEANT[at % 5]
        name, image, text, box, polygons, picture, mask, walked = row
        assert int(name.split("_")[0]) > 0
        assert image == str(at // 5 + 1)
        assert text == TEXTS[at % 5].rstrip(".!").lower()
        wanted = mask_of(view["index"], place)
        assert [float(side) for side in box.split(",")] == list(view.record.objects[place].box_px)
        np.testing.assert_array_equal(opened(decoded(picture)), view["rgb"])
        np.testing.assert_array_equal(opened(decoded(mask)), wanted)
        solid = filled(polygons_in(walked), SIZE)
        assert (solid | ~wanted).all()
        assert iou(filled(polygons_in(polygons), SIZE), solid) > 0.85
        assert len(",".join(polygons.split()).split(",")) <= 400
        assert all(map(is_clockwise, polygons_in(polygons)))
    assert len(polygons_in(rows[3][4])) == 2  # the box, behind the post


def test_rows_of_pictures_are_not_too_long_for_csv(tmp_path: Path):
    """Readers who know no other limit than that of Python's csv raise it themselves."""
    write_sentences(tmp_path / "d", views=1)
    run(tmp_path / "d", tmp_path / "out", "polyformer")
    csv.field_size_limit(sys.maxsize)

    with (tmp_path / "out/refcoco_train.tsv").open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

    assert [len(row) for row in rows] == [8] * 5


def segmentation(path: Path) -> NDArray[np.uint8]:
    return opened(path.read_bytes())


def metres(path: Path) -> NDArray[np.float16]:
    """RefGrasp's depth: a float16 in the bits of each 16-bit pixel."""
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        pixels = np.asarray(picture, dtype=np.uint16)
    return np.frombuffer(pixels.tobytes(), np.float16).reshape(pixels.shape)


def test_refgrasp_has_the_files_of_its_seed(tmp_path: Path):
    write_sentences(tmp_path / "d", views=2, metres_per_unit=0.5)
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "refgrasp")

    root = tmp_path / "out/train"
    assert sorted(path.name for path in root.iterdir()) == [
        "depth", "expressions", "expressions.json", "mask", "rgb", "train.tsv", "train_rec.tsv",
    ]  # fmt: skip
    told = json.loads((root / "expressions.json").read_bytes())
    assert [scene["img_idxs"] for scene in told] == [[0], [1]]
    for scene, view in zip(told, dataset, strict=True):
        (number,) = scene["img_idxs"]
        alone = json.loads((root / f"expressions/expressions_{number:08d}.json").read_bytes())
        assert alone == scene
        mask = segmentation(root / f"mask/mask_{number:08d}.png")
        assert mask.dtype == np.uint8
        assert set(np.unique(mask)) == {0, 1, 2, 3, 4, 255}
        background = np.isin(view["index"], (0, *INDICES[0]))  # the table, too
        np.testing.assert_array_equal(mask == 255, background)
        for said, place, text in zip(scene["expressions"], MEANT, TEXTS, strict=True):
            assert said["expression"] == text
            np.testing.assert_array_equal(
                mask == said["obj"]["scene_id"], mask_of(view["index"], place)
            )
            asset = view.record.asset_of(view.record.objects[place])
            assert said["obj"]["id"] == Path(asset.name).stem
        depth = metres(root / f"depth/depth_{number:08d}.png")
        wanted = np.where(np.isfinite(view["depth"]), view["depth"] * 0.5, 0)
        np.testing.assert_array_equal(depth, wanted.astype(np.float16))
        with Image.open(root / f"rgb/rgb_{number:08d}.jpg") as picture:
            assert (picture.format, picture.size) == ("JPEG", SIZE)
            assert picture.quantization[0][0] == 6  # quality 80


@pytest.mark.parametrize("to", ["refgrasp", "clevr-ref"])
def test_distractors_are_none_of_the_things(tmp_path: Path, to):
    write_sentences(tmp_path / "d", views=1)
    record = json.loads((tmp_path / "d/views.jsonl").read_text())
    record["objects"][POST]["category"] = "distractor"
    (tmp_path / "d/views.jsonl").write_text(json.dumps(record) + "\n")
    index = farm.dataset.open(tmp_path / "d")[0]["index"]

    run(tmp_path / "d", tmp_path / "out", to)

    if to == "refgrasp":
        mask = segmentation(tmp_path / "out/train/mask/mask_00000000.png")
        assert (mask[mask_of(index, POST)] == 255).all()
        assert (mask[mask_of(index, BOX)] == 3).all()
    else:
        scenes = json.loads((tmp_path / "out/scenes/clevr_ref+_train_scenes.json").read_bytes())
        names = [each["shape"] for each in scenes["scenes"][0]["objects"]]
        assert names == ["mug", "mug", "bowl", "box", "key"]


def test_refgrasps_tables_have_its_columns(tmp_path: Path):
    write_sentences(tmp_path / "d", views=2)

    run(tmp_path / "d", tmp_path / "out", "refgrasp")

    root = tmp_path / "out/train"
    rows, boxes = cells(root / "train.tsv"), cells(root / "train_rec.tsv")
    assert [row[0] for row in rows] == [row[0] for row in boxes] == [str(at) for at in range(10)]
    told = json.loads((root / "expressions.json").read_bytes())
    ids = [said["obj"]["scene_id"] for scene in told for said in scene["expressions"]]
    for (_, path, box, text, polygons, walked), other, at in zip(rows, boxes, ids, strict=True):
        assert other[1:] == [text, box, path]
        mask = segmentation(root / path.replace("rgb", "mask").replace(".jpg", ".png")) == at
        y, x = np.nonzero(mask)
        assert [int(side) for side in box.split(",")] == [x.min(), y.min(), x.max(), y.max()]
        for column, row in ((int(x), int(y)) for part in polygons_in(walked) for x, y in part):
            assert mask[row, column]
        assert len(",".join(polygons.split()).split(",")) <= 400
        corners = np.concatenate(polygons_in(polygons))
        assert [*corners.min(axis=0), *corners.max(axis=0)] == [
            x.min(), y.min(), x.max(), y.max()
        ]  # fmt: skip


def test_refgrasp_counts_pictures_within_a_split(tmp_path: Path):
    write_sentences(tmp_path / "d", views=6)
    shares = {"train": 0.5, "val": 0.25, "test": 0.25}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="view", seed=0)

    summary = run(tmp_path / "d", tmp_path / "out", "refgrasp")

    for split, views in summary.splits.items():
        names = sorted(path.name for path in (tmp_path / "out" / split / "rgb").iterdir())
        assert names == [f"rgb_{at:08d}.jpg" for at in range(views)]
        rows = cells(tmp_path / "out" / split / f"{split}.tsv")
        assert {row[1] for row in rows} == {f"rgb/{name}" for name in names}


def test_refgrasp_takes_no_other_pictures(tmp_path: Path):
    write_sentences(tmp_path / "d", views=1)

    with pytest.raises(SpecError, match="RefGrasp's pictures are JPEG files of quality 80"):
        run(tmp_path / "d", tmp_path / "out", "refgrasp", image_format="png")
    assert not (tmp_path / "out").exists()


def clevr_mask(scene: dict, objects: list[int]) -> NDArray[np.float64]:
    """What CLEVR-Ref+'s tools make of a scene and the output of a program."""
    heat = np.zeros((320, 480))
    for each in objects:
        pixels: list[int] = []
        value = 0
        for run_length in scene["obj_mask"][str(each + 1)].split(","):
            pixels += [value] * int(run_length)
            value = 1 - value
        heat += np.asarray(pixels).reshape((320, 480))
    return heat


@pytest.mark.parametrize("size", [(60, 40), (64, 64), (90, 41)])
def test_clevr_refs_masks_lie_over_its_pictures(tmp_path: Path, size):
    """Pictures of any shape are fitted into 480 x 320, with black around."""
    write_sentences(tmp_path / "d", views=2, size=size)
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "clevr-ref")

    scenes = json.loads((tmp_path / "out/scenes/clevr_ref+_train_scenes.json").read_bytes())
    refexps = json.loads((tmp_path / "out/refexps/clevr_ref+_train_refexps.json").read_bytes())
    assert len(refexps["refexps"]) == 12
    scale = min(480 / size[0], 320 / size[1])
    left, top = (480 - size[0] * scale) / 2, (320 - size[1] * scale) / 2
    for at, said in enumerate(refexps["refexps"]):
        assert said["refexp_index"] == at
        scene = scenes["scenes"][said["image_index"]]
        assert said["image_filename"] == scene["image_filename"]
        view = dataset[said["image_index"]]
        picture = opened((tmp_path / "out/images/train" / said["image_filename"]).read_bytes())
        assert picture.shape == (320, 480, 3)
        heat = clevr_mask(scene, said["program"][-1]["_output"])
        assert heat.max() == 1
        wanted = view.record.expressions[[0, 1, 2, 3, 4, 5][at % 6]]
        assert said["refexp"] == wanted.text
        mask = np.any([mask_of(view["index"], place) for place in wanted.targets], axis=0)
        y, x = np.nonzero(heat)
        columns = np.clip(((x + 0.5 - left) / scale).astype(int), 0, size[0] - 1)
        rows = np.clip(((y + 0.5 - top) / scale).astype(int), 0, size[1] - 1)
        assert np.mean(mask[rows, columns]) > 0.98
        np.testing.assert_allclose(len(x), mask.sum() * scale**2, rtol=0.05)


def test_clevr_refs_scenes_tell_what_was_measured(tmp_path: Path):
    write_sentences(tmp_path / "d", views=1)

    run(tmp_path / "d", tmp_path / "out", "clevr-ref")

    (scene,) = json.loads((tmp_path / "out/scenes/clevr_ref+_train_scenes.json").read_bytes())[
        "scenes"
    ]
    assert [each["shape"] for each in scene["objects"]] == [
        "mug", "mug", "bowl", "box", "post", "key"
    ]  # fmt: skip
    assert [each["color"] for each in scene["objects"]][:3] == ["red", "red", "white"]
    for each in scene["objects"]:
        assert scene["obj_bbox"][str(each["idx"])] == each["bbox"]
        heat = clevr_mask(scene, [each["idx"] - 1])
        if each["shape"] == "key":  # nothing of it is seen
            assert not heat.any()
            continue
        y, x = np.nonzero(heat)
        box = [x.min(), y.min(), x.max() + 1 - x.min(), y.max() + 1 - y.min()]
        assert each["bbox"] == box
    said = json.loads((tmp_path / "out/refexps/clevr_ref+_train_refexps.json").read_bytes())
    first = said["refexps"][0]["program"]
    assert [(step["type"], step["inputs"], step["value_inputs"]) for step in first] == [
        ("scene", [], []), ("filter_shape", [0], ["mug"]), ("filter_color", [1], ["red"])
    ]  # fmt: skip
