"""What is exported to BOP obeys its rules: millimetres, OpenCV's camera, 16-bit depth."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import farm.dataset
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from farm.storage import FolderStorage
from tests.support.datasets import give_lens, write_dataset
from tests.support.lenses import LENSES
from tests.unit.dataset.export.pictures import half_covered, opened, run

SIGNS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])


def scene(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / f"scene_{name}.json").read_bytes())


def rescale(dataset: Path, metres_per_unit: float) -> None:
    """Say of what size the models are."""
    storage = FolderStorage(dataset)
    lines = []
    for view in farm.dataset.open(dataset):
        record = view.record.model_copy(update={"metres_per_unit": metres_per_unit})
        lines.append(record.model_dump_json() + "\n")
    storage.put("views.jsonl", "".join(lines).encode())


@pytest.mark.parametrize("metres_per_unit", [1.0, 0.05, 40.0])
def test_poses_project_the_models_corners_to_where_they_are(tmp_path: Path, metres_per_unit):
    write_dataset(tmp_path / "d", views=4, models=2, objects=2)
    rescale(tmp_path / "d", metres_per_unit)

    run(tmp_path / "d", tmp_path / "out", "bop")

    models = json.loads((tmp_path / "out/models/models_info.json").read_bytes())
    assert sorted(models) == ["1", "2", "3", "4"]
    folder = tmp_path / "out/train/000000"
    cameras, poses = scene(folder, "camera"), scene(folder, "gt")
    for at, view in enumerate(farm.dataset.open(tmp_path / "d")):
        matrix = np.array(cameras[str(at)]["cam_K"]).reshape(3, 3)
        for label, pose in zip(view.record.objects, poses[str(at)], strict=True):
            info = models[str(pose["obj_id"])]
            corners = SIGNS * [-info["min_x"], -info["min_y"], -info["min_z"]]
            rotation = np.array(pose["cam_R_m2c"]).reshape(3, 3)
            seen = corners @ rotation.T + pose["cam_t_m2c"]
            assert (seen[:, 2] > 0).all()
            found = seen @ matrix.T
            found = found[:, :2] / found[:, 2:]
            # BOP counts from the centre of the first pixel, records from its corner.
            np.testing.assert_allclose(found + 0.5, label.corners_px, atol=0.01)
            np.testing.assert_allclose(np.linalg.det(rotation), 1)
            assert info["size_x"] == pytest.approx(label.size[0] * metres_per_unit * 1000)


@pytest.mark.parametrize("metres_per_unit", [1.0, 0.05, 40.0])
def test_depth_is_ours_within_half_a_step(tmp_path: Path, metres_per_unit):
    write_dataset(tmp_path / "d", views=2)
    rescale(tmp_path / "d", metres_per_unit)

    run(tmp_path / "d", tmp_path / "out", "bop")

    folder = tmp_path / "out/train/000000"
    for at, view in enumerate(farm.dataset.open(tmp_path / "d")):
        step = scene(folder, "camera")[str(at)]["depth_scale"]
        pixels = opened((folder / f"depth/{at:06d}.png").read_bytes())
        depth_mm = view["depth"].astype(float) * metres_per_unit * 1000
        there = np.isfinite(depth_mm)
        assert there.any()
        np.testing.assert_allclose(pixels[there] * step, depth_mm[there], atol=step / 2 * 1.0001)
        assert (pixels[~there] == 0).all()
        assert depth_mm[there].max() / step > 20000  # 16 bits are made use of


def test_masks_and_counts_are_those_of_the_dataset(tmp_path: Path):
    write_dataset(tmp_path / "d", views=2)
    dataset = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "out", "bop")

    folder = tmp_path / "out/train/000000"
    for at in (0, 1):
        wanted = half_covered(dataset, at)
        for name in ("mask", "mask_visib"):
            mask = opened((folder / f"{name}/{at:06d}_000000.png").read_bytes())
            np.testing.assert_array_equal(mask, wanted * np.uint8(255))
        (facts,) = scene(folder, "gt_info")[str(at)]
        assert facts["px_count_visib"] == facts["px_count_all"] == wanted.sum()
        assert facts["visib_fract"] == 1.0
        x, y, width, height = facts["bbox_visib"]
        assert wanted[y : y + height, x : x + width].sum() == wanted.sum()
        assert opened((folder / f"rgb/{at:06d}.png").read_bytes()).shape == (48, 64, 3)


def test_a_scene_has_views_of_one_dataset_and_no_more_than_asked_for(tmp_path: Path):
    write_dataset(tmp_path / "d/one", views=3)
    write_dataset(tmp_path / "d/two", views=2)

    run(tmp_path / "d", tmp_path / "out", "bop", shard_views=2)

    scenes = sorted((tmp_path / "out/train").iterdir())
    assert [len(scene(each, "gt")) for each in scenes] == [2, 1, 2]


def test_the_camera_and_what_is_to_be_found_are_told(tmp_path: Path):
    """As bop_toolkit reads them: `load_cam_params`, and the targets of its evaluations."""
    write_dataset(tmp_path / "d", views=6, models=3, objects=2)
    shares = {"train": 0.5, "test": 0.5}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="model", seed=0)

    run(tmp_path / "d", tmp_path / "out", "bop", shard_views=3)

    camera = json.loads((tmp_path / "out/camera.json").read_bytes())
    first = scene(tmp_path / "out/train/000000", "camera")["0"]
    matrix = [camera["fx"], 0, camera["cx"], 0, camera["fy"], camera["cy"], 0, 0, 1]
    assert matrix == first["cam_K"]
    assert (camera["width"], camera["height"]) == (64, 48)
    assert camera["depth_scale"] == first["depth_scale"]
    wanted = []
    for folder in sorted((tmp_path / "out/test").iterdir()):
        infos = scene(folder, "gt_info")
        for at, poses in scene(folder, "gt").items():
            for pose, info in zip(poses, infos[at], strict=True):
                assert info["visib_fract"] > 0.1
                wanted.append(
                    {"im_id": int(at), "inst_count": 1, "obj_id": pose["obj_id"],
                     "scene_id": int(folder.name)}
                )  # fmt: skip
    targets = json.loads((tmp_path / "out/test_targets_bop19.json").read_bytes())
    assert targets == wanted
    assert len(targets) == 2 * len(farm.dataset.open(tmp_path / "d", split="test")) > 0
    pictures = json.loads((tmp_path / "out/test_targets_bop24.json").read_bytes())
    assert pictures == [
        {"im_id": each["im_id"], "scene_id": each["scene_id"]} for each in targets[::2]
    ]


def test_what_is_hardly_seen_is_no_target(tmp_path: Path):
    write_dataset(tmp_path / "d", views=1)
    record = farm.dataset.open(tmp_path / "d")[0].record
    label = record.objects[0].model_copy(update={"truncation": 0.95})
    line = record.model_copy(update={"objects": (label,)}).model_dump_json()
    (tmp_path / "d/views.jsonl").write_text(line + "\n")
    split_dataset(farm.dataset.open(tmp_path / "d"), {"test": 1.0}, by="view", seed=0)

    run(tmp_path / "d", tmp_path / "out", "bop")

    assert json.loads((tmp_path / "out/test_targets_bop19.json").read_bytes()) == []


BOX = ((0, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 4))
"""Points of a .ply: their box is as long as they reach."""
FACES = ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3))


FILE_IN_WORLD = (
    (0.25, 0, 0, -0.25), (0, 0.25, 0, -0.125), (0, 0, 0.25, -0.5), (0, 0, 0, 1),
)  # fmt: skip


def give_mesh(dataset: Path, file: Path, *, licence: str | None, size: float = 1.0) -> None:
    """Let the model of a dataset be a .ply of its own, which was scaled and centred."""
    rows = [*(f"{x} {y} {z}" for x, y, z in BOX), *(f"3 {a} {b} {c}" for a, b, c in FACES)]
    head = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\n"
    head += "property float z\nelement face 4\nproperty list uchar int vertex_indices\n"
    data = (head + "end_header\n" + "\n".join(rows) + "\n").encode()
    file.write_bytes(data)
    lines = []
    for view in farm.dataset.open(dataset):
        model, hdr = view.record.assets
        credit = model.credit.model_copy(update={"licence": licence})
        asset = model.model_copy(
            update={"name": file.name, "path": str(file), "credit": credit,
                    "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
        )  # fmt: skip
        record = view.record.model_copy(
            update={
                "assets": (asset, hdr),
                "metres_per_unit": 4.0,
                "objects": tuple(
                    label.model_copy(
                        update={"size": (0.5 * size, 0.25, 1.0), "world_from_file": FILE_IN_WORLD}
                    )
                    for label in view.record.objects
                ),
            }
        )  # fmt: skip
        lines.append(record.model_dump_json() + "\n")
    (dataset / "views.jsonl").write_text("".join(lines))


def test_a_model_that_may_be_passed_on_has_a_mesh_in_millimetres(tmp_path: Path):
    write_dataset(tmp_path / "d", views=2)
    give_mesh(tmp_path / "d", tmp_path / "a.ply", licence="CC BY-NC-SA 4.0".replace(" ", "-"))

    summary = run(tmp_path / "d", tmp_path / "out", "bop")

    assert summary.notes == ()
    lines = (tmp_path / "out/models/obj_000001.ply").read_text().splitlines()
    assert lines[:3] == ["ply", "format ascii 1.0", "element vertex 4"]
    rows = lines[lines.index("end_header") + 1 :]
    points = np.array([row.split() for row in rows[:4]], dtype=float)
    np.testing.assert_allclose(points[:, :3], (np.array(BOX) - (1, 0.5, 2)) * 1000, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(points[:, 3:], axis=1), 1, atol=1e-6)
    assert (points[0, 3:] < 0).all()  # outwards
    assert rows[4:] == [f"3 {a} {b} {c}" for a, b, c in FACES]
    info = json.loads((tmp_path / "out/models/models_info.json").read_bytes())["1"]
    for axis, name in enumerate("xyz"):
        assert points[:, axis].min() == pytest.approx(info[f"min_{name}"])
        assert np.ptp(points[:, axis]) == pytest.approx(info[f"size_{name}"])


def changed_file(folder: Path) -> None:
    (folder / "a.ply").write_bytes((folder / "a.ply").read_bytes().replace(b"4\n3 0", b"5\n3 0"))


@pytest.mark.parametrize(
    ("options", "harm", "why"),
    [
        (
            {"licence": None},
            None,
            r"its licence is not known \(a sidecar, .*\.json .*, can state it",
        ),
        ({"licence": "CC-BY-ND-4.0"}, None, "its licence, CC BY-ND 4.0, does not allow it"),
        ({"licence": "royalty_free"}, None, "its licence, Royalty Free, does not allow it"),
        (
            {"licence": "cc0"},
            changed_file,
            "its file is missing, or has changed since it was rendered",
        ),
        ({"licence": "cc0"}, lambda folder: (folder / "a.ply").unlink(), "its file is missing"),
        ({"licence": "cc0", "size": 1.1}, None, "do not fill the box that was rendered"),
    ],
)
def test_why_a_model_has_no_mesh_is_told_once(tmp_path: Path, options, harm, why):
    write_dataset(tmp_path / "d", views=3)
    give_mesh(tmp_path / "d", tmp_path / "a.ply", **options)
    if harm:
        harm(tmp_path)

    (note,) = run(tmp_path / "d", tmp_path / "out", "bop").notes

    assert re.match(f"no mesh of ball000.blend: .*{why}", note), note
    assert [path.name for path in (tmp_path / "out/models").iterdir()] == ["models_info.json"]


def test_models_that_lack_a_mesh_for_one_reason_are_told_of_in_one_sentence(tmp_path: Path):
    write_dataset(tmp_path / "d", views=4, models=4)

    assert run(tmp_path / "d", tmp_path / "out", "bop").notes == (
        "no mesh of ball000.blend and 3 more: only Blender reads .blend; .ply, .obj, .stl are read "
        "here",
    )


def test_a_sidecar_that_came_later_tells_the_licence(tmp_path: Path):
    write_dataset(tmp_path / "d", views=1)
    give_mesh(tmp_path / "d", tmp_path / "a.ply", licence=None)
    (tmp_path / "a.ply.json").write_text('{"license": "CC0-1.0"}')

    assert run(tmp_path / "d", tmp_path / "out", "bop").notes == ()


def test_depth_may_lack_and_poses_may_not(tmp_path: Path):
    write_dataset(tmp_path / "d", views=1, passes=("rgb", "mask"))
    run(tmp_path / "d", tmp_path / "out", "bop")
    assert not (tmp_path / "out/train/000000/depth").exists()

    view = farm.dataset.open(tmp_path / "d")[0]
    record = view.record.model_copy(update={"objects": ()})
    (tmp_path / "d/views.jsonl").write_text(record.model_dump_json() + "\n")

    with pytest.raises(SpecError, match="have none: render it again"):
        run(tmp_path / "d", tmp_path / "other", "bop")


@pytest.mark.parametrize(
    ("lens", "word"), [("orthographic", "orthographic"), ("fisheye", "a polynomial fisheye")]
)
def test_a_camera_that_bop_does_not_know_is_refused_by_its_view(tmp_path: Path, lens, word):
    write_dataset(tmp_path / "d", views=3)
    give_lens(tmp_path / "d", LENSES[lens])
    first = farm.dataset.open(tmp_path / "d")[0].name

    with pytest.raises(
        SpecError, match=f"^{first}: its camera is {word}, but BOP supports only pinholes"
    ):
        run(tmp_path / "d", tmp_path / "out", "bop")

    assert not list((tmp_path / "out").rglob("*.json"))


def test_pixels_that_are_not_square_are_in_the_matrix(tmp_path: Path):
    write_dataset(tmp_path / "d", views=1)
    give_lens(tmp_path / "d", LENSES["pinhole with wide pixels"])

    run(tmp_path / "d", tmp_path / "out", "bop")

    matrix = scene(tmp_path / "out/train/000000", "camera")["0"]["cam_K"]
    assert matrix == [60.0, 0.0, 37.3 - 0.5, 0.0, 101.0, 22.2 - 0.5, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("to", ["coco", "yolo", "folders", "webdataset", "huggingface"])
@pytest.mark.parametrize("lens", ["orthographic", "fisheye"])
def test_formats_without_a_camera_of_their_own_take_every_one(tmp_path: Path, to, lens):
    write_dataset(tmp_path / "d", views=2, passes=("rgb", "mask"))
    give_lens(tmp_path / "d", LENSES[lens])

    assert run(tmp_path / "d", tmp_path / "out", to).views == 2
