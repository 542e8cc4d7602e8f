"""What nerfstudio's data parser reads of a scene: by the rules of its data conventions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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
from tests.unit.dataset.export.video.test_nerfstudio import read, world_points


@pytest.mark.parametrize("metres_per_unit", [1.0, 0.25])
def test_depth_and_points_are_on_the_ball_in_metres(tmp_path: Path, metres_per_unit):
    write_object(tmp_path / "d")
    change_records(tmp_path / "d", lambda _at, line: line.update(metres_per_unit=metres_per_unit))
    run(tmp_path / "d", tmp_path / "o", "nerfstudio", points=240)

    scene, radius = tmp_path / "o" / SCENE, RADIUS * metres_per_unit
    frames = read(scene)
    assert len(frames) == 12
    for frame in frames:
        seen = frame["depth_file_path"] > 0
        assert seen.any()
        found = np.linalg.norm(world_points(frame)[seen], axis=-1)
        np.testing.assert_allclose(found, radius, atol=1e-3)
    told = read_json(scene / "transforms.json")
    body = (scene / told["ply_file_path"]).read_bytes().partition(b"end_header\n")[2]
    rows = np.frombuffer(body, [("numbers", "<f4", 6), ("rgb", "u1", 3)])
    np.testing.assert_allclose(np.linalg.norm(rows["numbers"][:, :3], axis=1), radius, atol=1e-5)
    assert len(rows) == 240


def test_depth_that_is_coarse_in_millimetres_is_told(tmp_path: Path):
    """Of a thing of a centimetre, or one whose file says so."""
    write_object(tmp_path / "d")
    change_records(tmp_path / "d", lambda _at, line: line.update(metres_per_unit=0.01))

    done = run(tmp_path / "d", tmp_path / "o", "nerfstudio")

    assert done.notes[-1:] == (
        "depth is in steps of 0.001 m, so what is nearer than 0.1 m is coarse, or 0, unknown, in 12"
        " frames",
    )


@pytest.mark.parametrize("lens", ["perspective", "pinhole off centre", "pinhole with wide pixels"])
def test_a_known_point_falls_where_the_camera_has_it(tmp_path: Path, lens):
    from farm.projection import project

    write_object(tmp_path / "d", size=(64, 48))
    give_lens(tmp_path / "d", LENSES[lens])
    run(tmp_path / "d", tmp_path / "o", "nerfstudio")

    views, told = (
        views_by_name(tmp_path / "d"),
        read_json(tmp_path / "o" / SCENE / "transforms.json"),
    )
    for frame in told["frames"]:
        view = views[Path(frame["file_path"]).stem]
        lens_told = {key: told.get(key, frame.get(key)) for key in ("fl_x", "fl_y", "cx", "cy")}
        point, _ = top_of(view)
        pose = np.array(frame["transform_matrix"])
        fx, fy, cx, cy = lens_told.values()
        seen = np.linalg.inv(np.array(view.record.camera.world_from_camera)) @ [*point, 1.0]
        found = project_gl(point, pose, (fx, fy), (cx, cy))
        np.testing.assert_allclose(found, project(seen[:3], view.record.camera), atol=1e-6)


def test_masks_go_along_when_they_are_asked_for(tmp_path: Path):
    write_object(tmp_path / "d", views=4)
    run(tmp_path / "d", tmp_path / "o", "nerfstudio", passes=("mask",))

    views = views_by_name(tmp_path / "d")
    told = read_json(tmp_path / "o" / SCENE / "transforms.json")
    assert "ply_file_path" not in told
    for frame, entry in zip(read(tmp_path / "o" / SCENE), sorted(
        told["frames"], key=lambda each: each["file_path"]
    ), strict=True):  # fmt: skip
        view = views[Path(entry["file_path"]).stem]
        np.testing.assert_array_equal(frame["mask_path"] > 0, view["mask"] > 127)
        np.testing.assert_array_equal(frame["file_path"], view["rgb"])
