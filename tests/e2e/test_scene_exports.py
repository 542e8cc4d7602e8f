"""Rendered views of an object in every format for 3D learning, and poses against Cycles' depth."""

from __future__ import annotations

import numpy as np
import pytest

import farm.dataset
from farm.dataset.export.registry import SCENE_FORMATS
from tests.e2e.conftest import farm as run
from tests.unit.dataset.export.scenes.shared import reader_of

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
