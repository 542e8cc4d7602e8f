"""Rendered views of an object in every format for 3D learning, and poses against Cycles' depth."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

import farm.dataset
from farm.dataset.export.registry import SCENE_FORMATS
from tests.e2e.conftest import farm as run
from tests.unit.dataset.export.scenes.shared import reader_of

CUBE = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
"""Corners of the cube that a scene begins with."""
SCRIPT = """
import math


def frame(scene, view):
    camera = scene.camera
    turn = 2 * math.pi * view.index / 4 + 0.3
    camera.location = (7 * math.cos(turn), 7 * math.sin(turn), 2.5)
    camera.rotation_euler = (-camera.location).to_track_quat("-Z", "Y").to_euler()
    camera.data.shift_x, camera.data.shift_y = 0.08, -0.05
"""
CENTRED = ("nerf", "zero123", "openlrm", "trellis", "gobjaverse")
"""Formats whose readers know no other lenses."""
NEAR_PX = 2
"""How far around a pixel its surface is looked for: edges are not where centres are."""


@pytest.fixture(scope="module")
def renders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendered")
    assert run("samples", folder / "s").returncode == 0
    done = run(
        "render", "--models", folder / "s/models/cup.blend", "--hdrs", folder / "s/hdrs/forest.exr",
        "--rig", "fibonacci", "--views", 6, "--resolution", "64x64", "--samples", 4,
        "--passes", "rgb,mask,depth,normal,foreground,background,surface",
        "--output", folder / "renders",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "renders"


@pytest.mark.parametrize("to", SCENE_FORMATS)
def test_what_was_rendered_is_exported_whole(renders, tmp_path, to):
    done = run("dataset", "export", renders, "--to", to, "--out", tmp_path / to)

    assert done.returncode == 0, done.stderr
    assert f"6 views as {to}" in done.stdout + done.stderr


def test_points_of_a_view_are_on_the_surface_or_behind_it_in_all_others(renders, tmp_path):
    """Depth of one view, carried by two poses, meets the depth of another: none is before it."""
    pycolmap = reader_of("pycolmap")
    done = run("dataset", "export", renders, "--to", "colmap", "--out", tmp_path / "o")
    assert done.returncode == 0, done.stderr

    [scene] = (tmp_path / "o").glob("*/sparse/0")
    model = pycolmap.Reconstruction(str(scene))
    views = {f"{view.name}.png": view for view in farm.dataset.open(renders)}
    sound = []
    for image in model.images.values():
        depth = views[image.name]["depth"]
        far = np.where(np.isfinite(depth), depth, np.inf)
        for point in model.points3D.values():
            seen = image.cam_from_world() * point.xyz
            column, row = (image.project_point(point.xyz)).astype(int)
            around = far[
                max(row - NEAR_PX, 0) : row + NEAR_PX + 1,
                max(column - NEAR_PX, 0) : column + NEAR_PX + 1,
            ]
            sound.append(around.size > 0 and around.min() <= seen[2] + 0.005)
    assert len(sound) > 5000
    assert np.mean(sound) > 0.998


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    """Wide pictures of a cube by a lens that is shifted, whose camera alone a script moves."""
    folder = tmp_path_factory.mktemp("shifted")
    (folder / "orbit.py").write_text(SCRIPT)
    done = run(
        "render", "--recipe", "script", "--script", folder / "orbit.py", "--views", 4,
        "--episode", 4, "--resolution", "96x64", "--samples", 4,
        "--passes", "rgb,mask,depth,normal,foreground,background,surface",
        "--output", folder / "renders",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "renders"


def poses_of_transforms(scene):
    """Name, camera from world (OpenCV's) and lens of each view, as `transforms.json` has them."""
    for path in (*scene.glob("transforms.json"), *scene.glob("held_out/*.json")):
        told = json.loads(path.read_text())
        for frame in told["frames"]:
            lens = {**told, **frame}
            pose = np.linalg.inv(np.array(frame["transform_matrix"]) @ np.diag([1, -1, -1, 1]))
            middle = lens["cx"], lens["cy"]
            yield path.parent / frame["file_path"], pose, (lens["fl_x"], lens["fl_y"]), middle


def poses_of_colmap(scene):
    """The same, as COLMAP's texts have them."""
    rows = [
        line.split()
        for line in (scene / "sparse/0/cameras.txt").read_text().splitlines()
        if line[0] != "#"
    ]
    lenses = {row[0]: np.array(row[4:], float) for row in rows}
    for line in (scene / "sparse/0/images.txt").read_text().splitlines()[4::2]:
        _, *numbers, camera, name = line.split()
        (w, x, y, z), place = np.array(numbers[:4], float), np.array(numbers[4:], float)
        turn = np.array([
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ])  # fmt: skip
        fx, fy, cx, cy = lenses[camera]
        pose = np.vstack([np.column_stack([turn, place]), [0, 0, 0, 1]])
        yield scene / name, pose, (fx, fy), (cx, cy)


def corners_are_where_masks_end(found, views):
    """The cube's corners, by exported cameras, meet the edges of the masks of views."""
    for path, pose, focal, middle in found:
        x, y, z = pose[:3, :3] @ CUBE.T + pose[:3, 3:]
        px = np.stack([focal[0] * x / z + middle[0], focal[1] * y / z + middle[1]])
        rows, columns = np.nonzero(views[path.stem]["mask"] > 127)
        edges = [columns.min(), columns.max() + 1, rows.min(), rows.max() + 1]
        wanted = [px[0].min(), px[0].max(), px[1].min(), px[1].max()]
        np.testing.assert_allclose(edges, wanted, atol=1.0)


@pytest.mark.parametrize("to", SCENE_FORMATS)
def test_wide_pictures_by_a_shifted_lens_are_right_or_refused(shifted, tmp_path, to):
    """The cube's corners, by the exported camera, are where the mask ends."""
    done = run("dataset", "export", shifted, "--to", to, "--out", tmp_path / to)

    if to in CENTRED:
        assert done.returncode == 2
        assert "its lens is shifted, by (-7.68, -4.80) px" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    if to in ("materials", "matting", "rvm"):  # which have no cameras
        return
    [scene] = [path.parent for path in (tmp_path / to).glob("*/images")]
    views = {view.name: view for view in farm.dataset.open(shifted)}
    found = list((poses_of_colmap if to == "colmap" else poses_of_transforms)(scene))
    assert {path.stem for path, *_ in found} == set(views)
    corners_are_where_masks_end(found, views)


def test_a_script_that_moves_a_thing_is_no_scene(tmp_path):
    (tmp_path / "spin.py").write_text(
        SCRIPT + "    scene.objects['Cube'].location.x = 0.1 * view.index\n"
    )
    done = run(
        "render", "--recipe", "script", "--script", tmp_path / "spin.py", "--views", 4,
        "--resolution", "64x64", "--samples", 1, "--output", tmp_path / "d",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    done = run("dataset", "export", tmp_path / "d", "--to", "ngp", "--out", tmp_path / "o")

    assert done.returncode == 2
    assert "view_000000 and view_000001: Cube moves, and in ngp things stand still" in done.stderr
    assert not (tmp_path / "o").exists()
