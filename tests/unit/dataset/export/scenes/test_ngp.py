"""What instant-ngp reads, by the rules of its `load_nerf`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.changed_datasets import ChangedDataset
from tests.support.datasets import give_lens
from tests.support.lenses import LENSES
from tests.unit.dataset.export.pictures import run
from tests.unit.dataset.export.scenes.shared import (
    RADIUS,
    SCENE,
    change_records,
    project_gl,
    read_json,
    top_of,
    views_by_name,
    write_object,
)


def read(path: Path) -> list[dict[str, Any]]:
    """The views of a file: a lens is told by the file, and again by a frame; a principal point is
    a share of the width and height that stand beside it."""
    told = read_json(path)
    found = []
    for frame in told["frames"]:
        focal: Any = None
        middle = (0.5, 0.5)
        for lens in (told, frame):
            if "fl_x" in lens:
                focal = (lens["fl_x"], lens.get("fl_y", lens["fl_x"]))
            if "cx" in lens:
                middle = (lens["cx"] / lens["w"], lens["cy"] / lens["h"])
        picture = np.asarray(Image.open(path.parent / frame["file_path"]))
        size = picture.shape[1::-1]
        found.append(
            {
                "name": Path(frame["file_path"]).stem,
                "pose": np.array(frame["transform_matrix"]),
                "focal": focal,
                "middle": np.array(middle) * size,
                "picture": picture,
                "depth": frame.get("depth_path"),
            }
        )
    return found


def to_ngp(point: np.ndarray, told: dict[str, Any]) -> np.ndarray:
    """Where a point is in instant-ngp's own world, whose axes are turned in a circle."""
    return np.roll(point * told["scale"] + told["offset"], -1)


@pytest.mark.parametrize("lens", ["perspective", "pinhole off centre", "pinhole with wide pixels"])
def test_a_known_point_falls_where_the_camera_has_it(tmp_path: Path, lens):
    from farm.projection import project

    write_object(tmp_path / "d", size=(64, 48))
    give_lens(tmp_path / "d", LENSES[lens])
    run(tmp_path / "d", tmp_path / "o", "ngp")

    views, scene = views_by_name(tmp_path / "d"), tmp_path / "o" / SCENE
    files = [
        scene / "transforms.json", scene / "held_out/transforms_val.json",
        scene / "held_out/transforms_test.json",
    ]  # fmt: skip
    frames = [frame for file in files for frame in read(file)]
    assert sorted(frame["name"] for frame in frames) == sorted(views)
    for frame in frames:
        camera = views[frame["name"]].record.camera
        point, _ = top_of(views[frame["name"]])
        seen = np.linalg.inv(np.array(camera.world_from_camera)) @ [*point, 1.0]
        found = project_gl(point, frame["pose"], frame["focal"], frame["middle"])
        np.testing.assert_allclose(found, project(seen[:3], camera), atol=1e-6)


def test_all_of_a_lens_stands_in_one_place_where_lenses_differ_in_part(tmp_path: Path):
    """A frame that tells `fl_y` alone would have it for both, and `cx` is a share of its `w`."""
    write_object(tmp_path / "d", views=6)

    def shift(at: int, line: dict[str, Any]) -> None:
        line["camera"] |= {"fy_px": 80.0 + at, "cx_px": 30.0 + at}

    change_records(tmp_path / "d", shift)
    run(tmp_path / "d", tmp_path / "o", "ngp")

    views = views_by_name(tmp_path / "d")
    for frame in read(tmp_path / "o" / SCENE / "transforms.json"):
        camera = views[frame["name"]].record.camera
        assert frame["focal"] == (camera.fx_px, camera.fy_px)
        assert frame["middle"] == pytest.approx((camera.cx_px, camera.cy_px))


def test_things_fill_the_unit_cube_with_room_to_spare(tmp_path: Path):
    write_object(tmp_path / "d")
    run(tmp_path / "d", tmp_path / "o", "ngp")
    run(tmp_path / "d", tmp_path / "alone", "ngp", foreground=True)

    told = read_json(tmp_path / "o" / SCENE / "transforms.json")
    low, high = to_ngp(np.full(3, -RADIUS), told), to_ngp(np.full(3, RADIUS), told)
    np.testing.assert_allclose(low, 0.1)
    np.testing.assert_allclose(high, 0.9)
    assert told["aabb_scale"] == 16  # with all that is behind it
    assert read_json(tmp_path / "alone" / SCENE / "transforms.json")["aabb_scale"] == 1


def test_the_folder_that_is_trained_on_has_no_view_that_is_held_out(tmp_path: Path):
    """Every .json there is read."""
    write_object(tmp_path / "d")
    run(tmp_path / "d", tmp_path / "o", "ngp")

    scene = tmp_path / "o" / SCENE
    assert [path.name for path in scene.glob("*.json")] == ["transforms.json"]
    held = {frame["name"] for frame in read(scene / "held_out/transforms_test.json")}
    assert held
    assert not held & {frame["name"] for frame in read(scene / "transforms.json")}


def enlarge(folder: Path, factor: float) -> None:
    """Let all that a dataset shows be so many times as large, and as far away."""
    changed = ChangedDataset(folder)
    changed.change_all(("depth",), lambda depth: (depth * factor).astype(np.float32))
    for line in changed.lines:
        [label] = line["objects"]
        for pose in (line["camera"]["world_from_camera"], label["camera_from_object"]):
            for row in pose[:3]:
                row[3] *= factor
        label["size"] = [side * factor for side in label["size"]]
    changed.save()


@pytest.mark.parametrize("factor", [1.0, 1000.0, 1e-5])
def test_depth_goes_along_when_it_is_asked_for(tmp_path: Path, factor):
    """It is as fine for things of any size."""
    write_object(tmp_path / "d", views=4)
    enlarge(tmp_path / "d", factor)
    run(tmp_path / "d", tmp_path / "o", "ngp", passes=("depth",))

    told = read_json(tmp_path / "o" / SCENE / "transforms.json")
    views = views_by_name(tmp_path / "d")
    for frame in read(tmp_path / "o" / SCENE / "transforms.json"):
        steps = np.asarray(Image.open(tmp_path / "o" / SCENE / frame["depth"]))
        depth = views[frame["name"]]["depth"]
        there = np.isfinite(depth)
        np.testing.assert_allclose(
            steps[there] * told["integer_depth_scale"], depth[there], atol=1.1e-4 * factor
        )
        assert (steps[~there] == 0).all()
