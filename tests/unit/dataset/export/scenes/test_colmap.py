"""What pycolmap reads of an export: each pose, lens and point, from text and from binary."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import farm.dataset
from tests.support.datasets import give_lens
from tests.support.lenses import LENSES
from tests.unit.dataset.export.pictures import run
from tests.unit.dataset.export.scenes.shared import (
    RADIUS,
    SCENE,
    change_records,
    reader_of,
    top_of,
    views_by_name,
    write_object,
)

pycolmap = reader_of("pycolmap")
kinds = pytest.mark.parametrize("kind", ["bin", "txt"])
PINHOLES = [name for name, lens in LENSES.items() if lens.kind in ("perspective", "pinhole")]


def read(scene: Path, kind: str) -> Any:
    """A model by pycolmap, from its text or its binary files alone."""
    folder = scene.parent / f"{scene.name}.{kind}"
    folder.mkdir()
    for path in (scene / "sparse/0").glob(f"*.{kind}"):
        shutil.copy(path, folder)
    return pycolmap.Reconstruction(str(folder))


@kinds
def test_a_known_point_falls_where_the_picture_has_it(tmp_path: Path, kind):
    write_object(tmp_path / "d", size=(64, 48))
    run(tmp_path / "d", tmp_path / "o", "colmap")

    model = read(tmp_path / "o" / SCENE, kind)

    views = views_by_name(tmp_path / "d")
    assert len(model.images) == len(views) == 12
    for image in model.images.values():
        point, px = top_of(views[image.name.removesuffix(".png")])
        np.testing.assert_allclose(image.project_point(point), px, atol=1e-4)
        assert (image.camera.width, image.camera.height) == (64, 48)


@kinds
def test_points_are_on_the_ball_where_they_are_seen_and_of_its_colours(tmp_path: Path, kind):
    write_object(tmp_path / "d")
    run(tmp_path / "d", tmp_path / "o", "colmap", points=600)

    model = read(tmp_path / "o" / SCENE, kind)

    assert len(model.points3D) == 600
    views, errors = views_by_name(tmp_path / "d"), []
    for image in model.images.values():
        colours = views[image.name.removesuffix(".png")]["rgb"]
        assert len(image.points2D) == 50
        for place, seen in enumerate(image.points2D):
            point = model.points3D[seen.point3D_id]
            [element] = point.track.elements
            assert (element.image_id, element.point2D_idx) == (image.image_id, place)
            errors.append(np.linalg.norm(image.project_point(point.xyz) - seen.xy))
            column, row = (seen.xy - 0.5).astype(int)
            np.testing.assert_array_equal(point.color, colours[row, column])
            assert np.linalg.norm(point.xyz) == pytest.approx(RADIUS, abs=1e-5)
    assert np.median(errors) < 1e-4  # pixels


@kinds
@pytest.mark.parametrize("lens", PINHOLES)
def test_lenses_off_centre_and_with_wide_pixels_are_told(tmp_path: Path, kind, lens):
    write_object(tmp_path / "d", views=4, size=(64, 48))
    give_lens(tmp_path / "d", LENSES[lens])
    done = run(tmp_path / "d", tmp_path / "o", "colmap")

    model = read(tmp_path / "o" / SCENE, kind)

    [camera] = model.cameras.values()
    record = farm.dataset.open(tmp_path / "d")[0].record.camera
    wanted = [record.fx_px, record.fy_px, record.cx_px, record.cy_px]
    np.testing.assert_allclose(camera.params, wanted, atol=1e-6)
    assert camera.model.name == "PINHOLE"
    shifted = (record.cx_px, record.cy_px) != (32.0, 24.0)
    assert any("lenses are shifted" in note for note in done.notes) == shifted
    for image in model.images.values():
        for seen in image.points2D:
            found = image.project_point(model.points3D[seen.point3D_id].xyz)
            np.testing.assert_allclose(found, seen.xy, atol=1e-3)


@kinds
def test_views_without_a_point_and_each_lens_are_kept(tmp_path: Path, kind):
    """A line of points is there, and empty, where a view has none: else readers lose the next."""
    write_object(tmp_path / "d", views=6)

    def zoom(at: int, line: dict[str, Any]) -> None:
        line["camera"]["fx_px"] = line["camera"]["fy_px"] = 70.0 + at % 2

    change_records(tmp_path / "d", zoom)
    run(tmp_path / "d", tmp_path / "o", "colmap", points=1)
    images = (tmp_path / "o" / SCENE / "sparse/0/images.txt").read_text().splitlines()[4:]
    assert len(images) == 12

    model = read(tmp_path / "o" / SCENE, kind)

    assert sorted(image.name for image in model.images.values()) == sorted(
        f"{view.name}.png" for view in farm.dataset.open(tmp_path / "d")
    )
    assert sorted(camera.params[0] for camera in model.cameras.values()) == [70.0, 71.0]
    for image in model.images.values():
        assert np.linalg.norm(image.cam_from_world().rotation.quat) == pytest.approx(1, abs=1e-12)


@kinds
def test_where_depth_is_empty_all_images_are_there_without_points(tmp_path: Path, kind):
    from tests.support.changed_datasets import ChangedDataset

    write_object(tmp_path / "d", views=4)
    changed = ChangedDataset(tmp_path / "d")
    changed.change_all(("depth",), lambda depth: np.full_like(depth, np.inf))
    changed.save()

    done = run(tmp_path / "d", tmp_path / "o", "colmap")

    assert done.notes == (f"{SCENE}: depth is empty in all views, so there are no points",)
    model = read(tmp_path / "o" / SCENE, kind)
    assert (len(model.images), len(model.points3D)) == (4, 0)


def test_the_ply_begins_where_the_points_are(tmp_path: Path):
    write_object(tmp_path / "d", views=4)
    run(tmp_path / "d", tmp_path / "o", "colmap", points=80)

    data = (tmp_path / "o" / SCENE / "sparse/0/points3D.ply").read_bytes()

    head, _, body = data.partition(b"end_header\n")
    names = [line.split()[-1] for line in head.decode().splitlines() if line.startswith("prop")]
    assert names == ["x", "y", "z", "nx", "ny", "nz", "red", "green", "blue"]
    rows = np.frombuffer(body, [("numbers", "<f4", 6), ("rgb", "u1", 3)])
    model = read(tmp_path / "o" / SCENE, "bin")
    assert len(rows) == 80
    for row, (_, point) in zip(rows, sorted(model.points3D.items()), strict=True):
        np.testing.assert_array_equal(row["numbers"], [*point.xyz, 0, 0, 0])
        np.testing.assert_array_equal(row["rgb"], point.color)


def test_the_lists_name_views_to_train_and_to_test(tmp_path: Path):
    write_object(tmp_path / "d", views=16)
    run(tmp_path / "d", tmp_path / "o", "colmap")

    scene = tmp_path / "o" / SCENE
    lists = {
        role: (scene / f"{role}_list.txt").read_text().split() for role in ("train", "val", "test")
    }
    assert [len(names) for names in lists.values()] == [12, 2, 2]
    assert sorted(name for names in lists.values() for name in names) == sorted(
        path.name for path in (scene / "images").iterdir()
    )
    assert (scene / "sparse/0/test.txt").read_text().split() == lists["test"]
