"""What readers of NeRF's own format see: by its `load_blender`, whose rules are these."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import farm.dataset
from farm.errors import SpecError
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


@pytest.mark.parametrize("size", [(64, 64), (64, 48), (48, 64)])
def test_a_known_point_falls_where_the_picture_has_it(tmp_path: Path, size):
    """The focal length follows from `camera_angle_x` and the width; the axis meets the middle."""
    write_object(tmp_path / "d", size=size)
    run(tmp_path / "d", tmp_path / "o", "nerf")

    views, seen = views_by_name(tmp_path / "d"), []
    for role in ("train", "val", "test"):
        told = read_json(tmp_path / "o" / SCENE / f"transforms_{role}.json")
        for frame in told["frames"]:
            assert frame["file_path"].startswith(f"./{role}/")
            file = tmp_path / "o" / SCENE / (frame["file_path"] + ".png")
            picture, view = np.asarray(Image.open(file)), views[file.stem]
            height, width = picture.shape[:2]
            focal = 0.5 * width / np.tan(0.5 * told["camera_angle_x"])
            point, px = top_of(view)
            found = project_gl(
                point, frame["transform_matrix"], (focal, focal), (width / 2, height / 2)
            )
            np.testing.assert_allclose(found, px, atol=1e-4)
            np.testing.assert_array_equal(picture[..., 3], view["mask"])
            seen.append(file.stem)
    assert sorted(seen) == sorted(views)


def test_points_are_where_gaussian_splatting_looks_for_them(tmp_path: Path):
    write_object(tmp_path / "d")
    run(tmp_path / "d", tmp_path / "o", "nerf", points=120)

    body = (tmp_path / "o" / SCENE / "points3d.ply").read_bytes().partition(b"end_header\n")[2]
    rows = np.frombuffer(body, [("numbers", "<f4", 6), ("rgb", "u1", 3)])
    np.testing.assert_allclose(np.linalg.norm(rows["numbers"][:, :3], axis=1), RADIUS, atol=1e-5)
    assert len(rows) == 120


@pytest.mark.parametrize(
    ("lens", "sentence"),
    [
        ("pinhole off centre", r"its lens is shifted, by \(-11.30, \+7.90\) px, and nerf assumes"),
        ("perspective shifted", "its lens is shifted, by "),
        ("pinhole with wide pixels", "its lens is shifted, by "),
    ],
)
def test_a_lens_that_the_format_cannot_tell_is_refused(tmp_path: Path, lens, sentence):
    write_object(tmp_path / "d", views=4, size=(64, 48))
    give_lens(tmp_path / "d", LENSES[lens])

    with pytest.raises(SpecError, match=rf"^ball\S+: {sentence}.* export to nerfstudio, ngp or"):
        run(tmp_path / "d", tmp_path / "o", "nerf")


def change_lens(at: int, line: dict, **lens: float) -> None:
    line["camera"] |= lens


def test_pixels_that_are_not_square_are_refused(tmp_path: Path):
    write_object(tmp_path / "d", views=4)
    change_records(tmp_path / "d", lambda _at, line: change_lens(0, line, fy_px=120.0))

    with pytest.raises(SpecError, match=r"^ball\S+: its pixels are not square \(focal lengths 88"):
        run(tmp_path / "d", tmp_path / "o", "nerf")


def test_mixed_lenses_are_refused_with_two_views(tmp_path: Path):
    write_object(tmp_path / "d", views=4)
    change_records(
        tmp_path / "d",
        lambda at, line: change_lens(at, line, fx_px=70.0 + at % 2, fy_px=70.0 + at % 2),
    )
    first, second, *_ = [view.name for view in farm.dataset.open(tmp_path / "d")]

    sentence = (
        rf"^{first} \(64 x 64 px, focal length 70.00 px\) and {second} \(64 x 64 px, focal length "
        r"71.00 px\): have different lenses, and nerf has one for all views of a scene: export to "
    )
    with pytest.raises(SpecError, match=sentence):
        run(tmp_path / "d", tmp_path / "o", "nerf")


def test_what_lies_where_readers_do_not_look_is_said(tmp_path: Path):
    for name, share in (("usual", 1.0), ("near", 0.5), ("far", 2.0)):
        write_object(tmp_path / name)
        changed = ChangedDataset(tmp_path / name)
        changed.change_all(("depth",), lambda depth, share=share: depth * share)
        changed.save()
    sentence = rf"things 2 to 6 before cameras, and of 1 scene, such as {SCENE} \((\S+) to (\S+)\),"

    assert run(tmp_path / "usual", tmp_path / "o0", "nerf").notes == ()
    for name in ("near", "far"):
        maps = [view["depth"] for view in farm.dataset.open(tmp_path / name)]
        depths = [depth[(depth > 0) & np.isfinite(depth)] for depth in maps]
        [note] = run(tmp_path / name, tmp_path / f"{name}-nerf", "nerf").notes
        told = re.search(sentence, note)
        least, most = min(map(np.min, depths)), max(map(np.max, depths))
        assert [float(told[1]), float(told[2])] == pytest.approx([least, most], abs=0.006)
