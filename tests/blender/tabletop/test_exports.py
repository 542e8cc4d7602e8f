"""Views of a tabletop in the formats of others: each thing is one object, twins are two."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools.coco import COCO

import farm.dataset
from farm.dataset.records.collect import FinishedRun, RunFacts, collect
from farm.dataset.verify.verify import verify
from farm.errors import SpecError
from farm.spec.words import AssetWords
from farm.storage import FolderStorage
from tests.support.blender.tabletops import (
    Standing,
    a_tabletop_task,
    a_view_of_it,
    camera_from,
    render_tabletop,
)
from tests.support.tabletop import ball, box, can, write_obj
from tests.unit.dataset.export.pictures import iou, run
from tests.unit.dataset.export.test_yolo import rasterised

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIZE = (160, 120)
CAMERAS = ((0.0, -0.6, 0.4), (0.5, 0.3, 0.4))
NOUNS = ("can", "can", "ball", "box")


@pytest.fixture(scope="module")
def tables(blender, tmp_path_factory):
    """Two scenes of two views: twins, one of them half hidden by a box, and a ball."""
    folder = tmp_path_factory.mktemp("tables")
    meshes = {"box": box(0.12, 0.08, 0.04), "can": can(0.035, 0.11), "ball": ball(0.04)}
    files = {name: write_obj(folder / f"{name}.obj", mesh, (0.5, 0.2, 0.1))
             for name, mesh in meshes.items()}  # fmt: skip
    storage = FolderStorage(folder / "vases")
    for scene in range(2):
        places = [
            (-0.1, 0.05 * scene, 0.055),
            (0.1, 0.1, 0.055),
            (0.0, 0.0, 0.04),
            (0.1, 0.0, 0.04),
        ]
        standing = [
            Standing(files[noun], place, words=AssetWords(noun=noun, confirmed=True))
            for noun, place in zip(NOUNS, places, strict=True)
        ]
        views = [
            a_view_of_it(2 * scene + at, camera_from(place), scene=scene)
            for at, place in enumerate(CAMERAS)
        ]
        task = a_tabletop_task(
            folder / f"settled{scene}", standing, views,
            passes=("rgb", "mask", "index", "depth", "amodal"), resolution_px=SIZE,
        ).model_copy(
            update={"dataset": "", "group": f"products/{scene}", "task_id": f"scene-{scene}"}
        )  # fmt: skip
        render_tabletop(blender, task, storage)
    facts = RunFacts(name="tables", spec={"name": "tables"}, tasks=2, seconds=1.0)
    collect(storage, "", FinishedRun(facts, is_complete=lambda _task: True, report=print))
    blender.free_model()
    return folder / "vases"


def seen_of(view):
    """Yield each object that is seen, with the pixels that show it."""
    index = view["index"]
    for label in view.record.objects:
        mask = np.isin(index, label.indices)
        if mask.any():
            yield label, mask


def test_the_dataset_is_sound(tables):
    report = verify(farm.dataset.open(tables), workers=1)

    assert report.wrong == 0
    assert {"amodal", "index", "box"} <= {check.check for check in report.checks}
    occluded = [label.visible_fraction for label in farm.dataset.open(tables)[0].record.objects]
    assert 0.1 < occluded[2] < 0.9


def test_coco_has_an_annotation_of_each_thing(tables, tmp_path):
    run(tables, tmp_path / "out", "coco")

    coco = COCO(str(tmp_path / "out/annotations/instances_train.json"))
    names = {each["id"]: each["name"] for each in coco.loadCats(coco.getCatIds())}
    assert sorted(names.values()) == ["ball", "box", "can", "surface"]
    for number, view in enumerate(farm.dataset.open(tables), 1):
        found = coco.loadAnns(coco.getAnnIds(imgIds=[number]))
        wanted = list(seen_of(view))
        assert len(found) == len(wanted) == 5
        for annotation, (label, mask) in zip(found, wanted, strict=True):
            assert (coco.annToMask(annotation) == mask).all()
            noun = label.words.noun if label.words else "surface"
            assert names[annotation["category_id"]] == noun
        assert sum(names[each["category_id"]] == "can" for each in found) == 2, "twins"


def test_bop_has_a_scene_of_each_arrangement_with_whole_and_visible_masks(tables, tmp_path):
    run(tables, tmp_path / "out", "bop")

    scenes = sorted((tmp_path / "out/train").iterdir())
    views = list(farm.dataset.open(tables))
    assert [each.name for each in scenes] == ["000000", "000001"]
    for at, view in enumerate(views):
        folder, number = scenes[at // 2], str(at % 2)
        told = {name: json.loads((folder / f"scene_{name}.json").read_bytes())[number]
                for name in ("gt", "gt_info", "camera")}  # fmt: skip
        whole = view.silhouettes()
        depth = np.asarray(Image.open(folder / f"depth/{at % 2:06d}.png"))
        twins = [pose["obj_id"] for pose in told["gt"]][1:3]
        assert twins[0] == twins[1]
        assert len({pose["obj_id"] for pose in told["gt"]}) == 4
        for place, (label, facts) in enumerate(
            zip(view.record.objects, told["gt_info"], strict=True)
        ):
            masks = {}
            for name in ("mask", "mask_visib"):
                file = folder / f"{name}/{at % 2:06d}_{place:06d}.png"
                masks[name] = np.asarray(Image.open(file)) > 0
            seen = np.isin(view["index"], label.indices)
            assert (masks["mask"] == whole[place]).all()
            assert (masks["mask_visib"] == seen).all()
            all_px = whole[place].sum() / (1 - label.truncation)
            assert facts["px_count_visib"] == seen.sum()
            assert facts["px_count_all"] == pytest.approx(all_px, abs=1)
            assert facts["visib_fract"] == pytest.approx(seen.sum() / all_px, abs=1e-3)
            assert facts["px_count_valid"] == (whole[place] & (depth > 0)).sum()
            x, y, width, height = facts["bbox_obj"]
            assert whole[place][y : y + height, x : x + width].sum() == whole[place].sum()
    world = [np.array(json.loads((scenes[0] / "scene_camera.json").read_bytes())[each]["cam_t_w2c"])
             for each in ("0", "1")]  # fmt: skip
    assert np.linalg.norm(world[0]) == pytest.approx(np.linalg.norm(CAMERAS[0]) * 1000, rel=1e-4)


def test_yolo_has_a_row_of_each_thing(tables, tmp_path):
    run(tables, tmp_path / "out", "yolo")

    names = yaml.safe_load((tmp_path / "out/data.yaml").read_text())["names"]
    for view in farm.dataset.open(tables):
        rows = (tmp_path / f"out/labels/train/{view.name}.txt").read_text().splitlines()
        for row, (label, mask) in zip(rows, seen_of(view), strict=True):
            number, found = rasterised(row, *SIZE)
            assert names[number] == (label.words.noun if label.words else "surface")
            assert iou(found, mask) > 0.98


def test_webdataset_and_huggingface_carry_all_objects(tables, tmp_path):
    run(tables, tmp_path / "shards", "webdataset")
    run(tables, tmp_path / "hf", "huggingface", passes=("rgb", "mask", "index"))

    with tarfile.open(tmp_path / "shards/train-000000.tar") as shard:
        entries = {each.name: shard.extractfile(each).read() for each in shard.getmembers()}
    for view in farm.dataset.open(tables):
        record = json.loads(entries[f"{view.name}.json"])
        assert len(record["objects"]) == 5
        rows = np.load(io.BytesIO(entries[f"{view.name}.amodal.npz"]))
        assert set(rows["object"].tolist()) == set(range(5))
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(next((tmp_path / "hf/data").glob("*.parquet"))).to_pylist()
    for row in table:
        assert len(row["objects"]) == 5 or len(row["objects"]["class"]) == 5


def test_folders_of_classes_refuse_pictures_of_several_models(tables, tmp_path):
    with pytest.raises(SpecError, match="shows several models, so it has no one class"):
        run(tables, tmp_path / "out", "folders")
