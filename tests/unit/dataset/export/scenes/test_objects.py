"""What readers of zero123, OpenLRM, TRELLIS and G-buffer Objaverse see, by their own rules."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import farm.dataset
from farm.dataset.images import decode_exr
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from tests.support.datasets import give_lens, write_dataset
from tests.support.lenses import LENSES
from tests.unit.dataset.export.pictures import run
from tests.unit.dataset.export.scenes.shared import (
    SCENE,
    change_records,
    project_gl,
    read_json,
    top_of,
    views_by_name,
    write_object,
)

OBJECTS = ("zero123", "openlrm", "trellis", "gobjaverse")
every_format = pytest.mark.parametrize("to", OBJECTS)
MOVED, GROWN = np.array([0.3, -1.2, 0.7]), 2.5


def write_elsewhere(folder: Path, *, views: int = 4) -> None:
    """Write an object that is not in the middle of its world, and larger than its unit."""
    write_object(folder, views=views)

    def move(_at: int, line: dict) -> None:
        pose = np.array(line["camera"]["world_from_camera"])
        pose[:3, 3] = pose[:3, 3] * GROWN + MOVED
        line["camera"]["world_from_camera"] = pose.tolist()
        for label in line["objects"]:
            place = np.array(label["camera_from_object"])
            place[:3, 3] *= GROWN
            label["camera_from_object"] = place.tolist()
            label["size"] = [side * GROWN for side in label["size"]]
            file = np.diag([GROWN, GROWN, GROWN, 1.0])
            file[:3, 3] = MOVED
            label["world_from_file"] = file.tolist()

    change_records(folder, move)


def names_of(folder: Path) -> dict[str, str]:
    """Number -> view."""
    return dict(line.split() for line in (folder / "views.txt").read_text().splitlines())


def focal_of(angle: float, picture: np.ndarray) -> tuple[float, float]:
    focal = picture.shape[1] / 2 / np.tan(angle / 2)
    return focal, focal


def test_zero123_gets_the_way_from_the_world_to_the_camera(tmp_path: Path):
    """Its `get_T` finds where a camera is as -R.T @ T; the object fills the unit cube."""
    write_elsewhere(tmp_path / "d")
    done = run(tmp_path / "d", tmp_path / "o", "zero123")

    assert done.notes == ("objects have 4 views: set total_view to 4",)
    [folder] = [tmp_path / "o" / name for name in read_json(tmp_path / "o/valid_paths.json")]
    views = views_by_name(tmp_path / "d")
    for number, name in names_of(folder).items():
        view, matrix = views[name], np.load(folder / f"{number}.npy")
        assert matrix.shape == (3, 4)
        rotation, shift = matrix[:, :3], matrix[:, 3]
        place = -rotation.T @ shift
        world = np.array(view.record.camera.world_from_camera)
        np.testing.assert_allclose(place, (world[:3, 3] - MOVED) / GROWN, atol=1e-9)
        picture = np.asarray(Image.open(folder / f"{number}.png"))
        _, px = top_of(view)
        x, y, z = matrix @ [0.0, 0.0, 0.5, 1.0]  # the top of the ball, in the unit cube
        focal = view.record.camera.fx_px
        np.testing.assert_allclose([32 - focal * x / z, 32 + focal * y / z], px, atol=1e-4)
        np.testing.assert_array_equal(picture[..., 3], view["mask"])


def test_openlrm_gets_cameras_around_a_cube_of_side_2(tmp_path: Path):
    """As its `build_camera_standard` has them: camera to world, a lens in pixels of its picture."""
    write_elsewhere(tmp_path / "d")
    done = run(tmp_path / "d", tmp_path / "o", "openlrm")

    assert done.notes == (
        "objects have 4 views, and readers of openlrm expect 32: set num_all_views of its "
        "ObjaverseDataset to 4",
    )
    [uid] = read_json(tmp_path / "o/train_uids.json")
    folder = tmp_path / "o" / uid
    (fx, fy), (cx, cy), (width, height) = np.load(folder / "intrinsics.npy")
    assert (width, height) == (64, 64)
    views = views_by_name(tmp_path / "d")
    for number, name in names_of(folder).items():
        view, pose = views[name], np.load(folder / f"pose/{number}.npy")
        assert pose.shape == (3, 4)
        world = np.array(view.record.camera.world_from_camera)
        np.testing.assert_allclose(pose[:, 3], 2 * (world[:3, 3] - MOVED) / GROWN, atol=1e-9)
        np.testing.assert_allclose(pose[:, :3].T @ pose[:, :3], np.eye(3), atol=1e-6)
        _, px = top_of(view)
        whole = np.vstack([pose, [0, 0, 0, 1]])
        found = project_gl(np.array([0.0, 0.0, 1.0]), whole, (fx, fy), (cx, cy))
        np.testing.assert_allclose(found, px, atol=1e-4)
        picture = np.asarray(Image.open(folder / f"rgba/{number}.png"))
        np.testing.assert_array_equal(picture[..., 3], view["mask"])


def test_openlrm_gets_a_list_of_objects_for_each_split(tmp_path: Path):
    write_object(tmp_path / "d", models=2)
    shares = {"train": 0.5, "val": 0.5}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="group", seed=3)

    run(tmp_path / "d", tmp_path / "o", "openlrm")

    for split in shares:
        [uid] = read_json(tmp_path / f"o/{split}_uids.json")
        assert (tmp_path / "o" / uid / "intrinsics.npy").is_file()
        assert len(list((tmp_path / "o" / uid / "rgba").iterdir())) == 6


def test_trellis_gets_cameras_around_the_unit_cube(tmp_path: Path):
    write_elsewhere(tmp_path / "d")
    run(tmp_path / "d", tmp_path / "o", "trellis")

    with (tmp_path / "o/metadata.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    view = farm.dataset.open(tmp_path / "d")[0]
    asset = view.record.assets[0]
    assert row == {"sha256": asset.sha256, "file_identifier": asset.name, "rendered": "True"}
    folder = tmp_path / "o/renders" / row["sha256"]
    told = read_json(folder / "transforms.json")
    assert told["aabb"] == [[-0.5] * 3, [0.5] * 3]
    views, names = views_by_name(tmp_path / "d"), names_of(folder)
    assert [frame["file_path"] for frame in told["frames"]] == [f"{n:03d}.png" for n in range(4)]
    for frame in told["frames"]:
        picture = np.asarray(Image.open(folder / frame["file_path"]))
        found = project_gl(
            np.array([0.0, 0.0, 0.5]), frame["transform_matrix"],
            focal_of(frame["camera_angle_x"], picture), (32, 32),
        )  # fmt: skip
        _, px = top_of(views[names[frame["file_path"][:3]]])
        np.testing.assert_allclose(found, px, atol=1e-4)
    # The file's own unit ball has its middle at the origin, and is as large as the unit cube.
    assert told["scale"] == pytest.approx(1.0)
    np.testing.assert_allclose(told["offset"], 0, atol=1e-9)


def test_a_model_under_two_lights_has_two_folders_in_trellis(tmp_path: Path):
    write_object(tmp_path / "d", views=8)
    change_records(
        tmp_path / "d",
        lambda at, line: line["view"].update(
            {"light": {"rotation_deg": 90.0 * (at % 2), "strength": 1.0}}
        ),
    )
    run(tmp_path / "d", tmp_path / "o", "trellis")

    sha256 = farm.dataset.open(tmp_path / "d")[0].record.assets[0].sha256
    folders = sorted(path.name for path in (tmp_path / "o/renders").iterdir())
    assert folders == [sha256, f"{sha256}-2"]


@pytest.mark.parametrize("passes", [("normal_world",), ("normal",)])
def test_gobjaverse_gets_opencvs_camera_and_unitys_normals(tmp_path: Path, passes):
    """As its own code reads them: world normals are (-R, -B, G), depth unprojects with x, y, z."""
    write_dataset(tmp_path / "d", views=4, size=(64, 64), passes=("rgb", "mask", "depth", *passes))
    from tests.support.changed_datasets import ChangedDataset

    changed = ChangedDataset(tmp_path / "d")
    changed.change_all(("mask",), lambda mask: np.where(mask > 127, 255, 0).astype(mask.dtype))
    changed.save()
    run(tmp_path / "d", tmp_path / "o", "gobjaverse")

    assert read_json(tmp_path / "o/gobjaverse_train.json") == [f"train/{SCENE}"]
    folder = tmp_path / f"o/train/{SCENE}/campos_512_v4"
    for number in names_of(folder):
        camera = read_json(folder / number / f"{number}.json")
        planes = decode_exr(
            (folder / number / f"{number}_nd.exr").read_bytes(), "nd", ("R", "G", "B", "A")
        )
        red, green, blue, depth = np.moveaxis(planes.astype(float), -1, 0)
        seen = depth > 0
        normals = np.stack([-red, -blue, green], axis=-1)[seen]
        axes = np.stack([camera[name] for name in "xyz"], axis=1)
        focal = 32 / np.tan(camera["x_fov"] / 2)
        v, u = np.mgrid[:64, :64] + 0.5
        rays = np.stack([(u - 32) / focal, (v - 32) / focal, np.ones_like(u)], axis=-1)
        points = (rays * depth[..., None])[seen] @ axes.T + camera["origin"]
        np.testing.assert_allclose(np.linalg.norm(points, axis=-1), 0.5, atol=1e-4)
        np.testing.assert_allclose(normals, points / 0.5, atol=1e-3)
        assert camera["y_fov"] == pytest.approx(camera["x_fov"])
        assert (planes[~seen] == 0).all()


@every_format
def test_the_splits_of_a_dataset_are_folders(tmp_path: Path, to):
    write_object(tmp_path / "d", models=2)
    shares = {"train": 0.5, "test": 0.5}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="group", seed=3)

    run(tmp_path / "d", tmp_path / "o", to)

    pictures = {split: list((tmp_path / "o" / split).rglob("*.png")) for split in shares}
    assert [len(found) for found in pictures.values()] == [6, 6]


@every_format
@pytest.mark.parametrize(
    ("size", "sentence"), [((64, 48), "has 64 x 48 px, and readers of"), ((48, 64), "has 48 x 64")]
)
def test_pictures_that_are_not_square_are_refused(tmp_path: Path, to, size, sentence):
    write_object(tmp_path / "d", size=size)

    with pytest.raises(SpecError, match=rf"^ball\S+: {sentence}.* render them square, or export"):
        run(tmp_path / "d", tmp_path / "o", to)


@every_format
def test_a_lens_that_is_shifted_is_refused(tmp_path: Path, to):
    write_object(tmp_path / "d")
    give_lens(tmp_path / "d", LENSES["pinhole off centre"])

    with pytest.raises(SpecError, match=r"^ball\S+: its lens is shifted, by "):
        run(tmp_path / "d", tmp_path / "o", to)


def mix_lenses(folder: Path) -> None:
    """Give every other view a longer lens."""
    change_records(
        folder, lambda at, line: line["camera"].update(fx_px=70.0 + at % 2, fy_px=70.0 + at % 2)
    )


@pytest.mark.parametrize("to", ["zero123", "openlrm", "gobjaverse"])
def test_lenses_that_differ_are_refused_where_readers_know_one(tmp_path: Path, to):
    write_object(tmp_path / "d", views=4)
    mix_lenses(tmp_path / "d")

    with pytest.raises(SpecError, match=f"have different lenses, and {to} has one for all views"):
        run(tmp_path / "d", tmp_path / "o", to)


def test_trellis_tells_the_lens_of_each_view(tmp_path: Path):
    write_object(tmp_path / "d", views=4)
    mix_lenses(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "o", "trellis")

    [folder] = (tmp_path / "o/renders").iterdir()
    frames = read_json(folder / "transforms.json")["frames"]
    angles = {round(frame["camera_angle_x"], 9) for frame in frames}
    assert angles == {round(2 * np.arctan(32 / focal), 9) for focal in (70.0, 71.0)}


def test_gobjaverse_says_where_its_readers_take_another_lens(tmp_path: Path):
    write_object(tmp_path / "d", views=4)
    assert run(tmp_path / "d", tmp_path / "o", "gobjaverse").notes == ()

    change_records(tmp_path / "d", lambda _at, line: line["camera"].update(fx_px=64.0, fy_px=64.0))
    [note] = run(tmp_path / "d", tmp_path / "wide", "gobjaverse").notes

    assert note == (
        "views span 53.1 degrees, and readers of gobjaverse take 39.6 for all: change that in "
        "their code, or render with --fov 39.6"
    )


@every_format
def test_records_without_boxes_are_refused(tmp_path: Path, to):
    write_object(tmp_path / "d")
    change_records(tmp_path / "d", lambda _at, line: line.update(objects=[]))

    with pytest.raises(SpecError, match="its records tell of no boxes of things, by which"):
        run(tmp_path / "d", tmp_path / "o", to)
